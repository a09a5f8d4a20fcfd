"""A task's output on disk: numbered segments of frames, each frame one chunk or one gap.

The shim appends, the agent reads, sends and deletes whole segments below the acknowledged floor.
How output is cut into chunks is thereby decided once and survives every restart. Behind little
output its task's exit record follows, because a file of its own costs more than all of it.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

from agent.state import PRIVATE, sync_folder, write_all

SEGMENT_BYTES = 1024 * 1024
_AHEAD_BYTES = 4096
"""What one look takes: most scripts say less."""
STREAMS = ("stdout", "stderr")
REASONS = ("spool_full", "output_limit", "disk_error", "spool_lost")

_FRAME = struct.Struct(">2sBBBxxxQQQ")
_MAGIC = b"OJ"
_OUTPUT, _GAP, _END = 1, 2, 3
_PREFIX = "spool."


@dataclass(frozen=True)
class Frame:
    """One chunk (`reason` empty) or one gap, and where its bytes lie."""

    stream: str
    seq: int
    offset: int
    length: int
    reason: str
    segment: int
    position: int


def segment_path(folder: str, number: int) -> str:
    """The file of a segment."""
    return os.path.join(folder, f"{_PREFIX}{number:06d}")


def segments(folder: str) -> list[int]:
    """Numbers of the segments that exist, ascending; none if there is no folder."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(name[len(_PREFIX) :]) for name in names if name.startswith(_PREFIX))


class SpoolWriter:
    """Appends frames and keeps seq and offset of both streams; raises OSError on a full disk."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._segment = -1
        self._descriptor = -1
        self._size = SEGMENT_BYTES
        self.seq = [0, 0]
        self.offset = [0, 0]
        self.written = 0

    @property
    def is_next_segment(self) -> bool:
        """Whether the next frame begins a further segment; the moment to look at `used`."""
        return self._segment >= 0 and self._size >= SEGMENT_BYTES

    def used(self) -> int:
        """Bytes on disk that the agent has not freed yet, within one segment."""
        return max(0, len(segments(self._folder)) - 1) * SEGMENT_BYTES + self._size

    def chunk(self, stream: int, content: bytes) -> None:
        """Append one chunk of at most 64 KiB; `stream` is 0 for stdout, 1 for stderr."""
        self._append(_OUTPUT, stream, 0, len(content), content)
        self.written += len(content)

    def gap(self, stream: int, length: int, reason: str) -> None:
        """State that the next `length` bytes of the stream were not kept."""
        self._append(_GAP, stream, REASONS.index(reason), length, b"")

    def end(self, content: bytes) -> bool:
        """Append the exit record, if one look of the reader then takes all; nothing follows it."""
        size = 0 if self._segment < 0 else self._size
        if self._segment > 0 or size + _FRAME.size + len(content) > _AHEAD_BYTES:
            return False
        self._append(_END, 0, 0, len(content), content)
        return True

    def sync(self) -> None:
        """Make the present segment durable; raises OSError while the disk refuses."""
        os.fsync(self._descriptor)
        sync_folder(self._folder)

    def close(self) -> None:
        """Nothing more will be written."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, kind: int, stream: int, reason: int, length: int, content: bytes) -> None:
        if self._size >= SEGMENT_BYTES:
            self._next_segment()
        seq, offset = self.seq[stream], self.offset[stream]
        frame = _FRAME.pack(_MAGIC, kind, stream, reason, seq, offset, length) + content
        try:
            write_all(self._descriptor, frame)
        except OSError:
            os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(frame)
        self.seq[stream] = seq + 1
        self.offset[stream] = offset + length

    def _next_segment(self) -> None:
        path = segment_path(self._folder, self._segment + 1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW
        descriptor = os.open(path, flags, PRIVATE)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._segment += 1
        self._descriptor, self._size = descriptor, 0


class SpoolReader:
    """Walks the frames of a spool from its first remaining segment, also while it grows."""

    def __init__(self, folder: str, *, is_new: bool = False) -> None:
        """In a folder that `is_new` nothing was freed yet: it begins with the first segment."""
        self._folder = folder
        self.first = self._segment = 0 if is_new else next(iter(segments(folder)), 0)
        self._position = 0
        self._ahead: tuple[int, int, bytes] = (-1, 0, b"")
        self._open: tuple[int, int] = (-1, -1)
        self.seq = dict.fromkeys(STREAMS, 0)
        self.offset = dict.fromkeys(STREAMS, 0)

    def next(self) -> Frame | None:
        """The next complete frame, None if there is none yet."""
        while True:
            header = self._look(self._position, _FRAME.size)
            if len(header) == _FRAME.size:
                return self._frame(header)
            if header or not os.path.exists(segment_path(self._folder, self._segment + 1)):
                return None
            self._segment += 1
            self._position = 0

    def end(self) -> bytes | None:
        """The exit record behind little output; None if there is none, or none here."""
        if self._segment:
            return None
        content = self._read(0, 0, _AHEAD_BYTES)
        position = 0
        while position + _FRAME.size <= len(content):
            magic, kind, _, _, _, _, length = _FRAME.unpack_from(content, position)
            position += _FRAME.size
            if magic != _MAGIC:
                return None
            if kind == _END and position + length <= len(content):
                self._ahead = (0, 0, content)  # nothing follows: no other look is needed
                return content[position : position + length]
            position += length if kind == _OUTPUT else 0
        return None

    def _look(self, position: int, size: int) -> bytes:
        """Bytes of the present segment, out of what was read already if all of them are there."""
        segment, begin, content = self._ahead
        if segment != self._segment or not begin <= position <= begin + len(content) - size:
            content = self._read(self._segment, position, max(size, _AHEAD_BYTES))
            begin = position
            self._ahead = (self._segment, begin, content)
        return content[position - begin : position - begin + size]

    def _frame(self, header: bytes) -> Frame | None:
        magic, kind, stream, reason, seq, offset, length = _FRAME.unpack(header)
        start = self._position + _FRAME.size
        stored = length if kind == _OUTPUT else 0
        if magic != _MAGIC or kind == _END or not self._has(start + stored):
            self._ahead = (-1, 0, b"")  # what is half written may be taken back
            return None
        word = REASONS[reason] if kind == _GAP else ""
        frame = Frame(STREAMS[stream], seq, offset, length, word, self._segment, start)
        self._position = start + stored
        self.seq[frame.stream] = seq + 1
        self.offset[frame.stream] = offset + length
        return frame

    def skip(self, stream: str, length: int) -> Frame:
        """Pass over bytes that the spool should hold and does not; a gap that states so."""
        seq, offset = self.seq[stream], self.offset[stream]
        self.seq[stream], self.offset[stream] = seq + 1, offset + length
        return Frame(stream, seq, offset, length, "spool_lost", self._segment, self._position)

    def _has(self, end: int) -> bool:
        """Whether the present segment reaches so far."""
        _, begin, content = self._ahead
        return begin + len(content) >= end or self._size(self._segment) >= end

    def content(self, frame: Frame) -> bytes:
        """The bytes of a chunk."""
        segment, begin, content = self._ahead
        at = frame.position - begin
        if segment == frame.segment and 0 <= at <= len(content) - frame.length:
            return content[at : at + frame.length]
        return self._read(frame.segment, frame.position, frame.length)

    def _read(self, segment: int, position: int, size: int) -> bytes:
        descriptor = self._descriptor(segment)
        return os.pread(descriptor, size, position) if descriptor >= 0 else b""

    def _size(self, segment: int) -> int:
        return os.fstat(self._descriptor(segment)).st_size

    def _descriptor(self, segment: int) -> int:
        if self._open[0] == segment and self._open[1] >= 0:
            return self._open[1]
        self.close()
        try:
            descriptor = os.open(segment_path(self._folder, segment), os.O_RDONLY)
        except FileNotFoundError:
            return -1
        self._open = (segment, descriptor)
        return descriptor

    def free_below(self, segment: int) -> None:
        """Delete the segments before this one; their frames are stored elsewhere."""
        for number in segments(self._folder):
            if number < segment:
                os.unlink(segment_path(self._folder, number))
        self.first = segment

    def close(self) -> None:
        """Release the open file."""
        if self._open[1] >= 0:
            os.close(self._open[1])
        self._open = (-1, -1)
