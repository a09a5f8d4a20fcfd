"""Reading and moving the tasks that reports are about, many at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, bindparam, case, func, or_, select, update

from libs.contracts.execution import TaskStatus
from libs.kit.db import Prepared, Transaction
from libs.kit.db.prepared import Among
from services.execution.domain import ON_HOST, OPEN, LogStatus
from services.execution.models import Execution, Step, Task, TaskAttempt
from services.execution.reports.domain import Claim, Standing

IN_AT_ONCE = 500
"""Ids in one IN list; SQLite allows 32,766 parameters, planners prefer fewer."""


@dataclass(frozen=True, slots=True)
class ReportedTask:
    """A task with what is needed to judge reports about it."""

    id: str
    execution_id: str
    step_id: str
    user_id: int
    host_id: int
    kind: str
    run_as: str | None
    public_key: str | None
    session_id: str | None
    was_forced: bool
    """Ended by force, and its host has not answered yet."""
    standing: Standing


class ReportRepository:
    """Tasks as reports see them, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def tasks(self, task_ids: Iterable[str], *, lock: bool = False) -> dict[str, ReportedTask]:
        """The tasks by id; with `lock` nobody else moves them until the commit."""
        return {task.id: task for task in self._select(sorted(set(task_ids)), lock=lock)}

    def on_host_of(self, agent_ids: Iterable[str]) -> dict[str, list[ReportedTask]]:
        """Claimed and running tasks by agent."""
        found: dict[str, list[ReportedTask]] = {}
        wanted = sorted(set(agent_ids))
        for start in range(0, len(wanted), IN_AT_ONCE):
            rows = self._tx.rows(_ON_HOST_OF, {"agents": wanted[start : start + IN_AT_ONCE]})
            for task in self._select(sorted(row.id for row in rows), lock=True):
                if task.standing.agent_id and task.standing.status in ON_HOST:
                    found.setdefault(task.standing.agent_id, []).append(task)
        return found

    def _select(self, task_ids: Sequence[str], *, lock: bool) -> Iterable[ReportedTask]:
        for start in range(0, len(task_ids), IN_AT_ONCE):
            some = {"tasks": task_ids[start : start + IN_AT_ONCE]}
            if lock and not self._tx.is_sqlite:
                self._tx.rows(_LOCK_EXECUTIONS, some)
            for row in self._tx.rows(_LOCKED_TASKS if lock else _TASKS, some):
                yield ReportedTask(
                    id=row.id,
                    execution_id=row.execution_id,
                    step_id=row.step_id,
                    user_id=row.user_id,
                    host_id=row.host_id,
                    kind=row.kind,
                    run_as=row.run_as,
                    public_key=row.public_key,
                    session_id=row.session_id,
                    was_forced=row.stop_until is not None,
                    standing=Standing(
                        status=TaskStatus(row.status),
                        attempt=row.attempt,
                        epoch=row.epoch,
                        agent_id=row.agent_id,
                        boot_id=row.boot_id,
                        not_after=row.not_after,
                    ),
                )

    def grant(self, rows: Sequence[dict[str, object]]) -> None:
        """Move offered tasks to claimed; each row: task, new_epoch, old_epoch, boot, session."""
        self._many(_GRANT, rows)

    def start(self, rows: Sequence[dict[str, object]]) -> None:
        """Move claimed tasks to running; each row: task, granted (epoch), started."""
        self._many(_START, rows)

    def finish(self, rows: Sequence[dict[str, object]]) -> None:
        """Give open tasks their final state; the first one wins (R10).

        `known` in a row is what is known about output that was called live until now.
        """
        self._many(_FINISH, rows)

    def attach_late(self, rows: Sequence[dict[str, object]]) -> None:
        """Keep what arrived after a final state; each row: task, outcome, sums, counted."""
        self._many(_ATTACH_LATE, rows)

    def attach(self, rows: Sequence[dict[str, object]]) -> None:
        """Keep values for later steps and what was left of processes; row: task, passed, counted.

        Only of the attempt that ended just now, so of a task whose end is this very moment.
        """
        self._many(_ATTACH, rows)

    def attach_archived(self, rows: Sequence[dict[str, object]]) -> None:
        """Keep late results of earlier attempts; each row: task, past, final, outcome."""
        self._tx.run(_ATTACH_ARCHIVED, rows)

    def success_codes(self, step_ids: Iterable[str]) -> dict[str, frozenset[int]]:
        """The exit codes that count as success, by step."""
        rows = self._tx.rows(_SUCCESS_CODES, {"steps": list(step_ids)})
        return {row.id: frozenset(row.success_codes) for row in rows}

    def seen(self, agent_ids: Sequence[str]) -> None:
        """Note a sign of life for whatever these agents run."""
        for start in range(0, len(agent_ids), IN_AT_ONCE):
            some = list(agent_ids[start : start + IN_AT_ONCE])
            self._tx.run(_SEEN, [{"agents": some, "at": self._tx.now}])

    def anything_on(self, agent_ids: Sequence[str]) -> bool:
        """Whether any of these agents has a task; spares the write when none has."""
        return any(
            self._tx.rows(_ANYTHING_ON, {"agents": list(agent_ids[start : start + IN_AT_ONCE])})
            for start in range(0, len(agent_ids), IN_AT_ONCE)
        )

    def _many(self, statement: Prepared, rows: Sequence[Mapping[str, object]]) -> None:
        at = {"at": self._tx.now}
        self._tx.run(statement, [{**row, **at} for row in rows])


# Built once: agents make these run many times a second.
_IS_OPEN = or_(*(Task.status == status for status in sorted(OPEN)))
"""Spelled out, because a list has no place in a statement that is run for many rows at once."""
_IS_ON_HOST = or_(*(Task.status == status for status in sorted(ON_HOST)))
_ON_HOST_OF = Prepared(
    lambda among: select(Task.id).where(among(Task.agent_id, "agents"), _IS_ON_HOST)
)
_ANYTHING_ON = Prepared(
    lambda among: select(Task.id).where(among(Task.agent_id, "agents"), _IS_ON_HOST).limit(1)
)
_SEEN = Prepared(
    lambda among: (
        update(Task)
        .where(among(Task.agent_id, "agents"), _IS_ON_HOST)
        .values(seen_at=bindparam("at", type_=Task.seen_at.type))
    )
)
_SUCCESS_CODES = Prepared(
    lambda among: select(Step.id, Step.success_codes).where(among(Step.id, "steps"))
)
_VERSION = select(Execution.version).where(Execution.id == Task.execution_id).scalar_subquery()
_GRANT = Prepared(
    update(Task)
    .where(
        Task.id == bindparam("task"),
        Task.status == TaskStatus.OFFERED,
        Task.epoch == bindparam("old_epoch"),
    )
    .values(
        status=TaskStatus.CLAIMED,
        epoch=bindparam("new_epoch"),
        boot_id=bindparam("boot"),
        session_id=bindparam("session"),
        claimed_at=bindparam("at", type_=Task.seen_at.type),
        seen_at=bindparam("at", type_=Task.seen_at.type),
        log_status=LogStatus.LIVE,
        version=_VERSION,
    )
)
_START = Prepared(
    update(Task)
    .where(
        Task.id == bindparam("task"),
        Task.status == TaskStatus.CLAIMED,
        Task.epoch == bindparam("granted"),
    )
    .values(
        status=TaskStatus.RUNNING,
        started_at=bindparam("started"),
        seen_at=bindparam("at", type_=Task.seen_at.type),
        version=_VERSION,
    )
)
_FINISH = Prepared(
    update(Task)
    .where(Task.id == bindparam("task"), _IS_OPEN)
    .values(
        status=bindparam("final"),
        exit_code=bindparam("code"),
        signal=bindparam("signalled"),
        reason=bindparam("why"),
        detail=bindparam("details"),
        duration_ms=bindparam("duration"),
        totals=bindparam("sums", type_=Task.totals.type),
        started_at=func.coalesce(Task.started_at, bindparam("began", type_=Task.started_at.type)),
        finished_at=bindparam("at", type_=Task.seen_at.type),
        log_status=case(
            (Task.log_status == LogStatus.LIVE, bindparam("known", type_=Task.log_status.type)),
            else_=Task.log_status,
        ),
        version=_VERSION,
    )
)
_ATTACH_LATE = Prepared(
    update(Task)
    .where(Task.id == bindparam("task"), Task.late_outcome.is_(None))
    .values(
        late_outcome=bindparam("outcome", type_=Task.late_outcome.type),
        totals=bindparam("sums", type_=Task.totals.type),
        processes=bindparam("counted", type_=Task.processes.type),
        stop_until=None,
        log_status=LogStatus.LIVE,
        version=_VERSION,
    )
)
_ATTACH = Prepared(
    update(Task)
    .where(
        Task.id == bindparam("task"),
        Task.finished_at == bindparam("at", type_=Task.seen_at.type),
    )
    .values(
        outputs=bindparam("passed", type_=Task.outputs.type),
        processes=bindparam("counted", type_=Task.processes.type),
    )
)
_ATTACH_ARCHIVED = Prepared(
    update(TaskAttempt)
    .where(
        TaskAttempt.task_id == bindparam("task"),
        TaskAttempt.attempt == bindparam("past"),
        TaskAttempt.status != bindparam("final"),
        TaskAttempt.late_outcome.is_(None),
    )
    .values(late_outcome=bindparam("outcome", type_=TaskAttempt.late_outcome.type))
)


def _tasks(among: Among) -> Select[*tuple[object, ...]]:
    return (
        select(
            Task.id,
            Task.execution_id,
            Task.step_id,
            Task.user_id,
            Task.host_id,
            Step.kind,
            Step.run_as,
            Task.public_key,
            Task.session_id,
            Task.stop_until,
            Task.status,
            Task.attempt,
            Task.epoch,
            Task.agent_id,
            Task.boot_id,
            Task.not_after,
        )
        .join(Step, Step.id == Task.step_id)
        .where(among(Task.id, "tasks"))
        .order_by(Task.id)
    )


_TASKS = Prepared(_tasks)
_LOCKED_TASKS = Prepared(lambda among: _tasks(among).with_for_update(of=Task))
_LOCK_EXECUTIONS = Prepared(
    lambda among: (
        select(Execution.id)
        .where(Execution.id.in_(select(Task.execution_id).where(among(Task.id, "tasks"))))
        .order_by(Execution.id)
        .with_for_update()
    )
)
"""First the executions, then their tasks: everybody locks in this order, so nobody waits in a
circle. SQLite has one writer at a time and needs none of it."""


def final_row(
    task_id: str,
    status: TaskStatus,
    *,
    reason: str | None,
    detail: str | None = None,
    exit_code: int | None = None,
    signal: int | None = None,
    duration_ms: int | None = None,
    started_at: datetime | None = None,
    totals: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The parameters of `finish` for one task."""
    return {
        "task": task_id,
        "final": str(status),
        "code": exit_code,
        "signalled": signal,
        "why": (reason or None) and str(reason)[:64],
        "details": detail[:500] if detail else None,
        "duration": duration_ms,
        "began": started_at,
        "sums": totals,
        "known": str(LogStatus.LIVE),
    }


def late(
    outcome: TaskStatus, exit_code: int | None, reason: str | None, at: datetime
) -> dict[str, object]:
    """What is kept of a result that came after the end."""
    return {
        "status": str(outcome),
        "exit_code": exit_code,
        "reason": reason,
        "received_at": at.isoformat(),
    }


def grant_row(claim: Claim, epoch: int) -> dict[str, object]:
    """The parameters of `grant` for one claim."""
    return {
        "task": claim.task_id,
        "old_epoch": epoch - 1,
        "new_epoch": epoch,
        "boot": claim.boot_id,
        "session": claim.session_id,
    }
