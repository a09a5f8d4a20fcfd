"""The attempts of tasks: first ones on hosts that an earlier step names, next ones, past ones."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, insert, null, select, update

from libs.contracts.execution import TaskStatus
from libs.kit.db import Transaction
from libs.kit.ids import new_id
from services.execution.domain import BROKEN_TASKS, RETRYABLE, LogStatus, Strategy
from services.execution.models import Execution, Step, Task, TaskAttempt

_ATTEMPT = (
    "status",
    "epoch",
    "exit_code",
    "signal",
    "reason",
    "detail",
    "started_at",
    "finished_at",
    "duration_ms",
    "log_status",
    "totals",
    "outputs",
    "processes",
    "late_outcome",
)
_HOST = (
    *("user_id", "host_id", "host_name", "ip_address", "agent_id", "public_key", "sealing_key"),
    "priority",
)
_FRESH = (
    "boot_id",
    "session_id",
    "exit_code",
    "signal",
    "reason",
    "detail",
    "offered_at",
    "claimed_at",
    "started_at",
    "finished_at",
    "seen_at",
    "cancel_at",
    "duration_ms",
    "totals",
    "late_outcome",
    "outputs",
    "progress",
    "processes",
    "stop_until",
)
"""What a new attempt does not inherit."""


class AttemptRepository:
    """Attempts inside one transaction; a task's row is its newest attempt."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def of(self, execution_id: str, task_id: str) -> Sequence[TaskAttempt]:
        """The earlier attempts of a task of an execution, oldest first."""
        return self._session.scalars(
            select(TaskAttempt)
            .join(Task, Task.id == TaskAttempt.task_id)
            .where(Task.id == task_id, Task.execution_id == execution_id)
            .order_by(TaskAttempt.attempt)
        ).all()

    def retry_due(self, step_id: str, version: int, wait: timedelta) -> None:
        """Queue the next attempt of what the step's retries allow and whose output is complete."""
        step = self._session.get_one(Step, step_id)
        ready = self._tx.now + timedelta(seconds=step.retry_delay_seconds)
        self._begin_anew(
            [
                Task.step_id == step_id,
                Task.status.in_(sorted(RETRYABLE)),
                Task.attempt <= step.retries,
                Task.log_status != LogStatus.LIVE,
            ],
            status=TaskStatus.QUEUED,
            not_before=ready if step.retry_delay_seconds else None,
            not_after=ready + wait,
            version=version,
        )

    def again(
        self,
        step_id: str,
        version: int,
        statuses: Collection[TaskStatus],
        task_ids: Sequence[str] | None = None,
    ) -> int:
        """Give ended tasks a pending next attempt because somebody wants it; returns how many."""
        where = [Task.step_id == step_id, Task.status.in_(sorted(statuses))]
        if task_ids is not None:
            where.append(Task.id.in_(task_ids))
        return self._begin_anew(where, status=TaskStatus.PENDING, not_before=None, version=version)

    def _begin_anew(self, where: Sequence[ColumnElement[bool]], **values: object) -> int:
        """Archive the present attempts of tasks and begin their next ones (R10)."""
        columns = [getattr(Task, name) for name in _ATTEMPT]
        self._session.execute(
            insert(TaskAttempt).from_select(
                ["task_id", "attempt", *_ATTEMPT],
                select(Task.id, Task.attempt, *columns).where(*where),
            )
        )
        return self._tx.changed(
            update(Task)
            .where(*where)
            .values(
                attempt=Task.attempt + 1,
                log_status=LogStatus.NONE,
                **values,
                **dict.fromkeys(_FRESH, null()),
            )
            .execution_options(synchronize_session=False)
        )

    def first(self, execution_id: str, step_id: str, version: int) -> tuple[int, int]:
        """Make the tasks of a step on the hosts where an earlier one succeeded or failed.

        Returns the number of batches and of tasks; a step without such hosts has none.
        """
        step = self._session.get_one(Step, step_id)
        wanted = step.targets.get("hosts_of")
        if not isinstance(wanted, dict):
            return 1, 0
        statuses = {TaskStatus.SUCCESS} if wanted["result"] == "success" else BROKEN_TASKS
        hosts = self._session.execute(
            select(*(getattr(Task, name) for name in _HOST))
            .join(Step, Step.id == Task.step_id)
            .where(
                Step.execution_id == execution_id,
                Step.name == str(wanted["step"]),
                Task.status.in_(sorted(statuses)),
                Task.agent_id.is_not(None),
            )
            .order_by(Task.id)
        ).all()
        if not hosts:
            return 1, 0
        strategy = Strategy.of(self._session.get_one(Execution, execution_id).strategy)
        batches = strategy.batch_of_each(len(hosts))
        rows = [
            {
                **dict(zip(_HOST, host, strict=True)),
                "id": new_id(),
                "execution_id": execution_id,
                "step_id": step_id,
                "status": TaskStatus.PENDING,
                "attempt": 1,
                "epoch": 0,
                "version": version,
                "batch_no": batch,
                "not_after": self._tx.now,
                "created_at": self._tx.now,
                "log_status": LogStatus.NONE,
            }
            for host, batch in zip(hosts, batches, strict=True)
        ]
        self._session.execute(insert(Task), rows)
        return batches[-1], len(rows)
