"""Which segment takes the output that comes next; one object for the one process that writes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from services.execution.segments.domain import Frame
from services.execution.segments.repository import (
    INDEXED_FROM,
    MOST_RECORDS,
    Segment,
    SegmentFiles,
)

REMEMBERED_EXECUTIONS: Final = 2_000

Earlier = Callable[[str], Awaitable[Sequence[Segment]]]
"""The segments that an execution has so far."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest segment of an execution."""

    segment: Segment
    frames: int = 0

    def takes(self, held: Sequence[Frame], limit: int) -> bool:
        """Whether so much more fits in."""
        size = self.segment.length + sum(frame.size for frame in held)
        return size <= limit and self.frames + len(held) <= MOST_RECORDS

    def grown(self, held: Sequence[Frame]) -> "Tail":
        """The same with so much more."""
        length = self.segment.length + sum(frame.size for frame in held)
        return Tail(replace(self.segment, length=length), self.frames + len(held))


@dataclass
class Appended:
    """What was written, but counts only once the database says so."""

    fresh: list[Segment] = field(default_factory=list)
    grown: list[Segment] = field(default_factory=list)
    tails: list[Tail] = field(default_factory=list)

    @property
    def segments(self) -> list[Segment]:
        """The segments as they are now."""
        return [tail.segment for tail in self.tails]


class Tails:
    """Appends output to segments and begins new ones, when they are full or another wrote before.

    The epoch is part of each file's name, so that a late writer never touches another's file.
    """

    def __init__(self, files: SegmentFiles, *, limit_bytes: int) -> None:
        self._files = files
        self._limit = limit_bytes
        self._epoch = 0
        self._tails: dict[str, Tail] = {}

    def begin(self, epoch: int) -> None:
        """Go on with new segments only."""
        self._epoch = epoch
        self._tails.clear()

    async def append(self, parts: Mapping[str, list[Frame]], earlier: Earlier) -> Appended:
        """Write frames by execution; on the disk when this returns. Raises OSError."""
        done = Appended()
        work: list[tuple[Tail, list[Frame]]] = []
        for execution_id, held in parts.items():
            tail = self._tails.get(execution_id)
            is_known = tail is not None and tail.takes(held, self._limit)
            if tail is None or not is_known:
                tail = await self._new(execution_id, tail, earlier)
            after = tail.grown(held)
            (done.grown if is_known else done.fresh).append(after.segment)
            done.tails.append(after)
            work.append((tail, held))
        await asyncio.to_thread(self._write, work)
        return done

    async def _new(self, execution_id: str, full: Tail | None, earlier: Earlier) -> Tail:
        if full is not None:
            last: Segment | None = full.segment
            self._files.let_go(full.segment.file)
        else:
            before = await earlier(execution_id)
            last = before[-1] if before else None
        ordinal = last.ordinal + 1 if last else 0
        file = SegmentFiles.name(execution_id, ordinal, self._epoch)
        return Tail(Segment(execution_id, ordinal, file, last.end if last else 0, length=0))

    def _write(self, work: Sequence[tuple[Tail, list[Frame]]]) -> None:
        """In a thread: frames behind their segments, long ones with records beside them."""
        parts: list[tuple[str, int, bytes]] = []
        records: list[tuple[str, bytes]] = []
        for tail, held in work:
            segment = tail.segment
            data = b"".join([frame.encode() for frame in held])
            parts.append((segment.file, segment.length, data))
            place = segment.length
            if place + len(data) > INDEXED_FROM:
                beside: list[bytes] = []
                for frame in held:
                    beside.append(frame.record(place))
                    place += frame.size
                records.append((segment.file, b"".join(beside)))
        self._files.append(parts, records)

    def accept(self, done: Appended) -> None:
        """The database has it."""
        for tail in done.tails:
            self._tails[tail.segment.execution_id] = tail
        while len(self._tails) > REMEMBERED_EXECUTIONS:
            del self._tails[next(iter(self._tails))]

    def retire(self, segments: Iterable[Segment]) -> None:
        """Append no more to these segments: they will be packed. Newer ones stay in use."""
        for segment in segments:
            tail = self._tails.get(segment.execution_id)
            if tail is not None and tail.segment.ordinal <= segment.ordinal:
                del self._tails[segment.execution_id]
                self._files.let_go(tail.segment.file)
