"""Turns what a script writes into chunks: at once when quiet, packed when busy, bounded always."""

from __future__ import annotations

import hashlib
import os

from agent.records import StreamEnd
from agent.spool import STREAMS, SpoolWriter
from agent.state import PRIVATE

CHUNK_BYTES = 64 * 1024
FLUSH_SECONDS = 0.025
"""Between two chunks of a busy stream; the first bytes after a pause do not wait."""

_TAIL_BYTES = 8 * 1024 * 1024
_RECHECK_SECONDS = 0.2


def utf8_boundary(content: bytes | bytearray) -> int:
    """Where to cut so that no valid UTF-8 sequence is split; the length if nothing is pending."""
    size = len(content)
    for back in range(1, min(3, size) + 1):
        byte = content[size - back]
        if byte < 0x80:
            return size
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4 if byte < 0xF8 else 1
            return size - back if needed > back else size
    return size


class Tail:
    """The last bytes of a stream that found no room, in a file of fixed size used as a ring.

    Bytes are numbered from 0 as they are added; those from `start` on are not moved on yet, and
    the newest `kept` of them still exist. A disk error makes it forget, never miscount.
    """

    def __init__(self, path: str, capacity: int) -> None:
        self._path = path
        self._capacity = capacity
        self._descriptor = -1
        self.start = 0
        self.total = 0

    @property
    def kept(self) -> int:
        """How many of the newest bytes are still here."""
        return min(self.total - self.start, self._capacity)

    def add(self, content: bytes) -> None:
        """Remember these bytes and forget the oldest beyond the capacity."""
        position = self.total
        self.total += len(content)
        if len(content) > self._capacity:
            position += len(content) - self._capacity
            content = content[len(content) - self._capacity :]
        try:
            self._store(position, content)
        except OSError:
            self._capacity = 0

    def _store(self, position: int, content: bytes) -> None:
        if self._descriptor < 0 and content:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, PRIVATE)
        while content:
            at = position % self._capacity
            taken = os.pwrite(self._descriptor, content[: self._capacity - at], at)
            position, content = position + taken, content[taken:]

    def read(self, size: int) -> bytes:
        """At most `size` kept bytes from `start` on, up to the end of the ring."""
        at = self.start % self._capacity
        size = min(size, self.total - self.start, self._capacity - at)
        return os.pread(self._descriptor, size, at)

    def clear(self) -> None:
        """Release the file; everything was moved on."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            os.unlink(self._path)
        self._descriptor, self.start, self.total = -1, 0, 0


class Capture:
    """Both streams of one task: hashing, cutting, and head and tail when there is no room.

    `spool_bytes` bounds what lies on the disk unacknowledged, `output_bytes` what is kept at all.
    Beyond either, the newest bytes stay in a tail of bounded size, and what falls between is
    stated as one exact gap.
    """

    def __init__(self, folder: str, *, spool_bytes: int, output_bytes: int) -> None:
        self._spool = SpoolWriter(folder)
        tail = min(_TAIL_BYTES, spool_bytes // 8, output_bytes // 8)
        self._tails = [Tail(os.path.join(folder, f"tail.{name}"), tail) for name in STREAMS]
        self._spool_limit = spool_bytes - 2 * tail
        self._output_limit = output_bytes - 2 * tail
        self._pending = [bytearray(), bytearray()]
        self._flushed = [0.0, 0.0]
        self._hashes = [hashlib.sha256(), hashlib.sha256()]
        self._bytes = [0, 0]
        self._overflow = ""
        self._checked = 0.0
        self.cut: set[str] = set()
        """Streams of which a part is missing because more was written than may be kept."""

    @property
    def total(self) -> int:
        """Bytes that were written to both streams."""
        return sum(self._bytes)

    def add(self, stream: int, content: bytes, now: float) -> bool:
        """Take bytes; True if a chunk became readable for the agent."""
        self._hashes[stream].update(content)
        self._bytes[stream] += len(content)
        self._pending[stream] += content
        is_full = len(self._pending[stream]) >= CHUNK_BYTES
        if is_full or now - self._flushed[stream] >= FLUSH_SECONDS:
            return self._flush(stream, now)
        return False

    def due(self) -> float | None:
        """When pending bytes must leave, on the clock given to `add`; None if none wait."""
        waiting = [self._flushed[s] + FLUSH_SECONDS for s in (0, 1) if self._is_waiting(s)]
        return min(waiting, default=None)

    def _is_waiting(self, stream: int) -> bool:
        """Bytes are pending, and they are more than the beginning of one character."""
        pending = self._pending[stream]
        return len(pending) > 3 or utf8_boundary(pending) > 0

    def flush_due(self, now: float) -> bool:
        """Cut what has waited long enough; True if a chunk became readable."""
        done = False
        for stream in (0, 1):
            if self._is_waiting(stream) and now - self._flushed[stream] >= FLUSH_SECONDS:
                done |= self._flush(stream, now)
        return done

    def _flush(self, stream: int, now: float, *, is_end: bool = False) -> bool:
        self._flushed[stream] = now
        pending = self._pending[stream]
        sent = False
        while pending:
            part = bytes(pending[:CHUNK_BYTES])
            cut = len(part) if is_end and len(part) == len(pending) else utf8_boundary(part)
            if cut == 0:
                break
            sent |= self._keep(stream, part[:cut], now)
            del pending[:cut]
        return sent

    def _keep(self, stream: int, part: bytes, now: float) -> bool:
        if self._overflow and not self._has_room_again(now):
            self._tails[stream].add(part)
            return False
        self._overflow = self._overflow or self._limit_reached(len(part))
        if self._overflow:
            self._tails[stream].add(part)
            return False
        try:
            self._spool.chunk(stream, part)
        except OSError:
            self._overflow = "disk_error"
            self._tails[stream].add(part)
            return False
        return True

    def _limit_reached(self, size: int) -> str:
        if self._spool.written + size > self._output_limit:
            return "output_limit"
        if self._spool.is_next_segment and self._spool.used() > self._spool_limit:
            return "spool_full"
        return ""

    def _has_room_again(self, now: float) -> bool:
        """Whether the agent freed enough; then what waits in the tails goes first."""
        if self._overflow == "output_limit" or now - self._checked < _RECHECK_SECONDS:
            return False
        self._checked = now
        waiting = sum(tail.kept for tail in self._tails)
        if self._spool.used() + waiting > self._spool_limit:
            return False
        return self._empty_tails()

    def _empty_tails(self) -> bool:
        """Gap and tail of each stream into the spool; False if the disk refuses."""
        try:
            for stream, tail in enumerate(self._tails):
                self._empty_tail(stream, tail)
        except OSError:
            return False
        self._overflow = ""
        return True

    def _empty_tail(self, stream: int, tail: Tail) -> None:
        missing = tail.total - tail.kept - tail.start
        if missing:
            self._spool.gap(stream, missing, self._overflow)
            if self._overflow == "output_limit":
                self.cut.add(STREAMS[stream])
            tail.start += missing
        while tail.start < tail.total:
            part = tail.read(CHUNK_BYTES)
            part = part[: utf8_boundary(part) or len(part)]
            self._spool.chunk(stream, part)
            tail.start += len(part)
        tail.clear()

    def finish(self, now: float) -> list[StreamEnd]:
        """Flush everything; the totals of stdout and stderr. `end` and `close` may follow."""
        for stream in (0, 1):
            self._flush(stream, now, is_end=True)
        if self._overflow:
            self._empty_tails()
        for tail in self._tails:
            tail.clear()
        return [
            StreamEnd(
                bytes=self._bytes[stream],
                sha256=self._hashes[stream].hexdigest(),
                seq=self._spool.seq[stream],
                kept=self._spool.offset[stream],
            )
            for stream in (0, 1)
        ]

    def end(self, record: bytes) -> bool:
        """Keep the exit record behind the output; False if that is too long for one look.

        Raises OSError on a full disk.
        """
        return self._spool.end(record)

    def sync(self) -> None:
        """Make the end of the output durable; raises OSError while the disk refuses."""
        self._spool.sync()

    def close(self) -> None:
        """Release the open file."""
        self._spool.close()
