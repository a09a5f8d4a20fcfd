"""The append-only file that decides what may start: records `len, crc32, seq, type, body`."""

from __future__ import annotations

import os
import re
import struct
import zlib
from dataclasses import dataclass, field

from agent.state import PRIVATE, sync_folder

_HEADER = struct.Struct(">IIQB")
_COVERED = struct.Struct(">QB")
_MAX_BODY = 1024 * 1024
"""An end with 64 KiB of outputs, quoted twice."""
_GROWTH = 1024 * 1024
_PIECE = 64 * 1024
"""A kernel that caches what was written at once as a whole looks through it at each write."""
_RESERVE = 256 * 1024
_MENTION = re.compile(rb'"task_id":"([A-Za-z0-9][A-Za-z0-9_-]{0,63})","attempt":([0-9]{1,7})')

GRANTED = 1
STARTING = 2
EXITED = 3
SETTLED = 4
DAMAGED = 5
COUNTER = 6


class JournalFull(Exception):
    """The disk has no room for another start; room for ends is kept in reserve."""


@dataclass(frozen=True)
class Record:
    """One entry; `body` is JSON that begins with task_id and attempt, but for a counter's."""

    seq: int
    kind: int
    body: bytes


@dataclass
class Reading:
    """What a journal file held: good records, the place to go on, and what damage mentions."""

    records: list[Record] = field(default_factory=list)
    end: int = 0
    damaged: set[tuple[str, int]] = field(default_factory=set)
    damaged_bytes: int = 0


def read_records(content: bytes) -> Reading:
    """All good records; a torn tail is cut, damage before good records is searched for ids."""
    reading = Reading()
    position = 0
    last_seq = 0
    while True:
        record, following = _record_at(content, position, last_seq)
        if record is not None:
            reading.records.append(record)
            last_seq, position = record.seq, following
            continue
        found = _next_good(content, position, last_seq)
        if found is None:
            reading.end = position
            return reading
        skipped = content[position:found]
        reading.damaged_bytes += len(skipped)
        for task_id, attempt in _MENTION.findall(skipped):
            reading.damaged.add((task_id.decode(), int(attempt)))
        position = found


def _record_at(content: bytes, position: int, after: int) -> tuple[Record | None, int]:
    start = position + _HEADER.size
    if start > len(content):
        return None, position
    length, crc, seq, kind = _HEADER.unpack_from(content, position)
    end = start + length
    if not 0 < length <= _MAX_BODY or end > len(content) or seq <= after:
        return None, position
    body = content[start:end]
    if zlib.crc32(body, zlib.crc32(_COVERED.pack(seq, kind))) != crc:
        return None, position
    return Record(seq, kind, body), end


def _next_good(content: bytes, position: int, after: int) -> int | None:
    """Where the next intact record begins; None if only a torn tail or free space follows."""
    end = len(content.rstrip(b"\0"))
    for candidate in range(position + 1, end):
        if content[candidate] == 0 and _record_at(content, candidate, after)[0] is not None:
            return candidate
    return None


class Journal:
    """One agent's journal, open for appending.

    Records are on disk after `sync`. The file grows in preallocated steps, so that a full disk
    stops new starts (JournalFull) and never the record of an end.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE)
        with open(path, "rb") as file:
            content = file.read()
        self.reading = read_records(content)
        self._seq = self.reading.records[-1].seq if self.reading.records else 0
        self._end = self.reading.end
        self._allocated = len(content)
        self._cut_tail(content)
        if self._allocated < _GROWTH:
            self._grow()

    def _cut_tail(self, content: bytes) -> None:
        torn = len(content.rstrip(b"\0")) - self._end
        if torn > 0:
            os.pwrite(self._descriptor, bytes(torn), self._end)
            os.fsync(self._descriptor)

    @property
    def size(self) -> int:
        """Bytes used by records."""
        return self._end

    def append(self, kind: int, body: bytes, *, is_start: bool = False) -> None:
        """Add a record; it is durable after the next `sync`."""
        self._seq += 1
        crc = zlib.crc32(body, zlib.crc32(_COVERED.pack(self._seq, kind)))
        record = _HEADER.pack(len(body), crc, self._seq, kind) + body
        self._make_room(len(record), is_start=is_start)
        os.pwrite(self._descriptor, record, self._end)
        self._end += len(record)

    def _make_room(self, size: int, *, is_start: bool) -> None:
        needed = self._end + size + _RESERVE
        if needed <= self._allocated:
            return
        try:
            self._grow()
        except OSError as error:
            if is_start:
                raise JournalFull(str(error)) from error

    def _grow(self) -> None:
        """Fill more of the file with zeros: a write into it then changes data, no metadata."""
        zeros = bytes(_PIECE)
        written = 0
        while written < _GROWTH:
            part = zeros[: _GROWTH - written]
            written += os.pwrite(self._descriptor, part, self._allocated + written)
        self._allocated += _GROWTH
        os.fsync(self._descriptor)

    def sync(self) -> None:
        """Wait until everything appended is on disk."""
        os.fdatasync(self._descriptor)

    def rewrite(self, records: list[tuple[int, bytes]]) -> None:
        """Replace the journal by these records, atomically; used to drop what is settled."""
        temporary = f"{self._path}.new"
        if os.path.exists(temporary):
            os.unlink(temporary)
        replacement = Journal(temporary)
        replacement._seq = self._seq  # numbers go on, so an old record never looks newer
        for kind, body in records:
            replacement.append(kind, body)
        os.fsync(replacement._descriptor)
        os.replace(temporary, self._path)
        sync_folder(os.path.dirname(self._path))
        os.close(self._descriptor)
        self._descriptor, self._end = replacement._descriptor, replacement._end
        self._seq, self._allocated = replacement._seq, replacement._allocated

    def close(self) -> None:
        os.close(self._descriptor)
