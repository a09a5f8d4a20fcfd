"""Steps as they were run, with their values, and their results."""

from datetime import datetime

from libs.contracts.execution import StepStatus, TaskStatus
from libs.kit.pagination import Page
from libs.kit.service import Row
from services.execution.domain import ScriptType, StepKind
from services.execution.variables.schemas import VariableOut


class StepContentOut(Row):
    """A step as its author wrote it and as one host was given it; secrets are asterisks.

    `problem` is why it could not be filled in for this host.
    """

    execution_id: str
    step_id: str
    name: str
    order: int
    kind: StepKind
    script_type: ScriptType
    script_content: str
    script_sha256: str
    args: list[str]
    env: dict[str, str]
    run_as: str | None
    cwd: str | None
    timeout_seconds: int
    payload: dict[str, object]
    host_id: int | None
    host_name: str | None
    rendered_script: str | None
    rendered_args: list[str] | None
    rendered_env: dict[str, str] | None
    rendered_cwd: str | None
    secrets: list[str]
    problem: str | None = None


class ProcessesOut(Row):
    """Processes that outlived their scripts: found, sent a signal, still there afterwards."""

    found: int
    signalled: int
    left: int


class HostResultOut(Row):
    """How a step went on one host."""

    task_id: str
    host_id: int
    host_name: str
    ip_address: str
    status: TaskStatus
    attempt: int
    exit_code: int | None
    signal: int | None
    reason: str | None
    detail: str | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    outputs: dict[str, object] | None
    processes: ProcessesOut | None
    late_outcome: dict[str, object] | None


class StepResultOut(Row):
    """The result of a step over all its hosts, and one page of the hosts.

    `exit_codes` counts hosts by exit code; durations are in milliseconds. `outputs` are the values
    that the step set for the whole execution.
    """

    execution_id: str
    step_id: str
    name: str
    order: int
    status: StepStatus
    reason: str | None
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[TaskStatus, int]
    exit_codes: dict[str, int]
    shortest_ms: int | None
    average_ms: int | None
    longest_ms: int | None
    processes: ProcessesOut
    outputs: dict[str, str]
    hosts: Page[HostResultOut]


class VariablesOut(Row):
    """Every name that the execution knows, and where its value came from."""

    execution_id: str
    variables: list[VariableOut]
