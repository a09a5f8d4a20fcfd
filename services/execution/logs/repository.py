"""The durable floors of output, the segments that hold it, and whose output it is."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from libs.kit.db import Transaction
from services.execution.domain import TERMINAL, LogStatus
from services.execution.logs.domain import Frame, FrameDamaged, Kind, frames
from services.execution.models import Execution, LogSegment, Task, TaskLog
from services.execution.repository import ExecutionRepository

IN_AT_ONCE = 500
SCAN_BYTES = 4 * 1024 * 1024

Payload = bytes
Key = tuple[str, int, str]
"""Task, attempt and stream."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose output it is: one attempt of a task of one agent."""

    task_id: str
    execution_id: str
    agent_id: str | None
    attempt: int
    host_id: int
    host_name: str


@dataclass(frozen=True, slots=True)
class Floor:
    """How much of one stream of one attempt is durable."""

    task_id: str
    attempt: int
    stream: str
    seq: int
    bytes: int
    gap_bytes: int

    def frame(self, kind: Kind, data: Payload) -> Frame:
        """What lies next above this floor."""
        return Frame(kind, self.task_id, self.attempt, self.stream, self.seq, self.bytes, data)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an execution's output: `length` valid bytes of a file, from `position` on."""

    execution_id: str
    ordinal: int
    file: str
    position: int
    length: int


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A task that has ended while its output is not known to be complete."""

    task_id: str
    execution_id: str
    attempt: int
    status: str
    finished_at: datetime | None
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
            rows = self._session.execute(
                select(
                    Task.id,
                    Task.execution_id,
                    Task.agent_id,
                    Task.attempt,
                    Task.host_id,
                    Task.host_name,
                ).where(Task.id.in_(some))
            )
            found.update((row.id, Owner(*row)) for row in rows)
        return found

    def owners_in(self, execution_id: str, *, limit: int | None = None) -> dict[str, Owner]:
        """The owners of the output of an execution."""
        rows = self._session.execute(
            select(
                Task.id,
                Task.execution_id,
                Task.agent_id,
                Task.attempt,
                Task.host_id,
                Task.host_name,
            )
            .where(Task.execution_id == execution_id)
            .order_by(Task.id)
            .limit(limit)
        )
        return {row.id: Owner(*row) for row in rows}

    def floors(self, task_ids: Iterable[str]) -> Sequence[Floor]:
        """All floors of these tasks."""
        found: list[Floor] = []
        for some in _slices(task_ids):
            rows = self._session.execute(
                select(
                    TaskLog.task_id,
                    TaskLog.attempt,
                    TaskLog.stream,
                    TaskLog.seq,
                    TaskLog.bytes,
                    TaskLog.gap_bytes,
                ).where(TaskLog.task_id.in_(some))
            )
            found += [Floor(*row) for row in rows]
        return found

    def segments(self, execution_id: str) -> Sequence[Segment]:
        """The segments of an execution in their order."""
        rows = self._session.connection().execute(_SEGMENTS, {"execution": execution_id})
        return [Segment(*row) for row in rows]

    def store_floors(self, floors: Sequence[Floor]) -> None:
        """Raise floors; what lies below them is durable already."""
        if not floors:
            return
        dialect = postgresql if self._session.get_bind().dialect.name == "postgresql" else sqlite
        statement = dialect.insert(TaskLog)
        statement = statement.on_conflict_do_update(
            index_elements=["task_id", "attempt", "stream"],
            set_={
                "seq": statement.excluded.seq,
                "bytes": statement.excluded.bytes,
                "gap_bytes": statement.excluded.gap_bytes,
            },
        )
        rows = [
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
        self._session.connection().execute(statement, rows)

    def store_segments(self, fresh: Sequence[Segment], grown: Sequence[Segment]) -> None:
        """Note new segments and the valid lengths of known ones."""
        if fresh:
            self._session.execute(
                insert(LogSegment),
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
        if grown:
            self._session.connection().execute(
                update(LogSegment)
                .where(
                    LogSegment.execution_id == bindparam("of"),
                    LogSegment.ordinal == bindparam("number"),
                )
                .values(length=bindparam("valid")),
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
        rows = self._session.execute(
            select(
                Task.id,
                Task.execution_id,
                Task.attempt,
                Task.status,
                Task.finished_at,
                Task.totals,
            )
            .where(
                Task.log_status == LogStatus.LIVE,
                Task.status.in_([str(status) for status in TERMINAL]),
            )
            .order_by(Task.finished_at)
            .limit(limit)
        )
        return [Unsettled(*row) for row in rows]

    def settle(self, statuses: dict[str, LogStatus]) -> set[str]:
        """Say what is known about the output of ended tasks; returns their executions."""
        owners = self.owners(statuses)
        touched = {owner.execution_id for owner in owners.values()}
        ExecutionRepository(self._tx).bump(touched)
        version = (
            select(Execution.version).where(Execution.id == Task.execution_id).scalar_subquery()
        )
        self._session.connection().execute(
            update(Task)
            .where(Task.id == bindparam("task"), Task.log_status == LogStatus.LIVE)
            .values(log_status=bindparam("known"), version=version),
            [{"task": task_id, "known": str(status)} for task_id, status in statuses.items()],
        )
        return touched


def _slices(ids: Iterable[str]) -> Iterable[list[str]]:
    wanted = sorted(set(ids))
    return (wanted[start : start + IN_AT_ONCE] for start in range(0, len(wanted), IN_AT_ONCE))


_SEGMENTS = (
    select(
        LogSegment.execution_id,
        LogSegment.ordinal,
        LogSegment.file,
        LogSegment.position,
        LogSegment.length,
    )
    .where(LogSegment.execution_id == bindparam("execution"))
    .order_by(LogSegment.ordinal)
)


class SegmentFiles:
    """The segment files below one folder. Used from threads, one writer at a time."""

    OPEN_AT_ONCE = 128

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: OrderedDict[str, int] = OrderedDict()

    @staticmethod
    def name(execution_id: str, ordinal: int, epoch: int) -> str:
        """Where a segment lies; the epoch keeps writers apart that follow one another (R30)."""
        return f"{execution_id[:6]}/{execution_id}/{ordinal:06d}-{epoch}.log"

    def append(self, parts: Sequence[tuple[str, int, bytes]]) -> None:
        """Write each (file, offset, bytes) and return when all of it is on the disk.

        Raises OSError, for example on a full disk; then nothing of it counts as written.
        """
        for file, offset, data in parts:
            descriptor = self._descriptor(file)
            done = 0
            while done < len(data):
                done += os.pwrite(descriptor, memoryview(data)[done:], offset + done)
        for file in {file for file, _, _ in parts}:
            os.fdatasync(self._descriptor(file))

    def read(self, file: str, offset: int, size: int) -> bytes:
        """At most `size` bytes from a segment. Raises OSError when the file is gone."""
        with (self._folder / file).open("rb", buffering=0) as stream:
            return os.pread(stream.fileno(), size, offset)

    def close(self) -> None:
        """Let go of all files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _descriptor(self, file: str) -> int:
        descriptor = self._open.pop(file, None)
        if descriptor is None:
            path = self._folder / file
            new = not path.exists()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if new:
                _sync_folder(path.parent)
        self._open[file] = descriptor
        while len(self._open) > self.OPEN_AT_ONCE:
            os.close(self._open.popitem(last=False)[1])
        return descriptor


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digests(
    files: SegmentFiles, segments: Sequence[Segment], keys: set[Key]
) -> dict[Key, "hashlib._Hash"]:
    """The SHA-256 of streams as they are stored; reads all of the segments, in a thread."""
    found = {key: hashlib.sha256() for key in keys}
    for _, frame in scan(files, segments, 0):
        key = (frame.task_id, frame.attempt, frame.stream)
        if frame.kind == Kind.OUTPUT and key in found:
            found[key].update(frame.data)
    return found


def scan(
    files: SegmentFiles, segments: Sequence[Segment], position: int, *, block: int = SCAN_BYTES
) -> Iterator[tuple[int, Frame]]:
    """Frames from a position on, with the position behind each; in a thread, not in the loop.

    `block` bytes are read at a time; it must be more than the largest frame.

    Raises FrameDamaged when the position is inside a frame or the file is not what was written.
    """
    for segment in segments:
        end = segment.position + segment.length
        while segment.position <= position < end:
            size = min(block, end - position)
            data = files.read(segment.file, position - segment.position, size)
            whole = False
            start = position
            for place, frame in frames(data):
                whole = True
                position = start + place + frame.size
                yield position, frame
            if not whole:
                raise FrameDamaged(position)
