"""What an execution consists of when it is accepted; rules for the texts in it. Pure."""

import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from random import Random

from libs.contracts.hosts import HostTarget
from services.execution.consents.service import Wanted
from services.execution.domain import ScriptType, StepKind, Strategy
from services.execution.rules.domain import Finding
from services.execution.variables.service import NOTHING, Frozen

MAX_SCRIPT_BYTES = 512 * 1024
MAX_ARGUMENT_BYTES = 128 * 1024 - 1
"""What Linux accepts as one argument or environment string (MAX_ARG_STRLEN), execve(2)."""
MAX_TASKS = 100_000
"""Steps times hosts of one execution."""
SHOWN_HOSTS = 20
SHOWN_STEPS = 20
"""Of so many hosts and steps the audit log says the names; of all, how many they are."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_RESERVED = re.compile(
    r"(LD_|PYTHON|PERL|NODE_|RUBY|OPSJOB_|BASH_|GO)"
    r"|(PATH|IFS|ENV|PS4|SHELLOPTS|GCONV_PATH|PROMPT_COMMAND|HOME|USER|LOGNAME|SHELL)\Z"
)
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z")


class Mode(StrEnum):
    """Whether hosts start together, one by one, or in batches."""

    PARALLEL = "parallel"
    SERIAL = "serial"
    ROLLING = "rolling"


class HostOrder(StrEnum):
    """Which host comes first."""

    REQUEST = "request"
    NAME = "name"
    IP = "ip"
    RANDOM = "random"
    RANK = "rank"


class ExecutionType(StrEnum):
    """What was started, for lists and filters."""

    QUICK_SCRIPT = "quick_script"
    QUICK_FILE_TRANSFER = "quick_file_transfer"
    JOB_WORKFLOW = "job_workflow"
    SCHEDULED_JOB = "scheduled_job"


@dataclass(frozen=True)
class StepPlan:
    """A step, complete: nothing of it is looked up again later (R5). `hosts` are in run order.

    Empty hosts belong to a confirmation, or to a step whose `targets` say `hosts_of`.
    """

    name: str
    kind: StepKind = StepKind.SCRIPT
    script_type: str = ScriptType.SHELL
    script: str = ""
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    run_as: str | None = None
    cwd: str | None = None
    timeout_seconds: int = 300
    retries: int = 0
    retry_delay_seconds: int = 0
    ignore_error: bool = False
    success_codes: Sequence[int] = (0,)
    condition: Mapping[str, object] | None = None
    on_failure: str | None = None
    is_handler: bool = False
    targets: Mapping[str, object] = field(default_factory=dict)
    payload: Mapping[str, object] = field(default_factory=dict)
    hosts: Sequence[HostTarget] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the engine has nothing to decide about it."""
        return (
            self.kind != StepKind.CONFIRM
            and not self.retries
            and not self.ignore_error
            and self.condition is None
            and bool(self.hosts)
        )


@dataclass(frozen=True)
class Lineage:
    """Of which execution a new one is a repetition."""

    parent_id: str
    root_id: str
    retry_count: int
    retry_type: str
    reason: str | None


@dataclass(frozen=True)
class Client:
    """Where a request came from, for the record."""

    ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True)
class Plan:
    """An execution before it has an id, with everything resolved and frozen."""

    name: str
    steps: Sequence[StepPlan]
    execution_type: str = ExecutionType.QUICK_SCRIPT
    strategy: Strategy = field(default_factory=Strategy)
    variables: Frozen = NOTHING
    description: str | None = None
    priority: int = 5
    start_seconds: int | None = None
    trigger: str = "manual"
    scheduled_job_id: int | None = None
    lineage: Lineage | None = None
    client: Client = Client()
    findings: Sequence[Finding] = ()
    """What rules about commands found in it."""
    wanted: Sequence[Wanted] = ()
    """Whose consent it waits for, by the rules."""
    confirmed_hosts: int | None = None
    """On how many hosts it runs, as the caller was made to say."""

    @property
    def is_plain(self) -> bool:
        """Whether all its tasks may start at once and only their results are left to count."""
        if self.wanted:
            return False
        return len(self.steps) == 1 and self.steps[0].is_plain and self.strategy.is_plain

    @property
    def task_total(self) -> int:
        """The tasks that exist from the start."""
        return sum(len(step.hosts) for step in self.steps)


def hosts_by_step(plan: Plan) -> dict[str, Sequence[HostTarget]]:
    """The hosts that each step may come to: its own, or those of the step that names them."""
    hosts: dict[str, Sequence[HostTarget]] = {}
    for step in plan.steps:
        earlier = step.targets.get("hosts_of")
        named = str(earlier["step"]) if isinstance(earlier, dict) else ""
        hosts[step.name] = step.hosts or hosts.get(named, ())
    return hosts


def accounted(plan: Plan) -> dict[str, object]:
    """What the audit log says about a run: what, where and as whom; scripts by their checksum."""
    hosts = {host.host_id: host.name for step in plan.steps for host in step.hosts}
    return {
        "execution_type": plan.execution_type,
        "trigger": plan.trigger,
        "tasks": plan.task_total,
        "host_count": len(hosts),
        "hosts": [f"{name} ({host_id})" for host_id, name in islice(hosts.items(), SHOWN_HOSTS)],
        "steps": [
            {
                "name": step.name,
                "kind": step.kind,
                "script_type": step.script_type,
                "script_sha256": hashlib.sha256(step.script.encode()).hexdigest(),
                "run_as": step.run_as,
            }
            for step in plan.steps[:SHOWN_STEPS]
        ],
        "step_count": len(plan.steps),
        "secret_names": sorted(plan.variables.secrets),
        "rules": sorted({one.rule for one in plan.findings}),
        "repeats": plan.lineage.parent_id if plan.lineage else None,
    }


def in_order(
    hosts: Sequence[HostTarget], order: HostOrder, ranks: Mapping[str, int], random: Random
) -> list[HostTarget]:
    """The hosts in the order in which they are to start; equal ones stay as they were named."""
    match order:
        case HostOrder.NAME:
            return sorted(hosts, key=lambda host: host.name)
        case HostOrder.IP:
            return sorted(hosts, key=lambda host: _address(host.ip_address))
        case HostOrder.RANDOM:
            return random.sample(hosts, len(hosts))
        case HostOrder.RANK:
            return sorted(hosts, key=lambda host: ranks.get(str(host.host_id), 2**31))
        case HostOrder.REQUEST:
            return list(hosts)


def _address(text: str) -> tuple[int, int, str]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return 9, 0, text
    return address.version, int(address), text


# ---- texts -----------------------------------------------------------------------------------


def argument(value: str) -> str:
    """An argument or value that the host's system can take; ValueError otherwise."""
    if len(value.encode()) > MAX_ARGUMENT_BYTES:
        raise ValueError(f"must have at most {MAX_ARGUMENT_BYTES} bytes")
    return value


def environment(value: dict[str, str]) -> dict[str, str]:
    """Environment variables whose names change nothing about how programs start."""
    for name in value:
        if not _VARIABLE.match(name):
            raise ValueError("variable names consist of letters, digits and underscores")
        if _RESERVED.match(name):
            raise ValueError(f"the variable {name} would change how programs start; choose another")
    return value


def account(value: str) -> str:
    """The name of an account on a host."""
    if not _ACCOUNT.match(value):
        raise ValueError("must be the name of an account: letters, digits, dot, dash, underscore")
    return value


def script(value: str) -> str:
    """A script that is neither empty nor too large."""
    if not value.strip():
        raise ValueError("must not be empty")
    if len(value.encode()) > MAX_SCRIPT_BYTES:
        raise ValueError(f"must have at most {MAX_SCRIPT_BYTES} bytes")
    return value


def directory(value: str) -> str:
    """An absolute path without steps upwards."""
    if not value.startswith("/") or ".." in value.split("/"):
        raise ValueError("must be an absolute path without ..")
    return value
