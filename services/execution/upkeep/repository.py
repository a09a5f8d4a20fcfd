"""Which segments are due, and what became of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, text, update
from sqlalchemy.orm import aliased

from libs.kit.db import Transaction
from services.execution.domain import LogStatus
from services.execution.logs.repository import REMOVED
from services.execution.models import Execution, LogSegment, Task, TaskAttempt
from services.execution.repository import ExecutionRepository
from services.execution.segments.repository import Segment

OPEN, PACKED, DAMAGED = "open", "packed", "damaged"

_SEGMENT = (
    LogSegment.execution_id,
    LogSegment.ordinal,
    LogSegment.file,
    LogSegment.position,
    LogSegment.length,
)


class UpkeepRepository:
    """Segments inside one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def to_pack(self, before: datetime, limit: int) -> Sequence[Segment]:
        """Segments that nobody appends to: full ones, and those of executions long over."""
        later = aliased(LogSegment)
        is_full = exists().where(
            later.execution_id == LogSegment.execution_id, later.ordinal > LogSegment.ordinal
        )
        is_live = exists().where(
            Task.execution_id == LogSegment.execution_id, Task.log_status == LogStatus.LIVE
        )
        rows = self._session.execute(
            select(*_SEGMENT)
            .join(Execution, Execution.id == LogSegment.execution_id)
            .where(LogSegment.state == OPEN, or_(is_full, Execution.finished_at < before))
            .where(or_(is_full, ~is_live))
            .order_by(LogSegment.execution_id, LogSegment.ordinal)
            .limit(limit)
        )
        return [Segment(*row) for row in rows]

    def packed(self, before: Segment, after: Segment, stored_bytes: int) -> None:
        """The packed file holds the segment from now on; the other is deleted later."""
        self._tx.execute(
            update(LogSegment)
            .where(*_is(before), LogSegment.state == OPEN)
            .values(
                state=PACKED,
                file=after.file,
                raw_file=before.file,
                sha256=after.sha256,
                stored_bytes=stored_bytes,
                closed_at=self._tx.now,
            )
        )

    def damaged(self, segment: Segment) -> None:
        """A segment that could not be packed stays as it is."""
        self._tx.execute(
            update(LogSegment)
            .where(*_is(segment), LogSegment.state == OPEN)
            .values(state=DAMAGED, closed_at=self._tx.now)
        )

    def left_over(self, before: datetime, limit: int) -> Sequence[tuple[str, int, str]]:
        """Files that nobody reads any more: what was packed a while ago, and what was removed."""
        rows = self._session.execute(
            select(
                LogSegment.execution_id,
                LogSegment.ordinal,
                func.coalesce(LogSegment.raw_file, LogSegment.file),
            )
            .where(
                LogSegment.closed_at < before,
                or_(
                    (LogSegment.state == PACKED) & LogSegment.raw_file.is_not(None),
                    (LogSegment.state == REMOVED) & LogSegment.raw_file.is_not(None),
                    (LogSegment.state == REMOVED)
                    & (LogSegment.file != "")
                    & LogSegment.shelved_at.is_(None),
                ),
            )
            .limit(limit)
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def deleted(self, files: Sequence[tuple[str, int, str]]) -> None:
        """These files are gone from this disk."""
        for execution_id, ordinal, file in files:
            is_all = and_(LogSegment.file == file, LogSegment.shelved_at.is_(None))
            self._tx.execute(
                update(LogSegment)
                .where(LogSegment.execution_id == execution_id, LogSegment.ordinal == ordinal)
                .values(raw_file=None, file=case((is_all, literal("")), else_=LogSegment.file))
            )

    # ---- the object store -------------------------------------------------------------------

    def to_shelve(self, before: datetime, limit: int) -> Sequence[Segment]:
        """Packed segments that lie on this disk alone and were packed before, oldest first."""
        rows = self._session.execute(
            select(*_SEGMENT, LogSegment.sha256)
            .where(
                LogSegment.shelved_at.is_(None),
                text("state = 'packed'"),
                LogSegment.raw_file.is_(None),
                LogSegment.closed_at < before,
            )
            .order_by(LogSegment.closed_at)
            .limit(limit)
        )
        return [Segment(*row) for row in rows]

    def shelved(self, segment: Segment) -> None:
        """The object store has it; the file here is deleted later."""
        self._tx.execute(
            update(LogSegment)
            .where(*_is(segment), LogSegment.state == PACKED)
            .values(shelved_at=self._tx.now, raw_file=LogSegment.file, closed_at=self._tx.now)
        )

    def to_unshelve(self, before: datetime, limit: int) -> Sequence[Segment]:
        """Segments that were removed before and that the object store still has."""
        rows = self._session.execute(
            select(*_SEGMENT)
            .where(
                LogSegment.state == REMOVED,
                LogSegment.shelved_at.is_not(None),
                LogSegment.closed_at < before,
            )
            .limit(limit)
        )
        return [Segment(*row, is_removed=True) for row in rows]

    def unshelved(self, segment: Segment) -> None:
        """It is gone from there, too."""
        self._tx.execute(
            update(LogSegment).where(*_is(segment)).values(shelved_at=None, raw_file=None, file="")
        )

    def expired(self, before: datetime, limit: int) -> Sequence[str]:
        """Executions that ended before this and still have output."""
        return self._executions([Execution.finished_at < before], limit)

    def oldest(self, limit: int) -> Sequence[str]:
        """The executions that ended first and still have output."""
        return self._executions([Execution.finished_at.is_not(None)], limit)

    def _executions(self, where: Sequence[ColumnElement[bool]], limit: int) -> Sequence[str]:
        mine = LogSegment.execution_id == Execution.id
        has_output = exists().where(mine, LogSegment.state != REMOVED)
        is_growing = exists().where(mine, LogSegment.state == OPEN)
        return self._session.scalars(
            select(Execution.id)
            .where(*where, has_output, ~is_growing)
            .order_by(Execution.finished_at)
            .limit(limit)
        ).all()

    def stored_bytes(self, execution_id: str | None = None) -> int:
        """How much is kept, of one execution or in all."""
        statement = select(
            func.sum(func.coalesce(LogSegment.stored_bytes, LogSegment.length))
        ).where(LogSegment.state != REMOVED)
        if execution_id is not None:
            statement = statement.where(LogSegment.execution_id == execution_id)
        return int(self._session.scalar(statement) or 0)

    def remove(self, execution_id: str) -> None:
        """Forget an execution's output; its record says so."""
        executions = ExecutionRepository(self._tx)
        executions.bump([execution_id])
        self._tx.execute(
            update(LogSegment)
            .where(LogSegment.execution_id == execution_id, LogSegment.state != REMOVED)
            .values(state=REMOVED, sha256=None, stored_bytes=0, closed_at=self._tx.now)
        )
        kept = [LogStatus.NONE, LogStatus.LIVE]
        self._tx.execute(
            update(Task)
            .where(Task.execution_id == execution_id, Task.log_status.not_in(kept))
            .values(log_status=LogStatus.EXPIRED, version=executions.version_of(execution_id))
            .execution_options(synchronize_session=False)
        )
        tasks = select(Task.id).where(Task.execution_id == execution_id)
        self._tx.execute(
            update(TaskAttempt)
            .where(TaskAttempt.task_id.in_(tasks), TaskAttempt.log_status.not_in(kept))
            .values(log_status=LogStatus.EXPIRED)
            .execution_options(synchronize_session=False)
        )


def _is(segment: Segment) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        LogSegment.execution_id == segment.execution_id,
        LogSegment.ordinal == segment.ordinal,
    )
