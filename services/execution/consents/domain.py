"""What others are asked to agree to, and whether what lies in the rows is still that."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from libs.contracts.approvals import ApprovalInfo
from services.execution.domain import RuleAction, StepKind
from services.execution.models import Execution, Step
from services.execution.rules.domain import Approvers, Hit, demands

SUBJECT: Final = "execution"
"""What auth calls the kind of thing that is approved."""
VERSION: Final = 1
SHOWN_HOSTS: Final = 100
"""So many hosts of a step are named; all of them are in its checksum."""


# ---- what is approved ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """A task as far as it decides what runs where."""

    step_id: str
    host_id: int
    host_name: str
    ip_address: str
    agent_id: str


def content_of(execution: Execution, steps: Iterable[Step], targets: Iterable[Target]) -> str:
    """Everything that decides what will run, and where, as JSON in one spelling.

    Texts stand as they were written, beside the values that are filled in, because together they
    give the rendered ones and can be shown before earlier steps have ended. Of secrets only the
    names are in it. Steps whose hosts an earlier one names have none of their own here.
    """
    by_step: dict[str, list[Target]] = {}
    for target in targets:
        by_step.setdefault(target.step_id, []).append(target)
    whole = {
        "version": VERSION,
        "execution_id": execution.id,
        "name": execution.name,
        "requester_id": execution.user_id,
        "requester": execution.username,
        "strategy": execution.strategy,
        "variables": execution.variables,
        "findings": execution.findings,
        "steps": [_step(step, by_step.get(step.id, [])) for step in steps],
    }
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _step(step: Step, targets: Sequence[Target]) -> dict[str, object]:
    return {
        "name": step.name,
        "kind": step.kind,
        "script_type": step.script_type,
        "script": step.script,
        "args": step.args,
        "env": step.env,
        "run_as": step.run_as,
        "cwd": step.cwd,
        "timeout_seconds": step.timeout_seconds,
        "retries": step.retries,
        "condition": step.condition,
        "on_failure": step.on_failure,
        "is_handler": step.is_handler,
        "payload": step.payload,
        "targets": step.targets,
        "host_count": len(targets),
        "hosts": [f"{one.host_name} ({one.ip_address})" for one in targets[:SHOWN_HOSTS]],
        "hosts_sha256": _digest_of(targets),
    }


def _digest_of(targets: Iterable[Target]) -> str:
    rows = sorted([t.host_id, t.host_name, t.ip_address, t.agent_id] for t in targets)
    return digest(json.dumps(rows, ensure_ascii=False, separators=(",", ":")))


def digest(content: str) -> str:
    """The hash under which auth keeps what is approved."""
    return hashlib.sha256(content.encode()).hexdigest()


# ---- whether it is given ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the approvals that an execution needs."""

    approval_id: str
    subject_hash: str
    approvers: Approvers


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rows say about an execution that needs consent."""

    execution_id: str
    user_id: int
    subject_hash: str
    """Of the rows as they are now."""
    places: frozenset[tuple[int, str]]
    """Hosts with their agents that were approved; others may not be in it."""
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A step that is to begin anew, with what others have agreed to in its execution."""

    name: str
    variables: Mapping[str, object]
    step: Step
    host_ids: tuple[int, ...]
    given: frozenset[Approvers]


class Objection(StrEnum):
    """Why the rules and approvals do not let a task run."""

    BLOCKED = "command_blocked"
    MISSING = "approval_missing"
    VOID = "approval_void"


def is_given(asked: Asked, info: ApprovalInfo, evidence: Evidence) -> bool:
    """Whether an approval says yes to exactly this, by the people who were to be asked."""
    named = Approvers.of(info.approver_ids, info.approver_group_ids, info.quorum)
    yes = {vote.user_id for vote in info.votes if vote.approve} - {evidence.user_id}
    return (
        info.allows(SUBJECT, evidence.execution_id, asked.subject_hash)
        and info.requester_id == evidence.user_id
        and named == asked.approvers
        and len(yes) >= asked.approvers.quorum
    )


def objection(
    evidence: Evidence | None,
    given: Mapping[str, bool],
    place: tuple[int, str],
    hits: Sequence[Hit],
) -> Objection | None:
    """Why a task may not run: what was approved is not what is there, or nobody approved it.

    `given` says of each approval of the execution whether it is given; `hits` are those of the
    final text of this task. What was asked for stays asked for, whatever became of the rules.
    """
    if any(hit.rule.action is RuleAction.BLOCK for hit in hits):
        return Objection.BLOCKED
    wanted = {demand.approvers for demand in demands(hits)}
    if evidence is None:
        return Objection.MISSING if wanted else None
    if any(one.subject_hash != evidence.subject_hash for one in evidence.asked):
        return Objection.VOID
    if place not in evidence.places:
        return Objection.VOID
    if not all(given.get(one.approval_id) for one in evidence.asked):
        return Objection.MISSING
    return None if wanted <= {one.approvers for one in evidence.asked} else Objection.MISSING


def is_static(step: Step) -> bool:
    """Whether the hosts of a step are known from the start."""
    return step.kind != StepKind.CONFIRM and "hosts_of" not in step.targets
