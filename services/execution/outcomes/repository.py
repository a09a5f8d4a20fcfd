"""Questions about the tasks of one step."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from libs.contracts.execution import TaskStatus
from libs.kit.db import Transaction
from services.execution.models import Step, Task


@dataclass(frozen=True, slots=True)
class Durations:
    """Milliseconds over all hosts that have an end."""

    shortest: int | None
    average: int | None
    longest: int | None


class OutcomeRepository:
    """Results inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._session = tx.session

    def step(self, execution_id: str, step_id: str) -> Step | None:
        """A step of this execution."""
        return self._session.scalar(
            select(Step).where(Step.id == step_id, Step.execution_id == execution_id)
        )

    def task_on(self, step: Step, host_id: int | None) -> Task | None:
        """The task of a step on a host, or its first one."""
        where = [Task.execution_id == step.execution_id, Task.step_id == step.id]
        if host_id is not None:
            where.append(Task.host_id == host_id)
        return self._session.scalar(select(Task).where(*where).order_by(Task.id).limit(1))

    def counts(self, step: Step) -> dict[TaskStatus, int]:
        """How many tasks are in which state."""
        rows = self._session.execute(
            select(Task.status, func.count())
            .where(Task.execution_id == step.execution_id, Task.step_id == step.id)
            .group_by(Task.status)
        )
        return {TaskStatus(status): count for status, count in rows}

    def exit_codes(self, step: Step) -> dict[str, int]:
        """How many hosts ended with which exit code."""
        rows = self._session.execute(
            select(Task.exit_code, func.count())
            .where(
                Task.execution_id == step.execution_id,
                Task.step_id == step.id,
                Task.exit_code.is_not(None),
            )
            .group_by(Task.exit_code)
            .order_by(Task.exit_code)
        )
        return {str(code): count for code, count in rows}

    def durations(self, step: Step) -> Durations:
        """Shortest, average and longest run."""
        row = self._session.execute(
            select(
                func.min(Task.duration_ms), func.avg(Task.duration_ms), func.max(Task.duration_ms)
            ).where(Task.execution_id == step.execution_id, Task.step_id == step.id)
        ).one()
        return Durations(row[0], int(row[1]) if row[1] is not None else None, row[2])

    def processes(self, step: Step) -> Sequence[dict[str, int]]:
        """What agents counted of processes that outlived their scripts; most tasks have none."""
        rows = self._session.scalars(
            select(Task.processes).where(
                Task.execution_id == step.execution_id,
                Task.step_id == step.id,
                Task.processes.is_not(None),
            )
        )
        return [row for row in rows if row]

    def page(
        self, step: Step, status: TaskStatus | None, *, offset: int, limit: int
    ) -> tuple[int, Sequence[Task]]:
        """Tasks in the order of the request's hosts, with the number of all that match."""
        where = [Task.execution_id == step.execution_id, Task.step_id == step.id]
        if status is not None:
            where.append(Task.status == status)
        total = self._session.scalar(select(func.count()).select_from(Task).where(*where))
        rows = self._session.scalars(
            select(Task).where(*where).order_by(Task.id).offset(offset).limit(limit)
        ).all()
        return total or 0, rows
