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
    """Where one step on one host stands."""

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
