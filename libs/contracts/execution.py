"""What others may know of executions."""

from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from libs.kit.client import ServiceClient
from libs.kit.events import Event


class ExecutionStatus(StrEnum):
    """Where an execution stands; a pure function of the states of its tasks."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    LOST = "lost"
    EXPIRED = "expired"


class TaskStatus(StrEnum):
    """Where one step on one host stands.

    Open: pending (its step or batch has not been reached; never offered), queued, offered, claimed,
    running. All others are final for the attempt.
    """

    PENDING = "pending"
    QUEUED = "queued"
    OFFERED = "offered"
    CLAIMED = "claimed"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"
    EXPIRED = "expired"
    REJECTED = "rejected"
    SKIPPED = "skipped"


class StepStatus(StrEnum):
    """Where a step stands; a pure function of its tasks and of what people decided about it."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    """It waits for somebody's confirmation."""
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    LOST = "lost"
    EXPIRED = "expired"


class ExecutionAccepted(Event):
    """An execution and all its tasks are stored; nothing has started yet."""

    topic: ClassVar[str] = "execution"
    type: ClassVar[str] = "execution.execution_accepted"
    execution_id: str
    user_id: int
    tasks: int


class ExecutionFinished(Event):
    """Every task of an execution has reached a state that never changes."""

    topic: ClassVar[str] = "execution"
    type: ClassVar[str] = "execution.execution_finished"
    execution_id: str
    user_id: int
    status: ExecutionStatus


class ExecutionOperated(Event):
    """Somebody intervened in an execution: paused, resumed, stopped, confirmed, retried it."""

    topic: ClassVar[str] = "execution"
    type: ClassVar[str] = "execution.execution_operated"
    execution_id: str
    action: str
    user_id: int
    username: str
    detail: dict[str, str | int | bool | None]


class CollectedFile(BaseModel):
    """An archive that an agent brought for a task, checked against its checksum and kept.

    `is_new` is False when the content was kept before and the answer got lost: then only what the
    library has already is named again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_id: str
    attempt: int
    agent_id: str
    sha256: str
    size: int
    file_count: int
    is_new: bool


class ExecutionClient(ServiceClient):
    """Questions to execution; one to one with `services/execution/internal.py`."""

    service: ClassVar[str] = "execution"

    async def collected(self, file: CollectedFile) -> str:
        """Enters a collected archive into the library and returns its id; may be repeated.

        Raises NotFound `file_task_not_found` unless this agent has such a task, and Conflict
        `file_quota_exceeded` if it does not fit into what the task's user may keep.
        """
        content = await self._call(
            "POST", "/internal/execution/collected", json=file.model_dump(mode="json")
        )
        return str(content)
