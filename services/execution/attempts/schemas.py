"""What the API shows of an earlier attempt."""

from datetime import datetime

from libs.contracts.execution import TaskStatus
from libs.kit.service import Row
from services.execution.domain import LogStatus


class AttemptOut(Row):
    """How an attempt ended; the newest attempt is the task itself."""

    attempt: int
    status: TaskStatus
    exit_code: int | None
    signal: int | None
    reason: str | None
    detail: str | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    log_status: LogStatus
    late_outcome: dict[str, object] | None
