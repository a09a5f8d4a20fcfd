"""How an execution is repeated, and what is shown of the chain."""

from datetime import datetime
from typing import Literal, Self

from pydantic import model_validator

from libs.contracts.execution import ExecutionStatus
from libs.kit.service import Row, Schema
from services.execution.control.schemas import Id, Reason
from services.execution.plans.schemas import ConfirmedCount


class RetryIn(Schema):
    """What is repeated: everything, one step, or everything on the hosts that failed.

    With `step_id` only that step is run again; `failed_only` then means its failed hosts.
    """

    retry_type: Literal["full", "step", "failed_only"] = "full"
    step_id: Id | None = None
    reason: Reason | None = None
    confirmed_host_count: ConfirmedCount = None
    """On how many hosts it runs; see an execution of many steps."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.retry_type == "step" and self.step_id is None:
            raise ValueError("name the step")
        if self.retry_type == "full" and self.step_id is not None:
            raise ValueError("full repeats all steps")
        return self


class RetryOf(RetryIn):
    """A request with the execution that it is about, for the key that makes it recognisable."""

    execution_id: str


class RetryOut(Row):
    """The new record; it is stored and will run."""

    execution_id: str
    id: str
    status: ExecutionStatus
    task_count: int
    created: bool
    parent_id: str
    root_id: str
    retry_count: int


class ChainOut(Row):
    """One execution of a chain."""

    execution_id: str
    name: str
    status: ExecutionStatus
    parent_id: str | None
    retry_count: int
    retry_type: str | None
    retry_reason: str | None
    is_latest: bool
    trigger: str
    user_id: int
    username: str
    task_total: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class HistoryOut(Row):
    """The first execution and all that repeat it, oldest first."""

    root_id: str
    total: int
    results: list[ChainOut]


class TraceOut(Row):
    """Where an execution comes from and what came of it: who or what started it, what it repeats,
    what repeats it, and the last ten runs of the same name.
    """

    execution_id: str
    execution_type: str
    trigger: str
    user_id: int
    username: str
    client_ip: str | None
    user_agent: str | None
    scheduled_job_id: int | None
    parent_id: str | None
    root_id: str
    retry_count: int
    is_latest: bool
    chain: list[ChainOut]
    recent: list[ChainOut]
