"""Which tasks wait for what, and the marks that dispatch leaves on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, bindparam, or_, select, update

from libs.contracts.execution import TaskStatus
from libs.kit.db import Transaction
from services.execution.domain import ON_HOST, WAITING
from services.execution.models import Execution, Step, Task
from services.execution.repository import ExecutionRepository

PAGE = 500


@dataclass(frozen=True)
class Scope:
    """Which tasks a look is about; everything when both are empty."""

    execution_ids: tuple[str, ...] = ()
    agent_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that is to be offered (again)."""

    id: str
    execution_id: str
    step_id: str
    agent_id: str
    host_name: str
    attempt: int
    status: str
    not_after: datetime


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

    def waiting(self, scope: Scope, *, after: str, reoffer_before: datetime) -> Sequence[Waiting]:
        """A page of tasks to offer: new ones, and those whose offer or grant nobody answered."""
        stale = or_(
            and_(Task.status == TaskStatus.OFFERED, Task.offered_at < reoffer_before),
            and_(Task.status == TaskStatus.CLAIMED, Task.claimed_at < reoffer_before),
        )
        alive = or_(Task.status == TaskStatus.CLAIMED, Task.not_after > self._tx.now)
        rows = self._session.execute(
            select(
                Task.id,
                Task.execution_id,
                Task.step_id,
                Task.agent_id,
                Task.host_name,
                Task.attempt,
                Task.status,
                Task.not_after,
            )
            .where(
                Task.id > after,
                Task.status.in_([TaskStatus.QUEUED, TaskStatus.OFFERED, TaskStatus.CLAIMED]),
                or_(Task.status == TaskStatus.QUEUED, stale),
                alive,
                Task.agent_id.is_not(None),
                Task.cancel_at.is_(None),
                *_within(scope),
            )
            .order_by(Task.id)
            .limit(PAGE)
        )
        return [_waiting(*row) for row in rows]

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

    def steps(self, step_ids: Iterable[str]) -> dict[str, Step]:
        """The steps with what they run."""
        rows = self._session.scalars(select(Step).where(Step.id.in_(list(step_ids))))
        return {step.id: step for step in rows}

    def mark_offered(self, tasks: Sequence[Waiting]) -> None:
        """Note that these tasks are being offered now; a task that moved on stays as it is."""
        fresh = [task for task in tasks if task.status == TaskStatus.QUEUED]
        ExecutionRepository(self._tx).bump({task.execution_id for task in fresh})
        version = (
            select(Execution.version).where(Execution.id == Task.execution_id).scalar_subquery()
        )
        if fresh:
            self._session.connection().execute(
                update(Task)
                .where(Task.id == bindparam("task"), Task.status == TaskStatus.QUEUED)
                .values(status=TaskStatus.OFFERED, offered_at=self._tx.now, version=version),
                [{"task": task.id} for task in fresh],
            )
        again = [task.id for task in tasks if task.status == TaskStatus.OFFERED]
        if again:
            self._session.execute(
                update(Task)
                .where(Task.id.in_(again), Task.status == TaskStatus.OFFERED)
                .values(offered_at=self._tx.now),
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

    def _end(
        self,
        due: Sequence[Row[str, str]],
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


def _waiting(
    task: str,
    execution: str,
    step: str,
    agent: str | None,
    host: str,
    attempt: int,
    status: str,
    not_after: datetime,
) -> Waiting:
    return Waiting(task, execution, step, agent or "", host, attempt, status, not_after)


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if scope.execution_ids:
        conditions.append(Task.execution_id.in_(scope.execution_ids))
    if scope.agent_ids:
        conditions.append(Task.agent_id.in_(scope.agent_ids))
    return conditions
