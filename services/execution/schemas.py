"""What the execution API shows."""

from datetime import datetime

from libs.contracts.execution import ExecutionStatus, TaskStatus
from libs.kit.service import Row, Schema
from services.execution.domain import LogStatus, ScriptType


class ExecutionOut(Row):
    """One line of the list of executions."""

    id: str
    execution_id: str
    name: str
    status: ExecutionStatus
    script_type: ScriptType
    trigger: str
    user_id: int
    username: str
    task_total: int
    counts: dict[TaskStatus, int]
    version: int
    cancel_requested_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None


class TaskOut(Row):
    """One step on one host."""

    id: str
    step_id: str
    host_id: int
    host_name: str
    ip_address: str
    agent_id: str | None
    status: TaskStatus
    attempt: int
    exit_code: int | None
    signal: int | None
    reason: str | None
    detail: str | None
    not_after: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    stdout_bytes: int
    stderr_bytes: int
    log_status: LogStatus
    late_outcome: dict[str, object] | None


class StepOut(Row):
    """A step with what it runs and, in a detail, its tasks."""

    id: str
    name: str
    order: int
    status: ExecutionStatus
    counts: dict[TaskStatus, int]
    script_type: ScriptType
    script_content: str
    script_sha256: str
    args: list[str]
    env: dict[str, str]
    run_as: str | None
    cwd: str | None
    timeout_seconds: int
    tasks: list[TaskOut]


class ExecutionDetail(ExecutionOut):
    """An execution with its steps and at most the first 1,000 tasks of each."""

    cancel_reason: str | None
    script_content: str
    timeout_seconds: int
    args: list[str]
    env: dict[str, str]
    run_as: str | None
    cwd: str | None
    steps: list[StepOut]
    tasks_total: int


class CancelIn(Schema):
    """Why somebody cancels; shown in the record."""

    reason: str | None = None


class CancelOut(Row):
    """What a cancel did at once and what it has asked the hosts to do."""

    execution_id: str
    status: ExecutionStatus
    cancelled: int
    cancelling: int
