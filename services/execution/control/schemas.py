"""What people send to control an execution, and what they are told."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from libs.contracts.execution import ExecutionStatus, StepStatus, TaskStatus
from libs.kit.service import Row, Schema
from libs.kit.text import storable
from services.execution.control.domain import Action

Reason = Annotated[str, Field(max_length=200), AfterValidator(storable)]
Id = Annotated[str, Field(min_length=1, max_length=36), AfterValidator(storable)]
HostId = Annotated[int, Field(ge=1, le=2**31 - 1)]


class OperationIn(Schema):
    """Why somebody does it; kept in the operation log."""

    reason: Reason | None = None


class ConfirmIn(Schema):
    """The answer to a confirmation step, or whether the next batch may start.

    `batch` says which batch had ended when the question was asked, so that a repeated answer is not
    taken for the answer to the next question.
    """

    approve: bool
    comment: Reason | None = None
    batch: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class IgnoreErrorIn(Schema):
    """Whose errors are to count no longer."""

    step_id: Id
    reason: Reason | None = None


class RetryStepIn(Schema):
    """Which hosts of a step are tried again: those that failed, all, or those named."""

    step_id: Id
    retry_type: Literal["failed_only", "all", "selected"] = "failed_only"
    host_ids: Annotated[list[HostId], Field(min_length=1, max_length=20_000)] | None = None
    reason: Reason | None = None
    confirmed_host_count: Annotated[int, Field(ge=1, le=20_000)] | None = None
    """On how many hosts it begins anew; 409 `count_unconfirmed` as for a new execution."""


class BulkStopIn(Schema):
    """Executions to stop, each as if it were stopped alone."""

    execution_ids: Annotated[list[Id], Field(min_length=1, max_length=1_000)]
    reason: Reason | None = None
    confirmed_execution_count: Annotated[int, Field(ge=1, le=1_000)] | None = None
    """How many they are; 409 `count_unconfirmed` where an installation wants that typed."""


class ControlOut(Row):
    """What is true now that the operation is done; hosts follow within seconds."""

    execution_id: str
    action: Action
    status: ExecutionStatus
    pause_reason: str | None = None


class StopOut(ControlOut):
    """How many tasks ended at once, and how many hosts were asked to stop."""

    cancelled: int
    cancelling: int


class TaskCancelOut(ControlOut):
    """The task after the operation; a host that was asked to stop says later how it ended."""

    task_id: str
    task_status: TaskStatus
    cancel_requested: bool


class StepControlOut(ControlOut):
    """The step after the operation."""

    step_id: str
    step_status: StepStatus
    step_reason: str | None = None
    tasks: int | None = None
    """How many tasks begin anew."""


class BulkStopItem(Row):
    """What became of one execution of many; `error` and `message` say why nothing did."""

    execution_id: str
    success: bool
    status: ExecutionStatus | None = None
    cancelled: int = 0
    cancelling: int = 0
    error: str | None = None
    message: str | None = None


class BulkStopOut(Row):
    """One item for each execution, in the order of the request."""

    stopped: int
    failed: int
    results: list[BulkStopItem]


class OperationOut(Row):
    """One line of the operation log."""

    id: str
    execution_id: str
    step_id: str | None
    task_ids: list[str] | None
    action: Action
    user_id: int
    username: str
    reason: str | None
    detail: dict[str, object]
    client_ip: str | None
    created_at: datetime
