"""What a repetition needs to know of the first run, and the chain of both."""

from collections.abc import Collection, Sequence

from sqlalchemy import func, or_, select, update

from libs.contracts.execution import TaskStatus
from libs.kit.db import Transaction
from services.execution.models import Execution, Task

RECENT = 10


class RerunRepository:
    """Chains inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._session = tx.session

    def hosts_of(
        self, execution_id: str, statuses: Collection[TaskStatus] | None
    ) -> dict[str, list[int]]:
        """The hosts of each step in their order, all or those whose tasks are in such a state."""
        where = [Task.execution_id == execution_id]
        if statuses is not None:
            where.append(Task.status.in_(sorted(statuses)))
        found: dict[str, list[int]] = {}
        rows = self._session.execute(
            select(Task.step_id, Task.host_id).where(*where).order_by(Task.id)
        )
        for step_id, host_id in rows:
            found.setdefault(step_id, []).append(host_id)
        return found

    def chain(self, root_id: str) -> Sequence[Execution]:
        """The first execution and all that repeat it, oldest first."""
        return self._session.scalars(
            select(Execution)
            .where(or_(Execution.id == root_id, Execution.root_id == root_id))
            .order_by(Execution.id)
        ).all()

    def length(self, root_id: str) -> int:
        """How many executions repeat this one."""
        return (
            self._session.scalar(
                select(func.count()).select_from(Execution).where(Execution.root_id == root_id)
            )
            or 0
        )

    def recent(self, execution: Execution) -> Sequence[Execution]:
        """The newest runs of the same name by the same person, without this one."""
        return self._session.scalars(
            select(Execution)
            .where(
                Execution.name == execution.name,
                Execution.user_id == execution.user_id,
                Execution.id != execution.id,
            )
            .order_by(Execution.id.desc())
            .limit(RECENT)
        ).all()

    def make_latest(self, execution_id: str, root_id: str, retry_count: int) -> None:
        """Let one execution be the newest of its chain."""
        self._session.execute(
            update(Execution)
            .where(or_(Execution.id == root_id, Execution.root_id == root_id))
            .values(is_latest=Execution.id == execution_id)
            .execution_options(synchronize_session=False)
        )
        self._session.execute(
            update(Execution)
            .where(Execution.id == execution_id)
            .values(retry_count=retry_count)
            .execution_options(synchronize_session=False)
        )
