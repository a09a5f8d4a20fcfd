"""The durable floors of output, the segments that hold it, and whose output it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from libs.kit.db import Prepared, Transaction
from services.execution.domain import TERMINAL, LogStatus
from services.execution.logs.domain import Floor
from services.execution.models import Execution, LogSegment, Task, TaskLog
from services.execution.repository import ExecutionRepository
from services.execution.segments.repository import Segment

IN_AT_ONCE = 500

REMOVED = "removed"
"""The state of a segment whose bytes retention has taken away."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose output it is: one attempt of a task of one agent."""

    task_id: str
    execution_id: str
    agent_id: str | None
    attempt: int
    host_id: int
    host_name: str
    step_id: str
    ip_address: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A task that has ended while its output is not known to be complete."""

    task_id: str
    execution_id: str
    attempt: int
    status: str
    totals: dict[str, object] | None


class LogRepository:
    """Floors and segments inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def owners(self, task_ids: Iterable[str]) -> dict[str, Owner]:
        """Whose output a task id stands for."""
        found: dict[str, Owner] = {}
        for some in _slices(task_ids):
            rows = self._tx.rows(_OWNERS, {"tasks": some})
            found.update((row.id, Owner(*row)) for row in rows)
        return found

    def owners_of(self, execution_id: str, *, limit: int) -> dict[str, Owner]:
        """The owners of the output of an execution, the first of them in the order of its hosts."""
        rows = self._tx.rows(_OWNERS_OF, {"execution": execution_id, "most": limit})
        return {row.id: Owner(*row) for row in rows}

    def owners_in(
        self, execution_id: str, *, host_id: int | None = None, step_id: str | None = None
    ) -> dict[str, Owner]:
        """The owners of the output of a host or step of an execution."""
        where = [Task.execution_id == execution_id]
        if host_id is not None:
            where.append(Task.host_id == host_id)
        if step_id is not None:
            where.append(Task.step_id == step_id)
        rows = self._session.execute(select(*_OWNER).where(*where).order_by(Task.id))
        return {row.id: Owner(*row) for row in rows}

    def statuses(self, execution_id: str, *, host_id: int, step_id: str) -> list[LogStatus]:
        """What is known about the output of a step on a host."""
        rows = self._session.scalars(
            select(Task.log_status)
            .where(Task.execution_id == execution_id, Task.host_id == host_id)
            .where(Task.step_id == step_id)
            .order_by(Task.id)
        )
        return [LogStatus(row) for row in rows]

    def floors(self, task_ids: Iterable[str]) -> Sequence[Floor]:
        """All floors of these tasks."""
        found: list[Floor] = []
        for some in _slices(task_ids):
            found += [Floor(*row) for row in self._tx.rows(_FLOORS, {"tasks": some})]
        return found

    def segments(self, execution_id: str) -> Sequence[Segment]:
        """The segments of an execution in their order."""
        rows = self._tx.rows(_SEGMENTS, {"execution": execution_id})
        return [
            Segment(
                *(row.execution_id, row.ordinal, row.file, row.position, row.length),
                sha256=row.sha256,
                is_removed=row.state == REMOVED,
            )
            for row in rows
        ]

    def store_floors(self, floors: Sequence[Floor]) -> None:
        """Raise floors; what lies below them is durable already."""
        statement = _RAISE_FLOORS["sqlite" if self._tx.is_sqlite else "postgresql"]
        rows: list[dict[str, object]] = [
            {
                "task_id": floor.task_id,
                "attempt": floor.attempt,
                "stream": floor.stream,
                "seq": floor.seq,
                "bytes": floor.bytes,
                "gap_bytes": floor.gap_bytes,
            }
            for floor in floors
        ]
        self._tx.run(statement, rows)

    def store_segments(self, fresh: Sequence[Segment], grown: Sequence[Segment]) -> None:
        """Note new segments and the valid lengths of known ones."""
        self._tx.run(
            _ADD_SEGMENTS,
            [
                {
                    "execution_id": segment.execution_id,
                    "ordinal": segment.ordinal,
                    "file": segment.file,
                    "position": segment.position,
                    "length": segment.length,
                }
                for segment in fresh
            ],
        )
        self._tx.run(
            _GROW_SEGMENT,
            [
                {
                    "of": segment.execution_id,
                    "number": segment.ordinal,
                    "valid": segment.length,
                }
                for segment in grown
            ],
        )

    def unsettled(self, limit: int) -> Sequence[Unsettled]:
        """Ended tasks whose output is still called live, oldest end first."""
        return [Unsettled(*row) for row in self._tx.rows(_UNSETTLED, {"most": limit})]

    def ended_among(self, task_ids: Iterable[str]) -> Sequence[Unsettled]:
        """Those of these tasks that have ended while their output is still called live."""
        found: list[Unsettled] = []
        for some in _slices(task_ids):
            found += [Unsettled(*row) for row in self._tx.rows(_ENDED_AMONG, {"tasks": some})]
        return found

    def settle(self, statuses: dict[str, LogStatus], execution_ids: set[str]) -> set[str]:
        """Say what is known about the output of ended tasks of these executions.

        Returns those of them that have not ended.
        """
        executions = ExecutionRepository(self._tx)
        executions.bump(execution_ids)
        rows = [{"task": task_id, "known": str(known)} for task_id, known in statuses.items()]
        self._tx.run(_SETTLE, rows)
        return {each for each in execution_ids if not executions.is_over(each)}


def _slices(ids: Iterable[str]) -> Iterable[list[str]]:
    wanted = sorted(set(ids))
    return (wanted[start : start + IN_AT_ONCE] for start in range(0, len(wanted), IN_AT_ONCE))


_OWNER = (
    Task.id,
    Task.execution_id,
    Task.agent_id,
    Task.attempt,
    Task.host_id,
    Task.host_name,
    Task.step_id,
    Task.ip_address,
)
_SEGMENTS = Prepared(
    select(
        LogSegment.execution_id,
        LogSegment.ordinal,
        LogSegment.file,
        LogSegment.position,
        LogSegment.length,
        LogSegment.sha256,
        LogSegment.state,
    )
    .where(LogSegment.execution_id == bindparam("execution"))
    .order_by(LogSegment.ordinal)
)

# Built once: agents make these run many times a second.
_OWNERS = Prepared(lambda among: select(*_OWNER).where(among(Task.id, "tasks")))
_OWNERS_OF = Prepared(
    select(*_OWNER)
    .where(Task.execution_id == bindparam("execution"))
    .order_by(Task.id)
    .limit(bindparam("most"))
)
_FLOORS = Prepared(
    lambda among: select(
        TaskLog.task_id,
        TaskLog.attempt,
        TaskLog.stream,
        TaskLog.seq,
        TaskLog.bytes,
        TaskLog.gap_bytes,
    ).where(among(TaskLog.task_id, "tasks"))
)
_ENDED = (Task.id, Task.execution_id, Task.attempt, Task.status, Task.totals)
_IS_UNSETTLED = (
    Task.log_status == LogStatus.LIVE,
    Task.finished_at.is_not(None),  # spares a look at each of thousands that run
    or_(*(Task.status == status for status in sorted(TERMINAL))),
)
_UNSETTLED = Prepared(
    select(*_ENDED).where(*_IS_UNSETTLED).order_by(Task.finished_at).limit(bindparam("most"))
)
_ENDED_AMONG = Prepared(
    lambda among: select(*_ENDED).where(among(Task.id, "tasks"), *_IS_UNSETTLED)
)
_SETTLE = Prepared(
    update(Task)
    .where(Task.id == bindparam("task"), Task.log_status == LogStatus.LIVE)
    .values(
        log_status=bindparam("known"),
        version=select(Execution.version)
        .where(Execution.id == Task.execution_id)
        .scalar_subquery(),
    )
)
_ADD_SEGMENTS = Prepared(insert(LogSegment))
_GROW_SEGMENT = Prepared(
    update(LogSegment)
    .where(LogSegment.execution_id == bindparam("of"), LogSegment.ordinal == bindparam("number"))
    .values(length=bindparam("valid"))
)


def _raise_floors(statement: "sqlite.Insert | postgresql.Insert") -> Prepared:
    raised = statement.on_conflict_do_update(
        index_elements=["task_id", "attempt", "stream"],
        set_={
            "seq": statement.excluded.seq,
            "bytes": statement.excluded.bytes,
            "gap_bytes": statement.excluded.gap_bytes,
        },
    )
    return Prepared(raised)


_RAISE_FLOORS = {
    "sqlite": _raise_floors(sqlite.insert(TaskLog)),
    "postgresql": _raise_floors(postgresql.insert(TaskLog)),
}
