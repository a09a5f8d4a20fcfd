"""What others may know of executions."""

from enum import StrEnum
from typing import ClassVar

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
