"""What an agent's report means for a task; pure, so that duplicates and reorderings can be tried.

R29: applying reports again, or in another order, leaves the same final state.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from libs.contracts.execution import TaskStatus
from libs.kit.ed25519 import is_signed
from services.execution.domain import ON_HOST, TERMINAL

RESULT_PURPOSE = b"opsjob/result/v1\0"
"""What an agent signs is this prefix and the exact text of the payload, so that a signature
made for a result can serve for nothing else."""

PLAIN_SUCCESS = frozenset({0})
Count = Annotated[int, Field(ge=0, le=2**53)]


class StreamTotal(BaseModel):
    """What the script wrote to one stream: chunks sent, bytes and their SHA-256."""

    model_config = ConfigDict(extra="ignore", strict=True)

    seq: Count
    bytes: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    """None when the agent itself does not know it any more, as after a loss."""


class Streams(BaseModel):
    """Both streams."""

    model_config = ConfigDict(extra="ignore", strict=True)

    stdout: StreamTotal
    stderr: StreamTotal


class Notice(BaseModel):
    """Something that did not change the end; `name` says of what."""

    model_config = ConfigDict(extra="ignore", strict=True)

    code: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=256)] = ""


class ResultPayload(BaseModel):
    """The signed words of an agent about the end of an attempt; times are informational."""

    model_config = ConfigDict(extra="ignore", strict=True)

    task_id: str
    attempt: Count
    epoch: Count
    agent_id: str
    outcome: Literal["exited", "timeout", "cancelled", "failed_to_start", "lost"]
    exit_code: Annotated[int, Field(ge=0, le=2**32)] | None
    signal: Annotated[int, Field(ge=1, le=128)] | None
    reason: Annotated[str, Field(max_length=500)] | None
    duration_ms: Count | None
    started_at: str | None = None
    streams: Streams
    processes: dict[str, Count] | None = None
    outputs: Annotated[dict[str, str], Field(max_length=256)] = Field(default_factory=dict)
    warnings: Annotated[list[Notice], Field(max_length=100)] = Field(default_factory=list)

    def noticed(self) -> str | None:
        """What people should know besides the outcome, as one line."""
        said = [f"{one.code} {one.name}".strip() for one in self.warnings]
        return "; ".join(said)[:500] or None

    def extras(self) -> dict[str, object]:
        """What few results have: values for later steps, and processes that outlived the script."""
        left = self.processes if self.processes and any(self.processes.values()) else None
        if not left and not self.outputs:
            return {}
        return {"passed": self.outputs or None, "counted": left}

    def began(self) -> datetime | None:
        """When it ran; a script that is over at once has no report of its start."""
        never = self.outcome in {"failed_to_start", "lost"}
        return None if never else moment(self.started_at)


Message = Mapping[str, object]


class ReportRefused(Exception):
    """A report that must change nothing; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A task as far as a report is concerned."""

    status: TaskStatus
    attempt: int
    epoch: int
    agent_id: str | None
    boot_id: str | None
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """An agent asks to start an attempt on its present boot."""

    task_id: str
    attempt: int
    agent_id: str
    boot_id: str
    session_id: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a claim: a grant with its epoch, or a refusal with its reason."""

    granted: bool
    epoch: int = 0
    reason: str = ""
    changes: bool = False
    """Whether the row moves: to claimed for a grant, to lost for a claim after a reboot."""


def judge_claim(task: Standing | None, claim: Claim, now: datetime) -> Verdict:
    """Whether an attempt may start (R7, R9); the same claim gets the same grant again (F6)."""
    if task is None or task.agent_id != claim.agent_id or task.attempt != claim.attempt:
        return Verdict(granted=False, reason="unknown_task")
    if task.status in TERMINAL:
        return Verdict(granted=False, reason=str(task.status))
    if task.status in {TaskStatus.CLAIMED, TaskStatus.RUNNING}:
        if task.boot_id == claim.boot_id:
            return Verdict(granted=True, epoch=task.epoch)
        return Verdict(granted=False, reason="host_rebooted", changes=True)
    if task.status != TaskStatus.OFFERED:
        return Verdict(granted=False, reason="not_offered")
    if task.not_after <= now:
        return Verdict(granted=False, reason="expired")
    return Verdict(granted=True, epoch=task.epoch + 1, changes=True)


def read_result(
    payload: str, signature: str, *, public_key: str | None, agent_id: str
) -> ResultPayload:
    """The content of a signed result; refused unless this agent's key signed these bytes (S8)."""
    try:
        statement = RESULT_PURPOSE + payload.encode()
    except UnicodeEncodeError:
        raise ReportRefused("bad_signature") from None
    if not is_signed(public_key or "", signature, statement):
        raise ReportRefused("bad_signature")
    try:
        result = ResultPayload.model_validate(_strict_json(payload))
    except (ValidationError, ValueError, RecursionError):
        raise ReportRefused("bad_payload") from None
    if result.agent_id != agent_id:
        raise ReportRefused("not_its_agent")
    return result


def _strict_json(text: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("duplicate key")
        return found

    return json.loads(text, object_pairs_hook=unique)


def status_of_refusal(reason: str) -> TaskStatus:
    """What an agent's refusal makes of a task that it was offered.

    A journal that knows the attempt, or cannot tell, leaves its end unknown; `cancelled` says that
    it was asked to stop what had not started.
    """
    if reason in ("already_ran", "damaged"):
        return TaskStatus.LOST
    return TaskStatus.CANCELLED if reason == "cancelled" else TaskStatus.REJECTED


def final_status(
    result: ResultPayload, success_codes: frozenset[int] = PLAIN_SUCCESS
) -> TaskStatus:
    """The state that a result stands for; only an exit code of the step's set is a success (R11).

    An exited script with a reason has failed whatever its code, as one whose output was too long.
    """
    match result.outcome:
        case "exited" if result.exit_code in success_codes and result.signal is None:
            return TaskStatus.FAILED if result.reason else TaskStatus.SUCCESS
        case "exited" | "failed_to_start":
            return TaskStatus.FAILED
        case "timeout":
            return TaskStatus.TIMEOUT
        case "cancelled":
            return TaskStatus.CANCELLED
        case "lost":
            return TaskStatus.LOST


def missing_from_journal(
    task: Standing, session_id: str | None, connected: Mapping[str, str], known: Mapping[str, str]
) -> str | None:
    """Why a task on a host is lost according to the journal that its agent has just shown.

    `connected` has the session and boot of the agent's hello, `known` the states of the tasks in
    its journal by id. A task granted within this very session is younger than the list, and so is
    one of a later session: the hello was held up on its way, by a gateway without Redis or a reader
    that died (R29). Ids of sessions sort by the time at which they began.
    """
    if session_id is not None and session_id >= connected["session_id"]:
        return None
    state = known.get("state")
    if state == "damaged":
        return "journal_damaged"
    if state is not None:
        return None
    if task.boot_id != connected["boot_id"]:
        return "host_rebooted"
    return "not_in_journal" if task.status == TaskStatus.RUNNING else None


def moment(text: str | None) -> datetime | None:
    """A reported instant, or None when it makes no sense; never used to decide anything."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else None


def number(value: object) -> int:
    """A whole number of a message, or -1."""
    return value if isinstance(value, int) else -1


def text_of(value: object) -> str | None:
    """A text of a message, or None."""
    return value if isinstance(value, str) else None


def claim_of(message: Message) -> Claim:
    """The claim in a message; agent, boot and session are the gateway's own words."""
    return Claim(
        task_id=str(message["task_id"]),
        attempt=number(message["attempt"]),
        agent_id=str(message["agent_id"]),
        boot_id=str(message["boot_id"]),
        session_id=text_of(message.get("session_id")),
    )


def journal_of(message: Message) -> dict[tuple[str, int], dict[str, str]]:
    """The states of the attempts that an agent listed in its hello, by task and attempt."""
    listed = message.get("tasks")
    found: dict[tuple[str, int], dict[str, str]] = {}
    for item in listed if isinstance(listed, list) else []:
        found[str(item["task_id"]), int(item["attempt"])] = {"state": str(item["state"])}
    return found


# ---- whose report it is ----------------------------------------------------------------------

FORGERIES = frozenset({"bad_signature", "bad_payload", "not_its_agent", "not_its_task"})
"""Results that no honest agent sends about a task that exists."""


OTHER_AGENT = "report_for_other_agent"


class Reported(Protocol):
    """A task that a report names."""

    @property
    def id(self) -> str: ...
    @property
    def public_key(self) -> str | None: ...
    @property
    def standing(self) -> Standing: ...


T = TypeVar("T", bound=Reported)


def is_past(tasks: Mapping[str, T], message: Message) -> bool:
    """Whether a result is about an attempt after which another has begun."""
    task = tasks.get(str(message["task_id"]))
    return task is not None and number(message["attempt"]) < task.standing.attempt


def own(tasks: Mapping[str, T], message: Message) -> T | None:
    """The task of a message, if it is this agent's and this attempt's (S10, B91)."""
    task = tasks.get(str(message["task_id"]))
    if task is None or task.standing.agent_id != message["agent_id"]:
        return None
    return task if task.standing.attempt == message["attempt"] else None


def read_of(task: Reported, message: Message) -> ResultPayload:
    """The result in a message about a task of its sender; raises ReportRefused."""
    if task.standing.agent_id != message["agent_id"]:
        raise ReportRefused("not_its_task")
    return read_result(
        str(message.get("payload")),
        str(message.get("signature")),
        public_key=task.public_key,
        agent_id=str(message["agent_id"]),
    )


def verified(tasks: Mapping[str, T], message: Message) -> tuple[T, ResultPayload]:
    """The task of a result and what its agent signed about it; raises ReportRefused."""
    task = own(tasks, message)
    if task is None:
        raise ReportRefused("not_its_task")
    result = read_of(task, message)
    standing = task.standing
    if result.task_id != task.id or result.attempt != standing.attempt:
        raise ReportRefused("not_its_task")
    granted = standing.status in ON_HOST or standing.status in TERMINAL
    if not granted or result.epoch != standing.epoch:
        raise ReportRefused("not_granted")
    return task, result
