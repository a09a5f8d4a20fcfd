"""The execution service's database in memory, and what its rows say."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from libs.kit.db import Transaction
from services.execution.dispatch.domain import IN_FLIGHT
from services.execution.domain import TERMINAL, PauseReason, Strategy
from services.execution.flow.domain import execution_standing
from services.execution.flow.repository import FlowRepository
from services.execution.models import Base, Execution, Task, TaskAttempt

PER_HOST = 2
Key = tuple[str, int]


class Rows:
    """A database, and questions to it."""

    def __init__(self) -> None:
        self._engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        Base.metadata.create_all(self._engine)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One commit at the present time."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            tx = Transaction(session)
            tx.now = self.now
            yield tx
            tx._store_facts()

    def executions(self) -> list[str]:
        """All ids, oldest first."""
        with self.transaction() as tx:
            return list(tx.scalars(select(Execution.id).order_by(Execution.id)))

    # ---- what is in the rows ----------------------------------------------------------------

    def ends(self) -> dict[Key, str]:
        """The final states of all attempts that have one."""
        with self.transaction() as tx:
            rows = tx.execute(
                select(Task.id, Task.attempt, Task.status).where(Task.status.in_(sorted(TERMINAL)))
            )
            found = {(task, attempt): status for task, attempt, status in rows}
        return found | self.archived()

    def archived(self) -> dict[Key, str]:
        """The final states of earlier attempts."""
        with self.transaction() as tx:
            rows = tx.execute(select(TaskAttempt.task_id, TaskAttempt.attempt, TaskAttempt.status))
            return {(task, attempt): status for task, attempt, status in rows}

    def standings(self) -> list[tuple[str, list[str]]]:
        """The state of each execution with those of its tasks."""
        with self.transaction() as tx:
            return [
                (
                    execution.status,
                    list(tx.scalars(select(Task.status).where(Task.execution_id == execution.id))),
                )
                for execution in tx.scalars(select(Execution))
            ]

    def recomputed(self) -> list[tuple[str, str]]:
        """The stored state of each execution, and the one that its rows give."""
        found: list[tuple[str, str]] = []
        for execution_id in self.executions():
            with self.transaction() as tx:
                flow = FlowRepository(tx, execution_id)
                head = flow.head()
                assert head is not None
                if not head.is_plain:
                    pause = PauseReason(head.pause_reason) if head.pause_reason else None
                    found.append((head.status, execution_standing(flow.view(head), pause)))
        return found

    def loads(self) -> list[tuple[int, int]]:
        """Tasks in flight and their limit, of executions and hosts."""
        in_flight = Task.status.in_(sorted(IN_FLIGHT))
        with self.transaction() as tx:
            hosts = tx.execute(
                select(Task.agent_id, func.count()).where(in_flight).group_by(Task.agent_id)
            )
            found = [(count, PER_HOST) for _, count in hosts]
            for execution_id, stored in tx.execute(select(Execution.id, Execution.strategy)):
                limit = Strategy.of(stored).concurrency
                query = select(func.count()).where(in_flight, Task.execution_id == execution_id)
                if limit:
                    found.append((tx.scalar(query) or 0, limit))
        return found
