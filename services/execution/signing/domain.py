"""What is signed for agents, when nothing is, and how decisions are chained; pure."""

import hashlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import msgspec

from libs.contracts.execution import TaskStatus
from libs.contracts.trust import CANCEL, GRANT, RUN
from libs.kit.ed25519 import Pen
from services.execution.domain import ON_HOST, TERMINAL
from services.execution.models import Step
from services.execution.orders.domain import Filled
from services.execution.transfers.domain import FileOrder

GRACE_SECONDS = 10.0
MAX_OUTPUT_BYTES = 1024**3
EARLY = timedelta(seconds=60)
"""How much earlier than now an order begins, for agents whose clock is a little behind."""
GRANT_LIFE = timedelta(minutes=5)
"""How long a grant may travel; the agent asks again every few seconds."""
CANCEL_LIFE = timedelta(minutes=5)
_STEP_OF_LOG = "opsjob/decision/v1"


class Refusal(StrEnum):
    """Why nothing was signed for a task."""

    UNKNOWN = "unknown_task"
    OTHER_STATE = "other_state"
    EXPIRED = "order_expired"
    CANCELLED = "cancel_requested"
    RATE = "signing_rate"
    SCRIPT_CHANGED = "script_changed"
    ACTOR = "actor_not_allowed"
    AGENT = "agent_not_active"
    TOO_MANY_HOSTS = "too_many_hosts"
    BLOCKED = "command_blocked"
    UNAPPROVED = "approval_missing"
    VOID = "approval_void"


FORGED = frozenset({Refusal.SCRIPT_CHANGED, Refusal.VOID, Refusal.UNAPPROVED})
"""What no way through the service leads to: somebody wrote into its rows, or it lied."""

SENTENCES: Mapping[str, str] = {
    Refusal.SCRIPT_CHANGED: "The stored script is not the one that was accepted.",
    Refusal.ACTOR: "The person behind this task may not run it now.",
    Refusal.AGENT: "The agent of this host is disabled, quarantined or replaced.",
    Refusal.TOO_MANY_HOSTS: "The execution has more hosts than the signer may sign for.",
    Refusal.BLOCKED: "A rule about dangerous commands does not let this text run.",
    Refusal.UNAPPROVED: "A rule wants the approval of others, and there is none for this.",
    Refusal.VOID: "What would run is not what was approved.",
}

PASSING = frozenset(
    str(one)
    for one in (
        *(Refusal.UNKNOWN, Refusal.OTHER_STATE, Refusal.EXPIRED),
        *(Refusal.CANCELLED, Refusal.RATE),
    )
)
"""These say that a task moved on meanwhile, or has to wait. All others end it as rejected."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An attempt for which a signature is wanted."""

    task_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Expected:
    """Whom the next questions will be about. Nothing is decided by it."""

    people: Sequence[tuple[int, int]]
    """Users, each with a host."""
    agents: Sequence[str]


class Signable(NamedTuple):
    """A task as its row says, read by the signer itself."""

    id: str
    execution_id: str
    step_id: str
    user_id: int
    host_id: int
    host_name: str
    ip_address: str
    agent_id: str
    status: str
    attempt: int
    epoch: int
    boot_id: str | None
    not_after: datetime
    batch_no: int
    sealing_key: str | None
    cancel_at: datetime | None
    stop_until: datetime | None
    task_total: int


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key and the name under which agents know its public half."""

    kid: str
    private: Pen = field(repr=False)


Why = tuple[str, str]
"""Code and sentence."""


@dataclass(frozen=True)
class SignedBatch:
    """Frames for agents by task, and the tasks for which there is none, each with the reason."""

    frames: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, Why] = field(default_factory=dict)

    def refuse(self, task_id: str, why: Refusal) -> None:
        """Nothing is signed for this task."""
        self.refused[task_id] = (str(why), SENTENCES.get(why, ""))

    @property
    def ended(self) -> dict[str, Why]:
        """The refused tasks that must end for it."""
        return {task: why for task, why in self.refused.items() if why[0] not in PASSING}


# ---- whether --------------------------------------------------------------------------------


def why_not_run(task: Signable | None, asked: Asked, now: datetime) -> Refusal | None:
    """Why this attempt may not be offered, as its row says."""
    if task is None or task.attempt != asked.attempt or not task.agent_id:
        return Refusal.UNKNOWN
    if task.cancel_at is not None:
        return Refusal.CANCELLED
    if task.status not in {TaskStatus.OFFERED, TaskStatus.CLAIMED}:
        return Refusal.OTHER_STATE
    if task.status == TaskStatus.OFFERED and task.not_after <= now:
        return Refusal.EXPIRED
    return None


def why_not_grant(task: Signable | None, asked: Asked) -> Refusal | None:
    """Why this attempt may not start, as its row says: only what the database granted may."""
    if task is None or task.attempt != asked.attempt:
        return Refusal.UNKNOWN
    if task.status not in ON_HOST or task.epoch < 1 or not task.boot_id:
        return Refusal.OTHER_STATE
    return None


def why_not_cancel(task: Signable | None, asked: Asked, now: datetime) -> Refusal | None:
    """Why this attempt is not to be stopped, as its row says."""
    if task is None or task.attempt != asked.attempt:
        return Refusal.UNKNOWN
    is_forced = task.stop_until is not None and task.stop_until > now
    is_wanted = task.cancel_at is not None and task.status not in TERMINAL
    return None if is_forced or is_wanted else Refusal.OTHER_STATE


def is_script_intact(step: Step) -> bool:
    """Whether the stored script is still the one whose hash was taken at accept."""
    return hashlib.sha256(step.script.encode()).hexdigest() == step.script_sha256


class Pace:
    """How many orders a minute are signed at most; 0 sets no limit."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._signed: deque[tuple[float, int]] = deque()
        self._total = 0

    def room(self, at: float) -> int:
        """How many may be signed now, at monotonic seconds."""
        if not self._per_minute:
            return 2**31
        while self._signed and self._signed[0][0] <= at - 60:
            self._total -= self._signed.popleft()[1]
        return max(0, self._per_minute - self._total)

    def took(self, count: int, at: float) -> None:
        """So many were signed."""
        if self._per_minute and count:
            self._signed.append((at, count))
            self._total += count


# ---- what -----------------------------------------------------------------------------------


def order_of(
    task: Signable, step: Step, filled: Filled, moving: FileOrder | None
) -> dict[str, object]:
    """The order of a task in the words of the agents' protocol."""
    order: dict[str, object] = {
        "execution_id": task.execution_id,
        "task_id": task.id,
        "attempt": task.attempt,
        "agent_id": task.agent_id,
        "host_name": task.host_name,
        "script": filled.script,
        "script_sha256": filled.script_sha256,
        "script_type": step.script_type,
        "args": filled.args,
        "env": filled.env,
        "run_as": step.run_as,
        "cwd": filled.cwd,
        "timeout_seconds": step.timeout_seconds,
        "not_after": task.not_after.isoformat(),
        "max_output_bytes": MAX_OUTPUT_BYTES,
    }
    # An agent of before knows none of these, and most orders need none.
    if step.success_codes != [0]:
        order["success_codes"] = step.success_codes
    if filled.passes_on:
        order["outputs"] = True
    if filled.secrets:
        order["secrets"] = filled.secrets
    if moving is not None:
        order |= {"action": step.kind, "files": moving.work, "env": moving.env, "args": []}
    return order


def run_payload(task: Signable, order: Mapping[str, object], now: datetime) -> bytes:
    """May be claimed until the task's time to start is over."""
    return _payload(RUN, task, now, max(task.not_after, now), order=order)


def grant_payload(task: Signable, now: datetime) -> bytes:
    """May start now, once, on the boot that the database granted it to."""
    until = now + GRANT_LIFE
    return _payload(GRANT, task, now, until, epoch=task.epoch, boot_id=task.boot_id)


def cancel_payload(task: Signable, now: datetime, counter: int) -> bytes:
    """Must end."""
    return _payload(
        CANCEL,
        task,
        now,
        now + CANCEL_LIFE,
        counter=counter,
        reason="cancelled",
        grace_seconds=GRACE_SECONDS,
    )


def _payload(
    purpose: str, task: Signable, now: datetime, expires: datetime, **more: object
) -> bytes:
    common = {
        "purpose": purpose,
        "agent_id": task.agent_id,
        "task_id": task.id,
        "attempt": task.attempt,
        "not_before": _moment(now - EARLY),
        "expires": _moment(expires),
    }
    return msgspec.json.encode(common | more)


@lru_cache(maxsize=256)
def _moment(at: datetime) -> str:
    # A batch has few moments, and to write one takes longer than all else about a payload.
    return at.astimezone(UTC).isoformat(timespec="microseconds")


# ---- the log of decisions -------------------------------------------------------------------


def chained(previous: str, entry: Mapping[str, object]) -> tuple[str, str]:
    """A line of the log, with the hash of the line before and its own; and its own hash."""
    body = json.dumps({**entry, "previous": previous}, separators=(",", ":"), sort_keys=True)
    own = hashlib.sha256(f"{_STEP_OF_LOG}\0{body}".encode()).hexdigest()
    return f'{body[:-1]},"hash":"{own}"}}', own


def first_broken(lines: Sequence[str], previous: str) -> int | None:
    """Which line does not follow from the one before it; None if all do."""
    for place, line in enumerate(lines):
        try:
            entry = json.loads(line)
            del entry["hash"]
            before = entry.pop("previous")
        except (ValueError, KeyError, TypeError, AttributeError):
            return place
        expected, own = chained(previous, entry)
        if before != previous or expected != line.rstrip("\n"):
            return place
        previous = own
    return None
