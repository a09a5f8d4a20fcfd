"""The sealed secrets of executions."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, insert, select

from libs.kit.db import Transaction
from services.execution.domain import OPEN
from services.execution.models import Execution, ExecutionSecret, Task


class SecretRepository:
    """Secrets inside one transaction; nothing in here can read one."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def variables_of(self, execution_id: str) -> Mapping[str, object] | None:
        """The variables as their execution keeps them, or None when there is no execution."""
        return self._session.scalar(select(Execution.variables).where(Execution.id == execution_id))

    def sealed(self, execution_id: str) -> dict[str, str]:
        """The sealed secrets of an execution by name."""
        rows = self._session.execute(
            select(ExecutionSecret.name, ExecutionSecret.sealed).where(
                ExecutionSecret.execution_id == execution_id
            )
        )
        return {row.name: row.sealed for row in rows}

    def keep(self, execution_id: str, sealed: Mapping[str, str]) -> None:
        """Store the sealed secrets of an execution."""
        rows = [
            {
                "execution_id": execution_id,
                "name": name,
                "sealed": text,
                "created_at": self._tx.now,
            }
            for name, text in sealed.items()
        ]
        if rows:
            self._session.execute(insert(ExecutionSecret), rows)

    def drop_of_ended(self, before: datetime, *, limit: int) -> int:
        """Drop the secrets of executions that ended before a moment; returns of how many."""
        open_task = (
            select(Task.id)
            .where(
                Task.execution_id == Execution.id, Task.status.in_([str(state) for state in OPEN])
            )
            .exists()
        )
        ended = self._session.scalars(
            select(ExecutionSecret.execution_id)
            .join(Execution, Execution.id == ExecutionSecret.execution_id)
            .where(Execution.finished_at < before, ~open_task)
            .distinct()
            .limit(limit)
        ).all()
        if ended:
            self._session.execute(
                delete(ExecutionSecret).where(ExecutionSecret.execution_id.in_(ended)),
                execution_options={"synchronize_session": False},
            )
        return len(ended)
