"""The rules of an execution's life; knows no database, no network and no clock."""

import base64
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.contracts.execution import ExecutionStatus, StepStatus, TaskStatus


class ScriptType(StrEnum):
    """The language of a script; it decides the interpreter, never the content does."""

    SHELL = "shell"
    PYTHON = "python"
    JAVASCRIPT = "javascript"
    PERL = "perl"
    POWERSHELL = "powershell"
    GO = "go"


class PauseReason(StrEnum):
    """Why an execution starts nothing new. People end `user` and `threshold` by resuming."""

    USER = "user"
    THRESHOLD = "threshold"
    CONFIRMATION = "confirmation"
    BATCH = "batch"
    APPROVAL = "approval"
    """Others have not agreed yet; nobody can resume it, and nothing of it has ever started."""


STICKY = frozenset({PauseReason.USER, PauseReason.THRESHOLD, PauseReason.APPROVAL})
"""Pauses that stay until somebody resumes or approves; the others follow from the steps."""


class RuleAction(StrEnum):
    """What follows when a rule about commands finds something."""

    WARN = "warn"
    """It is kept with the execution and shown."""
    APPROVE = "approve"
    """The execution waits until others have agreed to exactly this."""
    BLOCK = "block"
    """Nothing is stored or run."""


class ConsentState(StrEnum):
    """How the consent stands that an execution waits for."""

    NEW = "new"
    """Auth was not asked yet."""
    ASKED = "asked"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


AWAITED = frozenset({ConsentState.NEW, ConsentState.ASKED})


class StepKind(StrEnum):
    """What a step does."""

    SCRIPT = "script"
    PUSH = "push"
    COLLECT = "collect"
    CONFIRM = "confirm"


class LogStatus(StrEnum):
    """What is known about a task's output."""

    NONE = "none"
    """The task never started."""
    LIVE = "live"
    """More may come."""
    COMPLETE = "complete"
    """Length and SHA-256 of both streams equal what the agent's signed result says."""
    GAP = "gap"
    """Something is missing, and the record says where."""
    EXPIRED = "expired"
    """Retention has taken the output away; the record of the task stays."""


HELD = frozenset({TaskStatus.PENDING})
"""Not yet reached by the engine: nothing is offered, and no limit counts it."""
WAITING = frozenset({TaskStatus.QUEUED, TaskStatus.OFFERED})
ON_HOST = frozenset({TaskStatus.CLAIMED, TaskStatus.RUNNING})
OPEN = HELD | WAITING | ON_HOST
TERMINAL = frozenset(TaskStatus) - OPEN
BROKEN_TASKS = frozenset(
    {
        TaskStatus.FAILED,
        TaskStatus.REJECTED,
        TaskStatus.TIMEOUT,
        TaskStatus.LOST,
        TaskStatus.EXPIRED,
        TaskStatus.CANCELLED,
    }
)
BROKEN_STEPS = frozenset(
    {
        StepStatus.FAILED,
        StepStatus.CANCELLED,
        StepStatus.TIMEOUT,
        StepStatus.LOST,
        StepStatus.EXPIRED,
    }
)
ENDED_STEPS = BROKEN_STEPS | {StepStatus.SUCCESS, StepStatus.SKIPPED}

RETRYABLE = frozenset({TaskStatus.FAILED, TaskStatus.TIMEOUT})
"""States that only a signed result gives: the evidence without which nothing is repeated (R13)."""

ERRORS_IGNORED = "errors_ignored"
FAILURES_TOLERATED = "failures_tolerated"
FAILURE_THRESHOLD = "failure_threshold"
EARLIER_STEP_FAILED = "earlier_step_failed"
DECLINED = "declined"
CONFIRMED = "confirmed"

WORST_FIRST = (
    (TaskStatus.CANCELLED, ExecutionStatus.CANCELLED),
    (TaskStatus.FAILED, ExecutionStatus.FAILED),
    (TaskStatus.REJECTED, ExecutionStatus.FAILED),
    (TaskStatus.TIMEOUT, ExecutionStatus.TIMEOUT),
    (TaskStatus.LOST, ExecutionStatus.LOST),
    (TaskStatus.EXPIRED, ExecutionStatus.EXPIRED),
)


def execution_status(counts: Mapping[TaskStatus, int]) -> ExecutionStatus:
    """The state of a plain execution (or its step) whose tasks are in these states; R12.

    While a task is open the execution is pending (none was ever on a host) or running. After
    that the worst outcome names it: cancelled, failed, timeout, lost, expired, success.
    """
    present = {status for status, count in counts.items() if count}
    if present & OPEN:
        return ExecutionStatus.PENDING if present <= HELD | WAITING else ExecutionStatus.RUNNING
    for task_status, status in WORST_FIRST:
        if task_status in present:
            return status
    return ExecutionStatus.SUCCESS


def is_finished(status: ExecutionStatus) -> bool:
    """Whether a state of an execution never changes again."""
    return status not in {ExecutionStatus.PENDING, ExecutionStatus.RUNNING, ExecutionStatus.PAUSED}


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many failed hosts of a step are tolerated, and what one more does.

    Exactly one of `hosts` and `percent` is set. `explicit` is False for the default of batches:
    stop at the first failed host, which is then a failure of the step.
    """

    action: str
    hosts: int | None = None
    percent: float | None = None
    explicit: bool = True

    def exceeded(self, failures: int, total: int) -> bool:
        """Whether so many failures among so many hosts are too many."""
        if self.hosts is not None:
            return failures > self.hosts
        return failures * 100 > (self.percent or 0.0) * total


@dataclass(frozen=True, slots=True)
class Strategy:
    """How the hosts of a step follow each other; as JSON in `executions.strategy`.

    `batches` are sizes such as `10` or `50%`, the last one again and again; none means all at once.
    `confirm_between`: none, first (after the first batch) or each.
    """

    mode: str = "parallel"
    concurrency: int | None = None
    batches: tuple[str, ...] = ()
    batch_delay_seconds: float = 0.0
    confirm_between: str = "none"
    threshold: Threshold | None = None

    @classmethod
    def of(cls, stored: Mapping[str, object]) -> "Strategy":
        """Read what `stored` gave."""
        known = dict(stored)
        threshold = known.pop("threshold", None)
        sizes = known.pop("batches", ())
        assert isinstance(sizes, list | tuple)
        assert threshold is None or isinstance(threshold, dict)
        return cls(
            **known,  # type: ignore[arg-type]  # written by `stored` alone
            batches=tuple(str(size) for size in sizes),
            threshold=Threshold(**threshold) if threshold else None,
        )

    def stored(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self) | {"batches": list(self.batches)}

    @property
    def is_plain(self) -> bool:
        """Whether all hosts may start at once and nothing is watched in between."""
        return self == Strategy()

    def batch_of_each(self, total: int) -> list[int]:
        """The batch, from 1, of each of so many hosts in their order."""
        numbers: list[int] = []
        while len(numbers) < total:
            done = numbers[-1] if numbers else 0
            size = total
            if self.batches:
                size = batch_size(self.batches[min(done, len(self.batches) - 1)], total)
            numbers += [done + 1] * min(size, total - len(numbers))
        return numbers


def batch_size(text: str, total: int) -> int:
    """How many hosts `10` or `50%` are of a total; a percentage is rounded up, at least 1."""
    if text.endswith("%"):
        return max(1, -(-total * int(text[:-1]) // 100))
    return max(1, int(text))


def holds(
    condition: Mapping[str, object],
    step_is: Callable[[str, str], bool],
    variables: Mapping[str, object],
) -> bool:
    """Whether a condition is true. `step_is` answers for a step's name and a word about it.

    Unknown steps and variables make a comparison false.
    """
    if "all" in condition:
        return all(holds(part, step_is, variables) for part in _parts(condition["all"]))
    if "any" in condition:
        return any(holds(part, step_is, variables) for part in _parts(condition["any"]))
    if "not" in condition:
        return not any(holds(part, step_is, variables) for part in _parts([condition["not"]]))
    if "step" in condition:
        return step_is(str(condition["step"]), str(condition.get("is")))
    return _compares(condition, variables)


def _parts(value: object) -> Iterable[Mapping[str, object]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _compares(condition: Mapping[str, object], variables: Mapping[str, object]) -> bool:
    name = condition.get("variable")
    if not isinstance(name, str) or name not in variables:
        return False
    value = as_text(variables[name])
    if "equals" in condition:
        return value == as_text(condition["equals"])
    if "not_equals" in condition:
        return value != as_text(condition["not_equals"])
    allowed = condition.get("in")
    return isinstance(allowed, list) and value in {as_text(one) for one in allowed}


def as_text(value: object) -> str:
    """A variable's value as a script would see it; booleans are `true` and `false`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


# ---- sealing to an agent ---------------------------------------------------------------------

_PURPOSE = b"opsjob/sealed/v1"
_VERSION = b"\x01"


def seal_to_agent(
    plain: str,
    sealing_key: str,
    *,
    task_id: str,
    attempt: int,
    name: str,
    sender: X25519PrivateKey | None = None,
    nonce: bytes | None = None,
) -> str:
    """A value that only the agent with this key can read, for this variable of this attempt.

    The form is that of `libs.protocol.sealing`. Sender's key and nonce are fresh random ones;
    only tests give them.
    """
    receiver = base64.b64decode(sealing_key)
    sender = sender or X25519PrivateKey.generate()
    nonce = nonce or os.urandom(12)
    public = sender.public_key().public_bytes_raw()
    shared = sender.exchange(X25519PublicKey.from_public_bytes(receiver))
    key = HKDF(SHA256(), 32, salt=public + receiver, info=_PURPOSE).derive(shared)
    place = f"opsjob/sealed/v1|{task_id}|{attempt}|{name}".encode()
    return base64.b64encode(
        _VERSION + public + nonce + AESGCM(key).encrypt(nonce, plain.encode(), place)
    ).decode()
