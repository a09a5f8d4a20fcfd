"""Which tasks wait for what, and the marks that dispatch leaves on them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute

from libs.contracts.execution import TaskStatus
from libs.kit.db import Prepared, Transaction
from libs.kit.db.tables import UTCDateTime, leases
from services.execution.dispatch.domain import IN_FLIGHT, Caps, Queued, Slots, Waiter, choose
from services.execution.domain import HELD, ON_HOST, WAITING, Strategy
from services.execution.models import Execution, Step, Task
from services.execution.repository import ExecutionRepository

PAGE = 500
UNLIMITED = 2**31
LIMITS = "dispatch-limits"
"""The row that is locked while tasks are marked under limits that several executions share."""
_LOCK = select(leases.c.epoch).where(leases.c.name == LIMITS).with_for_update()
_LOCK_ROW = text(
    "INSERT INTO leases (name, holder, epoch, until) VALUES (:name, '', 1, :at)"
    " ON CONFLICT DO NOTHING"
).bindparams(bindparam("at", type_=UTCDateTime))
_VERSION = select(Execution.version).where(Execution.id == Task.execution_id).scalar_subquery()
_FLYING = or_(*(Task.status == status for status in sorted(IN_FLIGHT)))
_ON_HOSTS = Prepared(
    lambda among: (
        select(Task.agent_id, func.count().label("tasks"))
        .where(among(Task.agent_id, "agents"), _FLYING)
        .group_by(Task.agent_id)
    )
)
"""Answered from the index of agents and states: 1 to 3 µs for each host. To ask first whether the
whole platform has so much in flight costs more: for that PostgreSQL reads the table."""

_STRATEGIES = Prepared(
    lambda among: select(Execution.id, Execution.strategy).where(
        among(Execution.id, "executions"), Execution.is_plain.is_(False)
    )
)


@dataclass(frozen=True)
class Scope:
    """Which tasks a look is about; everything when all is empty. `before` is a priority."""

    execution_ids: tuple[str, ...] = ()
    agent_ids: tuple[str, ...] = ()
    before: int = 0


class Waiting(NamedTuple):
    """A task that is to be offered (again)."""

    id: str
    execution_id: str
    agent_id: str
    attempt: int
    status: str
    user_id: int
    priority: int

    @property
    def is_fresh(self) -> bool:
        """Whether it has not been offered in this attempt."""
        return self.status == TaskStatus.QUEUED


_WAITING = itemgetter(*Waiting._fields)


@dataclass(frozen=True, slots=True)
class Stopping:
    """A task on a host that somebody wants stopped."""

    id: str
    agent_id: str
    attempt: int


class DispatchRepository:
    """Tasks as dispatch sees them, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def waiting(
        self, scope: Scope, *, after: tuple[int, str], reoffer_before: datetime
    ) -> Sequence[Waiting]:
        """A page of tasks to offer: new ones, and those whose offer or grant nobody answered.

        Urgent ones first; `after` is priority and id of the last task of the page before.
        """
        stale = or_(
            and_(Task.status == TaskStatus.OFFERED, Task.offered_at < reoffer_before),
            and_(Task.status == TaskStatus.CLAIMED, Task.claimed_at < reoffer_before),
        )
        alive = or_(Task.status == TaskStatus.CLAIMED, Task.not_after > self._tx.now)
        rows = self._session.execute(
            select(
                Task.id,
                Task.execution_id,
                func.coalesce(Task.agent_id, ""),
                Task.attempt,
                Task.status,
                Task.user_id,
                Task.priority,
            )
            .where(
                or_(Task.priority > after[0], and_(Task.priority == after[0], Task.id > after[1])),
                or_(Task.not_before.is_(None), Task.not_before <= self._tx.now),
                Task.status.in_([TaskStatus.QUEUED, TaskStatus.OFFERED, TaskStatus.CLAIMED]),
                or_(Task.status == TaskStatus.QUEUED, stale),
                alive,
                Task.agent_id.is_not(None),
                Task.cancel_at.is_(None),
                *_within(scope),
            )
            .order_by(Task.priority, Task.id)
            .limit(PAGE)
        )
        return [Waiting(*row) for row in rows]

    def stopping(self, scope: Scope, *, after: str) -> Sequence[Stopping]:
        """A page of tasks on hosts that are to be stopped."""
        rows = self._session.execute(
            select(Task.id, Task.agent_id, Task.attempt)
            .where(
                Task.id > after,
                Task.status.in_([str(status) for status in ON_HOST]),
                Task.cancel_at.is_not(None),
                *_within(scope),
            )
            .order_by(Task.id)
            .limit(PAGE)
        )
        return [Stopping(task, agent or "", attempt) for task, agent, attempt in rows]

    def forced(self, scope: Scope, *, after: str) -> Sequence[Stopping]:
        """A page of tasks that were ended by force and whose hosts have not answered yet."""
        rows = self._session.execute(
            select(Task.id, Task.agent_id, Task.attempt)
            .where(Task.id > after, Task.stop_until > self._tx.now, *_within(scope))
            .order_by(Task.id)
            .limit(PAGE)
        )
        return [Stopping(task, agent or "", attempt) for task, agent, attempt in rows]

    def limits(self, tasks: Sequence[Queued], caps: Caps) -> Slots:
        """The limits of these tasks, and what is in flight under them.

        Asks only about limits that exist. The caller holds `lock_limits` or the execution's row
        when what is said must be true until the commit.
        """
        own = self._concurrency({task.execution_id for task in tasks}, caps.per_execution)
        slots = Slots(caps.per_host, caps.per_user, own)
        if caps.per_host:
            slots.hosts.update(self._on_hosts(tasks))
        several = {task.execution_id for task in tasks} if caps.per_user else set()
        turns = several if len(several) > 1 else set()  # who has less at work comes first
        for column, counts, ids in (
            (Task.user_id, slots.users, {t.user_id for t in tasks} if caps.per_user else ()),
            (Task.execution_id, slots.executions, turns | set(slots.per_execution)),
        ):
            if ids:
                counts.update(self._in_flight(column, ids))
        return slots

    def _on_hosts(self, tasks: Sequence[Queued]) -> dict[str, int]:
        """What is in flight on the hosts of these tasks."""
        agents = sorted({task.agent_id for task in tasks})
        slices = (agents[start : start + PAGE] for start in range(0, len(agents), PAGE))
        return {
            str(agent_id): int(count)
            for some in slices
            for agent_id, count in self._tx.rows(_ON_HOSTS, {"agents": some})
        }

    def _concurrency(self, execution_ids: Collection[str], cap: int) -> dict[str, int]:
        """How much of each execution may be in flight; those without a limit are missing."""
        rows = self._tx.rows(_STRATEGIES, {"executions": sorted(execution_ids)})
        own = {execution_id: Strategy.of(stored).concurrency for execution_id, stored in rows}
        limits = {one: min(own.get(one) or cap, cap or UNLIMITED) for one in execution_ids}
        return {one: limit for one, limit in limits.items() if limit}

    def _in_flight(
        self, column: InstrumentedAttribute[Any], ids: Iterable[object]
    ) -> dict[Any, int]:
        rows = self._session.execute(
            select(column, func.count())
            .where(column.in_(list(ids)), Task.status.in_(sorted(IN_FLIGHT)))
            .group_by(column)
        )
        return dict(rows.all())

    def waiters(self, task_ids: Sequence[str]) -> list[Waiter]:
        """Those of these tasks that have not started, with what they may be waiting for."""
        rows = self._session.execute(
            select(
                Task.id,
                Task.execution_id,
                Task.user_id,
                func.coalesce(Task.agent_id, "").label("agent_id"),
                Task.priority,
                Task.status,
                Task.batch_no,
                Task.not_before,
                Task.offered_at,
                Step.status.label("step_status"),
                Step.batch_ready_at,
                Execution.pause_reason.label("pause"),
            )
            .join(Step, Step.id == Task.step_id)
            .join(Execution, Execution.id == Task.execution_id)
            .where(Task.id.in_(task_ids), Task.status.in_(sorted(HELD | WAITING)))
        )
        return [Waiter(**row) for row in rows.mappings()]

    def lock_limits(self) -> None:
        """Let no other process offer under limits of hosts and users until the commit (R17)."""
        if self._tx.is_sqlite:
            return
        connection = self._session.connection()
        if connection.execute(_LOCK).first() is None:
            connection.execute(_LOCK_ROW, {"name": LIMITS, "at": self._tx.now})
            connection.execute(_LOCK)

    def mark_rows(
        self, rows: Sequence[dict[str, Any]], agents: Collection[str], caps: Caps
    ) -> list[Waiting]:
        """Make offered, as many as the limits allow, what is about to be stored for these agents.

        `mark_offered` without a task that has to be found and changed again.
        """
        if caps.per_host or caps.per_user:
            self.lock_limits()
        at: dict[str, dict[str, Any]] = {}
        fresh: list[Waiting] = []
        for row in rows:
            if row["status"] == TaskStatus.QUEUED and row["agent_id"] in agents:
                at[row["id"]] = row
                fresh.append(Waiting._make(_WAITING(row)))
        chosen = choose(fresh, self.limits(fresh, caps))
        offered, now = str(TaskStatus.OFFERED), self._tx.now
        for task in chosen:
            row = at[task.id]
            row["status"], row["offered_at"] = offered, now
        return chosen

    def mark_offered(self, tasks: Sequence[Waiting], caps: Caps) -> list[Waiting]:
        """Note that tasks are being offered now, as many as the limits allow; returns those.

        A task that moved on stays as it is. Limits hold at every instant, because what is counted
        and what is marked are one transaction.
        """
        fresh = [task for task in tasks if task.is_fresh]
        if fresh and (caps.per_host or caps.per_user):
            self.lock_limits()
        ExecutionRepository(self._tx).bump({task.execution_id for task in fresh})
        fresh = choose(fresh, self.limits(fresh, caps))
        if fresh:
            self._session.connection().execute(
                update(Task)
                .where(Task.id.in_([task.id for task in fresh]), Task.status == TaskStatus.QUEUED)
                .values(status=TaskStatus.OFFERED, offered_at=self._tx.now, version=_VERSION)
            )
        again = [task.id for task in tasks if task.status == TaskStatus.OFFERED]
        if again:
            self._session.execute(
                update(Task)
                .where(Task.id.in_(again), Task.status == TaskStatus.OFFERED)
                .values(offered_at=self._tx.now),
                execution_options={"synchronize_session": False},
            )
        return [*fresh, *(task for task in tasks if not task.is_fresh)]

    def unmark(self, tasks: Sequence[Waiting]) -> None:
        """Let tasks wait again whose agents were not there when their offers were to be sent."""
        ids = [task.id for task in tasks]
        touched = {task.execution_id for task in tasks}
        ExecutionRepository(self._tx).bump(touched)
        self._session.execute(
            update(Task)
            .where(Task.id.in_(ids), Task.status == TaskStatus.OFFERED)
            .values(status=TaskStatus.QUEUED, offered_at=None, version=_VERSION),
            execution_options={"synchronize_session": False},
        )

    def expire(self, limit: int) -> set[str]:
        """End tasks that nobody claimed in time; returns the executions they belong to."""
        due = self._session.execute(
            select(Task.id, Task.execution_id)
            .where(
                Task.status.in_([str(status) for status in WAITING]),
                Task.not_after <= self._tx.now,
            )
            .limit(limit)
        ).all()
        self._end(due, TaskStatus.EXPIRED, "not_claimed_in_time", WAITING)
        return {row.execution_id for row in due}

    def lose(self, *, silent_since: datetime, limit: int) -> set[str]:
        """End tasks on hosts that have been silent too long; returns their executions."""
        due = self._session.execute(
            select(Task.id, Task.execution_id)
            .where(
                Task.status.in_([str(status) for status in ON_HOST]),
                Task.seen_at < silent_since,
            )
            .limit(limit)
        ).all()
        self._end(due, TaskStatus.LOST, "agent_silent", ON_HOST)
        return {row.execution_id for row in due}

    def reject(self, refused: Mapping[str, tuple[str, str]]) -> set[str]:
        """End tasks that nobody claimed, each with its reason and detail; returns executions."""
        rows = self._session.execute(
            select(Task.id, Task.execution_id).where(
                Task.id.in_(list(refused)), Task.status.in_(sorted(WAITING))
            )
        ).all()
        executions = ExecutionRepository(self._tx)
        executions.bump({row.execution_id for row in rows})
        for row in rows:
            reason, detail = refused[row.id]
            self._session.execute(
                update(Task)
                .where(Task.id == row.id, Task.status.in_(sorted(WAITING)))
                .values(
                    status=TaskStatus.REJECTED,
                    reason=reason[:64],
                    detail=detail[:500],
                    finished_at=self._tx.now,
                    version=executions.version_of(row.execution_id),
                ),
                execution_options={"synchronize_session": False},
            )
        return {row.execution_id for row in rows}

    def overrun(self, *, silence: timedelta, limit: int) -> set[str]:
        """End tasks that have had no result for their time limit and `silence` on top (R14).

        The agent keeps the limit by its own clock; this is for one that lives and says nothing.
        """
        rows = self._session.execute(
            select(Task.id, Task.execution_id, Task.claimed_at, Step.timeout_seconds)
            .join(Step, Step.id == Task.step_id)
            .where(
                Task.status.in_([str(status) for status in ON_HOST]),
                Task.claimed_at < self._tx.now - silence,
            )
            .order_by(Task.claimed_at)
            .limit(limit)
        )
        due = [
            row
            for row in rows
            if row.claimed_at + timedelta(seconds=row.timeout_seconds) + silence < self._tx.now
        ]
        ends = [(row.id, row.execution_id) for row in due]
        self._end(ends, TaskStatus.LOST, "no_result_in_time", ON_HOST)
        return {row.execution_id for row in due}

    def _end(
        self,
        due: Sequence[tuple[str, str]] | Sequence[Row[str, str]],
        status: TaskStatus,
        reason: str,
        only: Iterable[TaskStatus],
    ) -> None:
        executions = ExecutionRepository(self._tx)
        by_execution: dict[str, list[str]] = {}
        for task_id, execution_id in due:
            by_execution.setdefault(execution_id, []).append(task_id)
        executions.bump(by_execution)
        for execution_id, task_ids in by_execution.items():
            executions.end(
                task_ids,
                status=status,
                reason=reason,
                only=only,
                version=executions.version_of(execution_id),
            )


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if scope.execution_ids:
        conditions.append(Task.execution_id.in_(scope.execution_ids))
    if scope.agent_ids:
        conditions.append(Task.agent_id.in_(scope.agent_ids))
    if scope.before:
        conditions.append(Task.priority < scope.before)
    return conditions
