"""Questions and changes about executions, steps and tasks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from libs.contracts.execution import ExecutionFinished, ExecutionStatus, TaskStatus
from libs.kit.db import Prepared, Transaction
from services.execution.domain import OPEN, LogStatus, execution_status, is_finished
from services.execution.models import Execution, IdempotencyKey, Step, Task, TaskLog
from services.execution.schemas import ListQuery

Counts = dict[TaskStatus, int]


class ExecutionRepository:
    """Executions with their steps and tasks, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    # ---- accept -------------------------------------------------------------------------

    def execution_of_key(self, user_id: int, key: str) -> tuple[bytes, str] | None:
        """The request hash and execution that a caller's key stands for."""
        row = self._session.execute(
            select(IdempotencyKey.body_sha256, IdempotencyKey.execution_id).where(
                IdempotencyKey.user_id == user_id, IdempotencyKey.key == key
            )
        ).first()
        return (row.body_sha256, row.execution_id) if row else None

    def take_key(self, user_id: int, key: str, *, body_sha256: bytes, execution_id: str) -> bool:
        """Bind a key to an execution; False when somebody else bound it first.

        On PostgreSQL the insert waits for a concurrent transaction with the same key, so exactly
        one of many parallel requests wins on both databases.
        """
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        result = self._session.execute(
            dialect.insert(IdempotencyKey)
            .values(
                user_id=user_id,
                key=key,
                body_sha256=body_sha256,
                execution_id=execution_id,
                created_at=self._tx.now,
            )
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.execution_id)
        )
        return result.first() is not None

    def forget_keys_before(self, moment: datetime) -> int:
        """Drop idempotency keys older than this; returns how many."""
        table = IdempotencyKey.__table__
        result = self._session.connection().execute(
            table.delete().where(table.c.created_at < moment)  # type: ignore[attr-defined]  # Table
        )
        return int(result.rowcount)

    def add(self, execution: Execution, step: Step, tasks: Sequence[dict[str, object]]) -> None:
        """Store an accepted execution; tasks go in as rows, ten times faster than as objects."""
        self._session.add(execution)
        self._session.flush()
        self._session.add(step)
        self._session.flush()
        self._session.execute(insert(Task), list(tasks))

    # ---- questions ----------------------------------------------------------------------

    def by_id(self, execution_id: str) -> Execution | None:
        """The execution, or None."""
        return self._session.get(Execution, execution_id)

    def reload(self, execution: Execution) -> None:
        """Read an execution again after a statement changed its row."""
        self._session.refresh(execution)

    def steps_of(self, execution_id: str) -> Sequence[Step]:
        """The steps in their order."""
        return self._session.scalars(
            select(Step).where(Step.execution_id == execution_id).order_by(Step.position)
        ).all()

    def counts_of(self, execution_ids: Iterable[str]) -> dict[str, Counts]:
        """How many tasks of each execution are in which state."""
        rows = self._session.execute(
            select(Task.execution_id, Task.status, func.count())
            .where(Task.execution_id.in_(list(execution_ids)))
            .group_by(Task.execution_id, Task.status)
        )
        counts: dict[str, Counts] = defaultdict(dict)
        for execution_id, status, count in rows:
            counts[execution_id][TaskStatus(status)] = count
        return counts

    def counts_of_steps(self, execution_id: str) -> dict[str, Counts]:
        """How many tasks of each step of an execution are in which state."""
        rows = self._session.execute(
            select(Task.step_id, Task.status, func.count())
            .where(Task.execution_id == execution_id)
            .group_by(Task.step_id, Task.status)
        )
        counts: dict[str, Counts] = defaultdict(dict)
        for step_id, status, count in rows:
            counts[step_id][TaskStatus(status)] = count
        return counts

    def head(self, execution_id: str) -> Row[*tuple[Any, ...]] | None:
        """The columns of an execution that move while it runs, or None."""
        found: Row[*tuple[Any, ...]] | None = self._tx.first(_HEAD, {"execution": execution_id})
        return found

    def states(self, execution_id: str) -> Counts:
        """How many tasks of an execution are in which state."""
        rows = self._tx.rows(_COUNTS, {"execution": execution_id})
        return {TaskStatus(state): count for state, count in rows}

    def page(
        self, wanted: ListQuery, seen: ColumnElement[bool], *, offset: int, limit: int
    ) -> tuple[int, Sequence[Execution]]:
        """Newest first, with the number of all that match among those that are seen."""
        where = [seen, *_matching(wanted)]
        total = self._session.scalar(select(func.count()).select_from(Execution).where(*where))
        rows = self._session.scalars(
            select(Execution)
            .where(*where)
            .order_by(Execution.id.desc())
            .offset(offset)
            .limit(limit)
        ).all()
        return total or 0, rows

    def tasks_page(
        self,
        execution_id: str,
        *,
        status: TaskStatus | None,
        offset: int,
        limit: int,
        step_id: str | None = None,
    ) -> tuple[int, Sequence[Task]]:
        """Tasks in the order of the request's hosts, with the number of all that match."""
        where = [Task.execution_id == execution_id]
        if status is not None:
            where.append(Task.status == status)
        if step_id is not None:
            where.append(Task.step_id == step_id)
        total = self._session.scalar(select(func.count()).select_from(Task).where(*where))
        rows = self._session.scalars(
            select(Task).where(*where).order_by(Task.id).offset(offset).limit(limit)
        ).all()
        return total or 0, rows

    def tasks_between(
        self, execution_id: str, after: int, upto: int, *, limit: int | None
    ) -> Sequence[Row[Any]]:
        """Tasks whose last change is in these versions of their execution, in that order.

        Rows of what `public_row` shows and their version, at a small part of the cost of objects.
        """
        values = {"execution": execution_id, "after": after, "upto": upto, "most": limit or EVERY}
        return self._tx.rows(_BETWEEN, values)

    def bytes_of(self, task_ids: Sequence[str]) -> dict[tuple[str, str], int]:
        """Stored bytes by task and stream, of each task's newest attempt."""
        rows = self._tx.rows(_SIZES, {"tasks": list(task_ids)})
        return {(task_id, stream): count for task_id, stream, count in rows}

    def is_over(self, execution_id: str) -> bool:
        """Whether its state never changes again; also when there is none."""
        found = self.head(execution_id)
        return found is None or is_finished(ExecutionStatus(found.status))

    def has_live_log(self, execution_id: str) -> bool:
        """Whether more output may still be stored."""
        return bool(self._tx.first(_LIVE_LOG, {"execution": execution_id}).is_live)

    def unclosed(self, limit: int) -> Sequence[str]:
        """Executions that are called open although none of their tasks is."""
        open_task = exists().where(
            Task.execution_id == Execution.id, Task.status.in_([str(s) for s in OPEN])
        )
        return self._session.scalars(
            select(Execution.id)
            .where(
                Execution.status.in_([ExecutionStatus.PENDING, ExecutionStatus.RUNNING]), ~open_task
            )
            .limit(limit)
        ).all()

    # ---- changes ------------------------------------------------------------------------

    def bump(self, execution_ids: Iterable[str]) -> None:
        """Raise the version of executions whose tasks are about to change.

        The row stays locked until the commit, so versions become visible in their order.
        """
        for execution_id in sorted(set(execution_ids)):  # one order for all: no deadlock
            self._tx.run(_BUMP, [{"execution": execution_id}])

    def version_of(self, execution_id: str) -> int:
        """The version as it is inside this transaction."""
        return int(
            self._session.scalar(select(Execution.version).where(Execution.id == execution_id)) or 0
        )

    def end(
        self,
        task_ids: Sequence[str] | None,
        *,
        status: TaskStatus,
        reason: str,
        only: Iterable[TaskStatus],
        version: int,
        execution_id: str | None = None,
    ) -> int:
        """Give tasks that are still in one of `only` a final state; returns how many.

        Either the tasks are named, or they are all those of one execution. A task that had
        started keeps what is stored of its output, which may now be incomplete.
        """
        where: list[ColumnElement[bool]] = [Task.status.in_([str(s) for s in only])]
        if task_ids is not None:
            where.append(Task.id.in_(task_ids))
        if execution_id is not None:
            where.append(Task.execution_id == execution_id)
        result = self._session.execute(
            update(Task)
            .where(*where)
            .values(status=status, reason=reason, finished_at=self._tx.now, version=version),
            execution_options={"synchronize_session": False},
        )
        return _rowcount(result)

    def ask_to_stop(self, execution_id: str, *, statuses: Iterable[TaskStatus]) -> int:
        """Mark tasks on hosts as to be stopped; returns how many were newly marked."""
        result = self._session.execute(
            update(Task)
            .where(
                Task.execution_id == execution_id,
                Task.status.in_([str(s) for s in statuses]),
                Task.cancel_at.is_(None),
            )
            .values(cancel_at=self._tx.now),
            execution_options={"synchronize_session": False},
        )
        return _rowcount(result)

    def close(self, execution_id: str) -> ExecutionStatus | None:
        """Derive a plain execution's state from its tasks, and tell the others when it has ended.

        None when it is not plain: then the engine knows its state, and nothing is changed here.
        """
        self._session.flush()
        before = self.head(execution_id)
        assert before is not None
        if not before.is_plain:
            return None
        states = self.states(execution_id)
        status, ended = execution_status(states), not (states.keys() & OPEN)
        started_at, finished_at = before.started_at, before.finished_at
        if status != ExecutionStatus.PENDING and started_at is None:
            started_at = self._tx.now
        if ended and finished_at is None:
            finished_at = self._tx.now
            self._tx.emit(
                ExecutionFinished(execution_id=execution_id, user_id=before.user_id, status=status)
            )
        after = (str(status), started_at, finished_at)
        if after != (before.status, before.started_at, before.finished_at):
            names = ("new_status", "new_started_at", "new_finished_at")
            values = {"execution": execution_id, **dict(zip(names, after, strict=True))}
            self._tx.run(_CLOSE, [values])
        return status


# Built once: what agents report makes these run many times a second.
_BUMP = Prepared(
    update(Execution)
    .where(Execution.id == bindparam("execution"))
    .values(version=Execution.version + 1)
)
_COUNTS = Prepared(
    select(Task.status, func.count().label("tasks"))
    .where(Task.execution_id == bindparam("execution"))
    .group_by(Task.status)
)
_LIVE_LOG = Prepared(
    select(
        exists()
        .where(Task.execution_id == bindparam("execution"), Task.log_status == LogStatus.LIVE)
        .label("is_live")
    )
)
_HEAD = Prepared(
    select(
        Execution.status,
        Execution.version,
        Execution.task_total,
        Execution.cancel_requested_at,
        Execution.started_at,
        Execution.finished_at,
        Execution.user_id,
        Execution.is_plain,
    ).where(Execution.id == bindparam("execution"))
)
_CLOSE = Prepared(
    update(Execution)
    .where(Execution.id == bindparam("execution"))
    .values(
        status=bindparam("new_status"),
        started_at=bindparam("new_started_at"),
        finished_at=bindparam("new_finished_at"),
    )
)


def _matching(wanted: ListQuery) -> list[ColumnElement[bool]]:
    columns = {
        Execution.execution_type: wanted.execution_type,
        Execution.user_id: wanted.executed_by,
        Execution.scheduled_job_id: wanted.scheduled_job_id,
    }
    where = [column == value for column, value in columns.items() if value is not None]
    if wanted.status:
        where.append(Execution.status.in_([str(status) for status in wanted.status]))
    if wanted.start_date is not None:
        where.append(Execution.created_at >= wanted.start_date)
    if wanted.end_date is not None:
        where.append(Execution.created_at < wanted.end_date)
    if not wanted.include_retries:
        where.append(Execution.is_latest.is_(True))
    if wanted.name:
        where.append(Execution.name.icontains(wanted.name, autoescape=True))
    if wanted.search:
        where.append(
            or_(
                Execution.name.icontains(wanted.search, autoescape=True),
                Execution.username.icontains(wanted.search, autoescape=True),
                Execution.id == wanted.search,
            )
        )
    return where


def _rowcount(result: Any) -> int:
    return int(result.rowcount)


_SHOWN = (
    "id", "step_id", "host_id", "host_name", "ip_address", "agent_id", "status", "attempt",
    "exit_code", "signal", "reason", "detail", "not_after", "created_at", "started_at",
    "finished_at", "duration_ms", "log_status", "late_outcome", "batch_no", "not_before",
    "outputs", "progress", "processes",
)  # fmt: skip
EVERY = 2**31
"""More rows than there are."""
_BETWEEN = Prepared(
    select(*(getattr(Task, name) for name in (*_SHOWN, "version")))
    .where(
        Task.execution_id == bindparam("execution"),
        Task.version > bindparam("after"),
        Task.version <= bindparam("upto"),
    )
    .order_by(Task.version, Task.id)
    .limit(bindparam("most"))
)
_SIZES = Prepared(
    lambda among: (
        select(TaskLog.task_id, TaskLog.stream, TaskLog.bytes)
        .where(among(TaskLog.task_id, "tasks"))
        .order_by(TaskLog.attempt)
    )
)


def public_task(task: Task, sizes: dict[tuple[str, str], int]) -> dict[str, object]:
    """A task as the API shows it."""
    return _with_sizes({name: getattr(task, name) for name in _SHOWN}, sizes)


def public_row(row: Row[Any], sizes: dict[tuple[str, str], int]) -> dict[str, object]:
    """The same from a row of `tasks_between`, where it is quicker to go by the columns' order."""
    return _with_sizes(dict(zip(_SHOWN, row, strict=False)), sizes)


def _with_sizes(shown: dict[str, object], sizes: dict[tuple[str, str], int]) -> dict[str, object]:
    task_id = str(shown["id"])
    shown["stdout_bytes"] = sizes.get((task_id, "stdout"), 0)
    shown["stderr_bytes"] = sizes.get((task_id, "stderr"), 0)
    return shown
