"""Reads the stored output of one execution by line; in threads, in bounded memory."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from services.execution.history.domain import MAX_LINE_BYTES, Assembler, Line, Piece, Wanted
from services.execution.segments.domain import (
    ENDS,
    FRAME_BYTES,
    FRESH,
    HEADER,
    KIND,
    Frame,
    FrameDamaged,
    Index,
    Key,
    Kind,
    Selection,
    frames,
    gap_data,
)
from services.execution.segments.repository import Segment, SegmentFiles, scan

READ_AHEAD: Final = 256 * 1024
NEAR: Final = 32 * 1024
"""Frames that lie so close are read together, with what lies between them."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A frame among those that are wanted: segment, place among its wanted frames, lines before."""

    segment: int
    at: int
    lines: int


@dataclass(frozen=True, slots=True)
class Step:
    """A frame on the way through a log.

    `head` is the beginning of a line that this frame goes on with, where it is the first of its
    stream on the way; `lines` end in the frame, `skip` of them come before the way begins.
    """

    frame: Frame
    head: Piece | None
    lines: int
    skip: int


class StoredLog:
    """What is stored of an execution, as far as it is wanted."""

    def __init__(self, files: SegmentFiles, segments: Sequence[Segment], wanted: Wanted) -> None:
        self._files = files
        self._segments = [segment for segment in segments if not segment.is_removed]
        self._wanted = wanted

    # ---- counting -----------------------------------------------------------------------

    def lines_in(self, segment: Segment) -> int:
        """How many wanted lines end in a segment; none when it cannot be read."""
        try:
            if segment.sha256 is None:
                return self._selected(segment)[1].lines
            directory = self._files.directory(segment)
        except FrameDamaged:
            return 0
        if self._wanted.is_all:
            return directory.lines
        return sum(total.lines for total in directory.totals if self._wanted.has(total.key))

    def total(self) -> int:
        """How many wanted lines have ended."""
        return sum(map(self.lines_in, self._segments))

    def _selected(self, segment: Segment) -> tuple[Index, Selection]:
        index = self._files.index(segment)
        if self._wanted.is_all:
            return index, index.select(None)
        tasks = self._wanted.tasks
        few = tasks is not None and len(tasks) < len(index.keys)
        keys = index.keys_of(tasks) if tasks is not None and few else index.keys
        return index, index.select([key for key in keys if self._wanted.has(key)])

    def spot(self, number: int) -> Spot | None:
        """The frame in which line `number` ends; None when it has not."""
        before = 0
        for place, segment in enumerate(self._segments):
            count = self.lines_in(segment)
            if before + count >= number:
                _, selection = self._selected(segment)
                at = selection.find(number - before)
                return Spot(place, at, before + (selection.upto[at - 1] if at else 0))
            before += count
        return None

    def position(self, spot: Spot) -> int:
        """Where the frame of a spot begins in the execution's output."""
        segment = self._segments[spot.segment]
        index, selection = self._selected(segment)
        return segment.position + index.place[selection.records[spot.at]]

    def is_readable(self, offset: int) -> bool:
        """Whether the first segment has an index that covers it; FrameDamaged inside a frame."""
        segment = self._segments[0] if self._segments else None
        try:
            index = self._files.index(segment) if segment else Index()
        except FrameDamaged:
            return False
        if segment is None or index.until < segment.length:
            return False
        if index.at(offset) is None:
            raise FrameDamaged(offset)
        return True

    def first_at(self, offset: int) -> int:
        """Which of the wanted frames of the first segment is the first from an offset on."""
        index, selection = self._selected(self._segments[0])
        return bisect_left(selection.records, offset, key=lambda record: index.place[record])

    # ---- frames -------------------------------------------------------------------------

    def frames(self, segment: int = 0, at: int = 0) -> Iterator[tuple[int, Index, int, Frame]]:
        """The wanted frames from a place on: segment, its index, the record, the frame."""
        for number in range(segment, len(self._segments)):
            each = self._segments[number]
            try:
                index, selection = self._selected(each)
            except FrameDamaged:
                data = gap_data(each.length, "log_damaged")
                yield number, Index(), -1, Frame(Kind.DAMAGED, "", 0, "stdout", 0, 0, data)
                continue
            records = selection.records[at:]
            at = 0
            for record, frame in self._read(each, index, records):
                yield number, index, record, frame

    def _read(
        self, segment: Segment, index: Index, records: Sequence[int]
    ) -> Iterator[tuple[int, Frame]]:
        start, block = 0, b""
        for place, record in enumerate(records):
            begin, end = index.place[record], index.end(record)
            if not start <= begin <= end <= start + len(block):
                start = begin
                block = self._block(segment, begin, _reach(index, records, place) - begin)
            yield record, self._frame(index, record, block[begin - start : end - start])

    def _block(self, segment: Segment, offset: int, size: int) -> bytes:
        try:
            return self._files.read(segment, offset, size)
        except FrameDamaged:
            return b""

    @staticmethod
    def _frame(index: Index, record: int, data: bytes) -> Frame:
        try:
            for _, frame in frames(data):
                return frame
        except FrameDamaged:
            pass
        task_id, attempt, stream = index.keys[index.key[record]]
        missing = gap_data(index.size[record], "log_damaged")
        return Frame(Kind.DAMAGED, task_id, attempt, stream, 0, index.offset[record], missing)

    # ---- lines --------------------------------------------------------------------------

    def page(self, first: int, limit: int) -> list[Line]:
        """Lines from number `first` (from 1) on; at the end also those without an end."""
        found = list(islice(self.lines(first), limit))
        if len(found) < limit:
            following = found[-1].number + 1 if found else self.total() + 1
            if first <= following:
                found += islice(self.open_lines(following), limit - len(found))
        return found

    def lines(self, first: int = 1) -> Iterator[Line]:
        """All lines that have ended, from number `first` on, as they are read."""
        assembler = Assembler(first)
        for step in self.walk(first):
            frame = step.frame
            if not frame.task_id:
                length, reason = frame.gap
                yield Line(assembler.number, frame.key, 0, b"", 0, length, reason)
                continue
            if step.head is not None:
                assembler.pieces[frame.key] = step.head
            if frame.kind == Kind.DAMAGED:
                assembler.number += max(0, step.lines - step.skip)
            yield from assembler.take(frame, skip=step.skip)

    def walk(self, first: int = 1) -> Iterator[Step]:
        """The wanted frames from the one on in which line `first` ends; nothing if none does."""
        spot = self.spot(first)
        if spot is None:
            return
        skip = first - spot.lines - 1
        met: set[Key] = set()
        for number, index, record, frame in self.frames(spot.segment, spot.at):
            head = None
            if record >= 0 and frame.key not in met:
                met.add(frame.key)
                if not index.flags[record] & FRESH and index.offset[record]:
                    head = self._piece(frame.key, number, index, record)
            yield Step(frame, head, index.lines[record] if record >= 0 else 0, skip)
            skip = 0

    def _piece(self, key: Key, number: int, index: Index, record: int | None) -> Piece | None:
        """What lies before a record (or at the end) of the line that is open there."""
        earlier: list[tuple[Segment, Index, int]] = []
        for each, known, at in self._backwards(key, number, index, record):
            if known.flags[at] & ENDS:
                break
            earlier.append((each, known, at))
            if known.lines[at] or known.flags[at] & FRESH:
                break
        return self._joined(earlier)

    def _backwards(
        self, key: Key, number: int, index: Index, record: int | None
    ) -> Iterator[tuple[Segment, Index, int]]:
        at = index.before(record) if record is not None else index.last(key)
        while True:
            while at is not None:
                yield self._segments[number], index, at
                at = index.before(at)
            number -= 1
            while number >= 0 and not self._holds(self._segments[number], key):
                number -= 1
            if number < 0:
                return
            index = self._files.index(self._segments[number])
            at = index.last(key)

    def _holds(self, segment: Segment, key: Key) -> bool:
        try:
            if segment.sha256 is None:
                return self._files.index(segment).last(key) is not None
            return any(total.key == key for total in self._files.directory(segment).totals)
        except FrameDamaged:
            return False

    def _joined(self, earlier: list[tuple[Segment, Index, int]]) -> Piece | None:
        piece: Piece | None = None
        for segment, index, record in reversed(earlier):
            size, offset = index.size[record], index.offset[record]
            if piece is not None and len(piece.kept) >= MAX_LINE_BYTES:
                piece.length += size
                continue
            begin = index.place[record]
            frame = self._frame(index, record, self._block(segment, begin, HEADER.size + size))
            start = frame.data.rfind(b"\n") + 1 if index.flags[record] & KIND == 1 else 0
            if piece is None:
                piece = Piece(offset + start)
            if frame.kind == Kind.OUTPUT:
                piece.add(frame.data[start:])
            else:
                piece.miss(*frame.gap)
        return piece

    def open_lines(self, number: int) -> Iterator[Line]:
        """The last line of each wanted stream that has no end."""
        met: set[Key] = set()
        for place in range(len(self._segments) - 1, -1, -1):
            try:
                index = self._files.index(self._segments[place])
            except FrameDamaged:
                continue
            for key in index.keys:
                if key in met or not self._wanted.has(key):
                    continue
                met.add(key)
                piece = self._piece(key, place, index, None)
                if piece is not None:
                    yield piece.line(number, key, is_open=True)
                    number += 1


def read_from(
    files: SegmentFiles,
    segments: Sequence[Segment],
    position: int,
    *,
    limit_bytes: int,
    wanted: Wanted,
) -> tuple[list[tuple[int, Frame]], int]:
    """About so many bytes of wanted frames from a position on, each with the position behind it.

    Also the position from which to go on. What cannot be read any more comes as DAMAGED frames.
    Raises FrameDamaged when the position is inside a frame.
    """
    found: list[tuple[int, Frame]] = []
    size = 0
    following = position
    frames_ = scan(files, segments, position, block=limit_bytes + FRAME_BYTES)
    if not wanted.is_all:
        frames_ = _wanted_from(files, segments, position, wanted)
    for following, frame in frames_:
        found.append((following, frame))
        size += frame.size
        if size >= limit_bytes:
            return found, following
    if wanted.is_all or not segments:
        return found, following
    return found, max(following, segments[-1].end)


def _wanted_from(
    files: SegmentFiles, segments: Sequence[Segment], position: int, wanted: Wanted
) -> Iterator[tuple[int, Frame]]:
    for segment in segments:
        if segment.end <= position:
            continue
        offset = max(0, position - segment.position)
        log = StoredLog(files, [segment], wanted)
        if segment.is_removed or not log.is_readable(offset):
            yield from scan(files, [segment], segment.position + offset)
            continue
        for _, index, record, frame in log.frames(at=log.first_at(offset)):
            yield segment.position + index.end(record), frame


def _reach(index: Index, records: Sequence[int], place: int) -> int:
    """How far to read at once: over frames that lie close together, at most `READ_AHEAD`."""
    begin = index.place[records[place]]
    reach = index.end(records[place])
    for record in islice(records, place + 1, None):
        if index.place[record] > reach + NEAR or index.end(record) > begin + READ_AHEAD:
            break
        reach = index.end(record)
    return reach
