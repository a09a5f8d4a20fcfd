"""What executions and their earlier steps know, for the orders of many tasks at once."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from libs.kit.db import Prepared, Transaction
from services.execution.models import Execution, Step, Task
from services.execution.orders.domain import HostState, Launched

IN_AT_ONCE = 500

_LAUNCHED = Prepared(
    lambda among: select(
        Execution.id,
        Execution.name,
        Execution.user_id,
        Execution.username,
        Execution.created_at,
        Execution.is_plain,
        Execution.variables,
    ).where(among(Execution.id, "executions"))
)


class OrderRepository:
    """Values of many tasks inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def launched(self, execution_ids: Iterable[str]) -> dict[str, Launched]:
        """Executions by id."""
        rows = self._tx.rows(_LAUNCHED, {"executions": list(execution_ids)})
        return {row.id: Launched(*row) for row in rows}

    def steps_before(self, step: Step) -> Sequence[Step]:
        """The steps whose values this one sees, in order; a handler sees those of all others."""
        where = [Step.execution_id == step.execution_id, Step.id != step.id]
        if not step.is_handler:
            where.append(Step.position < step.position)
        return self._session.scalars(select(Step).where(*where).order_by(Step.position)).all()

    def left_for_hosts(
        self, execution_id: str, step_ids: Sequence[str], host_ids: Sequence[int]
    ) -> list[tuple[str, int, dict[str, object]]]:
        """What tasks of these steps on these hosts set: step, host, values."""
        found: list[tuple[str, int, dict[str, object]]] = []
        for start in range(0, len(host_ids) if step_ids else 0, IN_AT_ONCE):
            rows = self._session.execute(
                select(Task.step_id, Task.host_id, Task.outputs).where(
                    Task.execution_id == execution_id,
                    Task.step_id.in_(step_ids),
                    Task.host_id.in_(host_ids[start : start + IN_AT_ONCE]),
                    Task.outputs.is_not(None),
                )
            )
            found.extend((step, host, outputs or {}) for step, host, outputs in rows)
        return found

    def hosts_of(self, step_id: str) -> list[HostState]:
        """The hosts of a step with the states of their tasks, in the order of the request."""
        rows = self._session.execute(
            select(Task.host_id, Task.host_name, Task.ip_address, Task.status)
            .where(Task.step_id == step_id)
            .order_by(Task.id)
        )
        return [HostState(*row) for row in rows]
