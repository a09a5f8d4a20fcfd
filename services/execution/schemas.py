"""What the execution API shows."""

from datetime import datetime

from pydantic import Field

from libs.contracts.execution import ExecutionStatus, StepStatus, TaskStatus
from libs.kit.service import Choice, Row, Schema
from services.execution.domain import (
    ConsentState,
    LogStatus,
    PauseReason,
    RuleAction,
    ScriptType,
    StepKind,
)


class ListQuery(Schema):
    """Which executions are wanted; an absent field excludes nothing.

    `start_date` and `end_date` are about when they were accepted, the end not included. With
    `include_retries` false only the newest of a chain of re-runs is listed.
    """

    status: list[Choice[ExecutionStatus]] = Field(default_factory=list, max_length=9)
    search: str | None = None
    name: str | None = None
    execution_type: str | None = None
    executed_by: int | None = None
    scheduled_job_id: int | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    include_retries: bool = True


class ExecutionOut(Row):
    """One line of the list of executions."""

    id: str
    execution_id: str
    name: str
    status: ExecutionStatus
    script_type: ScriptType
    trigger: str
    execution_type: str
    description: str | None
    priority: int
    user_id: int
    username: str
    task_total: int
    counts: dict[TaskStatus, int]
    version: int
    paused_at: datetime | None
    pause_reason: PauseReason | None
    next_at: datetime | None
    """When the engine looks again by itself: the end of a delay, or the expiry of a question."""
    cancel_requested_at: datetime | None
    parent_id: str | None
    root_id: str | None
    retry_count: int
    is_latest: bool
    scheduled_job_id: int | None
    client_ip: str | None
    user_agent: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None


class WaitsFor(Row):
    """Why a task has not started; `code` is stable, the sentences are for people."""

    code: str
    message: str
    message_zh: str


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
    batch_no: int
    not_before: datetime | None
    outputs: dict[str, object] | None
    progress: dict[str, object] | None
    processes: dict[str, int] | None
    waits_for: WaitsFor | None = None


class StepOut(Row):
    """A step with what it runs and, in a detail, its tasks."""

    id: str
    name: str
    order: int
    kind: StepKind
    status: StepStatus
    reason: str | None
    started_at: datetime | None
    finished_at: datetime | None
    batch_no: int
    batch_total: int
    batch_ready_at: datetime | None
    retries: int
    retry_delay_seconds: int
    ignore_error: bool
    success_codes: list[int]
    condition: dict[str, object] | None
    on_failure: str | None
    is_handler: bool
    targets: dict[str, object]
    payload: dict[str, object]
    skipped_by: int | None
    confirmed_by: int | None
    confirmed_at: datetime | None
    expires_at: datetime | None
    outputs: dict[str, object]
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


class FindingOut(Row):
    """What a rule about commands found in a step; lines count from 1, for scripts alone.

    `where` is script, args, env (values of variables) or run (a rule about anything that runs).
    """

    rule_id: int
    rule: str
    action: RuleAction
    step: str
    where: str
    lines: list[int]


class ConsentOut(Row):
    """An approval that an execution waits or waited for; `rules` are those that want it.

    `approver_names` are the people who may give it, at most twenty of them; `detail` says who
    declined it, and why.
    """

    approval_id: str
    state: ConsentState
    rules: list[str]
    approver_names: list[str]
    quorum: int
    detail: str | None
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None


class ExecutionDetail(ExecutionOut):
    """An execution with its steps and at most the first 1,000 tasks of each."""

    cancel_reason: str | None
    strategy: dict[str, object]
    script_content: str
    timeout_seconds: int
    args: list[str]
    env: dict[str, str]
    run_as: str | None
    cwd: str | None
    steps: list[StepOut]
    tasks_total: int
    findings: list[FindingOut]
    """What rules about dangerous commands found when it was accepted."""
    approvals: list[ConsentOut]
    """What it waits or waited for before anything started."""
