"""How output lies in a segment file, and the index that finds a line of a host in it.

A frame is a header of 48 bytes and, for output, the raw bytes as the script wrote them (R23). All
hosts of an execution share its segment, in the order of arrival, so one position in it is enough
to resume a live stream exactly. The index has a record for each frame and can be made again from
the frames at any time.
"""

import struct
import threading
import uuid
import zlib
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

HEADER = struct.Struct(">2sBB16sIQQII")
"""magic, kind, stream, task, attempt, seq, offset, length, CRC-32 of all other bytes."""
MAGIC = b"OL"
STREAMS = ("stdout", "stderr")
MAX_PAYLOAD = 64 * 1024
"""The largest chunk that the agents' protocol allows."""
FRAME_BYTES = HEADER.size + MAX_PAYLOAD
RECORD = struct.Struct("<16sIIIIQ")
"""A frame in the file beside a segment: task, tag, place, payload bytes, lines, offset."""

MOST_SELECTIONS = 64

Key = tuple[str, int, str]
"""Task, attempt and stream."""


class Kind(IntEnum):
    """What a frame holds."""

    OUTPUT = 1
    GAP = 2
    """No bytes of the script: `offset` and the length in the payload say what is missing."""
    DAMAGED = 3
    """Never stored: a frame was here and cannot be read any more."""


FRESH, ENDS, KIND = 4, 8, 3
"""Bits of a frame's flags; the kind is in the others."""


_STORED = {kind | fresh: kind for kind in (Kind.OUTPUT, Kind.GAP) for fresh in (0, FRESH)}


@lru_cache(maxsize=4096)
def _task_id(task: bytes) -> str:
    return str(uuid.UUID(bytes=task))


class Recent(OrderedDict[object, object]):
    """The last few things that were read; the caller holds the lock."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def make(self, key: object, how: Callable[[], T]) -> T:
        """What is remembered under a key, or was made just now."""
        if key in self:
            self.move_to_end(key)
            return self[key]  # type: ignore[return-value]  # one kind of value for a kind of key
        made = self[key] = how()
        if len(self) > self._most:
            self.popitem(last=False)
        return made


class FrameDamaged(Exception):
    """The bytes at this position are no frame, or not the ones that were written."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of one stream of one attempt."""

    kind: Kind
    task_id: str
    attempt: int
    stream: str
    seq: int
    offset: int
    data: bytes
    """Output, or for a gap its length (8 bytes, big endian) and the reason."""
    is_fresh: bool = False
    """The writer knew that a line begins here; otherwise it may have begun in an earlier frame."""

    @property
    def gap(self) -> tuple[int, str]:
        """How many bytes are missing and why."""
        return int.from_bytes(self.data[:8], "big"), self.data[8:].decode()

    @property
    def key(self) -> Key:
        """Whose output it is."""
        return self.task_id, self.attempt, self.stream

    @property
    def size(self) -> int:
        """Bytes in the segment."""
        return HEADER.size + len(self.data)

    @property
    def lines(self) -> int:
        """How many lines end in it."""
        return self.data.count(b"\n") if self.kind == Kind.OUTPUT else 0

    @property
    def flags(self) -> int:
        """Its kind, and whether a line begins with it (FRESH) and ends with it (ENDS)."""
        ends = ENDS if self.kind == Kind.OUTPUT and self.data.endswith(b"\n") else 0
        return self.kind | (FRESH if self.is_fresh else 0) | ends

    def record(self, place: int) -> bytes:
        """What the file beside the segment says of it."""
        task = uuid.UUID(self.task_id).bytes
        tag = self.attempt << 5 | STREAMS.index(self.stream) << 4 | self.flags
        return RECORD.pack(task, tag, place, len(self.data), self.lines, self.offset)

    def encode(self) -> bytes:
        """The frame as it is stored."""
        head = self._head(0)
        checksum = zlib.crc32(self.data, zlib.crc32(head))
        return self._head(checksum) + self.data

    def _head(self, checksum: int) -> bytes:
        return HEADER.pack(
            MAGIC,
            self.kind | (FRESH if self.is_fresh else 0),
            STREAMS.index(self.stream),
            uuid.UUID(self.task_id).bytes,
            self.attempt,
            self.seq,
            self.offset,
            len(self.data),
            checksum,
        )


def gap_data(length: int, reason: str) -> bytes:
    """The payload of a gap frame."""
    return length.to_bytes(8, "big") + reason.encode()


def frames(block: bytes) -> Iterator[tuple[int, Frame]]:
    """The whole frames in a block with their places in it; a cut last one is left out.

    Raises FrameDamaged where the block holds something else, also when it starts inside a frame.
    """
    place = 0
    while len(block) - place >= HEADER.size:
        magic, kind, stream, task, attempt, seq, offset, length, checksum = HEADER.unpack_from(
            block, place
        )
        if magic != MAGIC or length > MAX_PAYLOAD or stream >= len(STREAMS):
            raise FrameDamaged(place)
        if kind not in _STORED:
            raise FrameDamaged(place)
        end = place + HEADER.size + length
        if end > len(block):
            return
        data = block[place + HEADER.size : end]
        blank = block[place : place + HEADER.size - 4] + b"\0\0\0\0"
        if zlib.crc32(data, zlib.crc32(blank)) != checksum:
            raise FrameDamaged(place)
        frame = Frame(
            kind=_STORED[kind],
            task_id=_task_id(task),
            attempt=attempt,
            stream=STREAMS[stream],
            seq=seq,
            offset=offset,
            data=data,
            is_fresh=bool(kind & FRESH),
        )
        yield place, frame
        place = end


def readable(data: bytes) -> tuple[str, bool]:
    """Output as text, and whether bytes had to be replaced because they are no UTF-8."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), True


@dataclass(frozen=True, slots=True)
class Selection:
    """The frames of some streams in a segment, in order; `upto` counts the lines that end in each
    frame and those before it."""

    records: "array[int] | range"
    upto: "array[int]"

    @property
    def lines(self) -> int:
        """How many lines end in these frames."""
        return self.upto[-1] if self.upto else 0

    def find(self, number: int) -> int:
        """The first of these frames in which line `number` (from 1) ends."""
        return bisect_left(self.upto, number)


@dataclass(slots=True)
class Index:
    """A record for each frame of a segment, in columns; covers its first `until` bytes.

    One thread adds at a time; others may read meanwhile.
    """

    keys: list[Key] = field(default_factory=list)
    until: int = 0
    key: "array[int]" = field(default_factory=lambda: array("I"))
    flags: "array[int]" = field(default_factory=lambda: array("B"))
    place: "array[int]" = field(default_factory=lambda: array("I"))
    size: "array[int]" = field(default_factory=lambda: array("I"))
    lines: "array[int]" = field(default_factory=lambda: array("I"))
    offset: "array[int]" = field(default_factory=lambda: array("Q"))
    _numbers: dict[Key, int] = field(default_factory=dict)
    _before: "array[int]" = field(default_factory=lambda: array("i"))
    _last: dict[int, int] = field(default_factory=dict)
    _by_task: dict[str, list[Key]] = field(default_factory=dict)
    _known: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _chosen: dict[frozenset[int] | None, tuple[int, Selection]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = {key: number for number, key in enumerate(self.keys)}

    def __len__(self) -> int:
        return len(self.place)

    def add(self, frame: Frame) -> None:
        """The next frame."""
        self._add(frame.key, frame.flags, len(frame.data), frame.lines, frame.offset)

    def add_records(self, block: bytes, length: int) -> None:
        """Records of the file beside the segment, as far as they go on where this index ends.

        Nothing behind the valid `length` counts. What was written twice is passed over.
        """
        whole = len(block) - len(block) % RECORD.size
        for task, tag, place, size, lines, offset in RECORD.iter_unpack(block[:whole]):
            end = place + HEADER.size + size
            if place < self.until:
                continue
            if place > self.until or end > length or tag & KIND not in (1, 2):
                return
            key = (_task_id(task), tag >> 5, STREAMS[tag >> 4 & 1])
            self._add(key, tag & 15, size, lines, offset)

    def _add(self, key: Key, flags: int, size: int, lines: int, offset: int) -> None:
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.keys)
            self.keys.append(key)
        self.key.append(number)
        self.flags.append(flags)
        self.size.append(size)
        self.lines.append(lines)
        self.offset.append(offset)
        self.place.append(self.until)  # last: other threads go by the number of places
        self.until += HEADER.size + size

    def at(self, place: int) -> int | None:
        """The number of the frame that begins at a place, or None."""
        record = bisect_left(self.place, place)
        return record if record < len(self.place) and self.place[record] == place else None

    def end(self, record: int) -> int:
        """The place behind a frame."""
        return self.place[record] + HEADER.size + self.size[record]

    def before(self, record: int) -> int | None:
        """The frame of the same stream before this one, or None."""
        self._link()
        found = self._before[record]
        return None if found < 0 else found

    def last(self, key: Key) -> int | None:
        """The last frame of a stream, or None."""
        self._link()
        return self._last.get(self._numbers.get(key, -1))

    def keys_of(self, tasks: Iterable[str]) -> list[Key]:
        """The streams of these tasks that have frames here."""
        self._link()
        return [key for task in tasks for key in self._by_task.get(task, ())]

    def _link(self) -> None:
        with self._lock:
            for key in self.keys[self._known :]:
                self._by_task.setdefault(key[0], []).append(key)
                self._known += 1
            for record in range(len(self._before), len(self)):
                number = self.key[record]
                self._before.append(self._last.get(number, -1))
                self._last[number] = record

    def select(self, keys: "Iterable[Key] | None") -> Selection:
        """The frames of these streams, or all."""
        chosen = None
        if keys is not None:
            chosen = frozenset(self._numbers[key] for key in keys if key in self._numbers)
            if len(chosen) == len(self.keys):
                chosen = None
        count = len(self)
        known, found = self._chosen.get(chosen, (-1, None))
        if found is None or known != count:
            if len(self._chosen) >= MOST_SELECTIONS:
                self._chosen.clear()
            found = self._selection(chosen, count)
            self._chosen[chosen] = count, found
        return found

    def _selection(self, chosen: frozenset[int] | None, count: int) -> Selection:
        records: array[int] | range = range(count)
        if chosen is not None and len(chosen) == 1:
            records = self._chain(next(iter(chosen)), count)
        elif chosen is not None:
            records = array("I", [n for n in range(count) if self.key[n] in chosen])
        total, upto = 0, array("Q")
        for record in records:
            total += self.lines[record]
            upto.append(total)
        return Selection(records, upto)

    def _chain(self, number: int, count: int) -> "array[int]":
        """The frames of one stream, without a look at all others."""
        self._link()
        found = array("I")
        record = self._last.get(number, -1)
        while record >= 0:
            if record < count:
                found.append(record)
            record = self._before[record]
        found.reverse()
        return found

    def totals(self) -> list[tuple[Key, int, int]]:
        """Of each stream the lines that end here and the offset behind its last byte here."""
        lines, ends = [0] * len(self.keys), [0] * len(self.keys)
        for record, number in enumerate(self.key):
            lines[number] += self.lines[record]
            if self.flags[record] & KIND == Kind.OUTPUT:
                ends[number] = max(ends[number], self.offset[record] + self.size[record])
        return list(zip(self.keys, lines, ends, strict=True))
