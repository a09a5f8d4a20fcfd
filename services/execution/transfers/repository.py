"""What transfers ask about steps and tasks, and the progress that is kept with a task."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update

from libs.kit.db import Transaction
from services.execution.domain import StepKind
from services.execution.models import Execution, Step, Task
from services.execution.repository import ExecutionRepository

_TELL = (
    update(Task)
    .where(
        Task.id == bindparam("task"),
        Task.agent_id == bindparam("agent"),
        Task.attempt == bindparam("tried"),
    )
    .values(
        progress=bindparam("state", type_=Task.progress.type),
        version=select(Execution.version)
        .where(Execution.id == Task.execution_id)
        .scalar_subquery(),
    )
)


class TransferRepository:
    """Steps and tasks as transfers see them, inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def collecting(self, execution_ids: Iterable[str]) -> dict[tuple[str, str], Step]:
        """The collect steps of executions, by execution and name."""
        rows = self._session.scalars(
            select(Step).where(
                Step.execution_id.in_(list(execution_ids)), Step.kind == StepKind.COLLECT
            )
        )
        return {(row.execution_id, row.name): row for row in rows}

    def accepted_at(self, execution_ids: Iterable[str]) -> dict[str, datetime]:
        """When executions were accepted; the dates in their paths are of that moment."""
        query = select(Execution.id, Execution.created_at)
        rows = self._session.execute(query.where(Execution.id.in_(list(execution_ids))))
        return {row.id: row.created_at for row in rows}

    def tell(self, rows: Sequence[Mapping[str, object]]) -> set[str]:
        """Keep the progress of tasks; each row: task, agent, tried, state. Returns executions."""
        found = self._session.execute(
            select(Task.id, Task.execution_id).where(Task.id.in_([row["task"] for row in rows]))
        )
        executions = {execution_id for _, execution_id in found}
        ExecutionRepository(self._tx).bump(executions)
        if executions:
            self._session.connection().execute(_TELL, list(rows))
        return executions
