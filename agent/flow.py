"""Sends one task's spool: what is in flight, what the floor allows to free, what goes again."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from agent.ledger import Key
from agent.records import ExitRecord, unpacked_exit
from agent.spool import STREAMS, Frame, SpoolReader
from libs.protocol.messages import Ack, Gap, Output, Want

MAX_FRAMES_IN_FLIGHT = 1024
STALL_SECONDS = 5.0
MAX_STALL_SECONDS = 60.0
_FRAME_COST = 128
"""Bytes that a frame counts beyond its content, so that tiny chunks are bounded too."""


@dataclass(frozen=True)
class Piece:
    """One message of output; `content` is empty for a gap."""

    message: Output | Gap
    content: bytes


class Flow:
    """The output of one attempt on its way to the gateway.

    `_sent` holds the frames in flight, oldest first; the first `_cursor` of them were sent in
    this session. Reading goes on behind them. A frame leaves when a floor covers it, a segment
    when all its frames have left.
    """

    def __init__(self, key: Key, execution_id: str, folder: str, *, is_new: bool = False) -> None:
        self.key = key
        self._is_new = is_new
        self._execution_id = execution_id
        self._folder = folder
        self._opened: SpoolReader | None = None
        self._sent: deque[Frame] = deque()
        self._cursor = 0
        self._floor = dict.fromkeys(STREAMS, (0, 0))
        self._totals: Mapping[str, int] | None = None
        self._moved_at = 0.0
        self._patience = STALL_SECONDS
        self.in_flight = 0

    @property
    def _reader(self) -> SpoolReader:
        """Opened when something is to be sent: a folder that was just made holds nothing yet."""
        if self._opened is None:
            self._opened = SpoolReader(self._folder, is_new=self._is_new)
        return self._opened

    def exit_record(self) -> ExitRecord | None:
        """How the task ended, if that is known and stands behind its output."""
        content = self._reader.end()
        return unpacked_exit(content) if content else None

    def finish(self, totals: Mapping[str, int]) -> None:
        """The task wrote this many bytes per stream; what the spool lacks of them becomes a gap."""
        self._totals = totals

    def next(self, room: int, now: float) -> Piece | None:
        """The next message that fits into `room` bytes of window; None if there is none now."""
        if self._cursor >= MAX_FRAMES_IN_FLIGHT:
            return None
        frame = self._next_frame()
        if frame is None:
            return None
        cost = _cost(frame)
        if cost > room and self.in_flight:
            return None
        if not self.in_flight:
            self._moved_at = now
        self._cursor += 1
        self.in_flight += cost
        return self._piece(frame)

    def _next_frame(self) -> Frame | None:
        """The frame at the cursor; it is read and remembered if it was never sent."""
        while self._cursor >= len(self._sent):
            if self._has_read_all():
                return None
            frame = self._reader.next() or self._missing_end()
            if frame is None:
                return None
            if not self._is_acked(frame):
                self._sent.append(frame)
        return self._sent[self._cursor]

    def _has_read_all(self) -> bool:
        """Whether the reader has passed the last byte, so that looking for more is in vain."""
        totals = self._totals
        if totals is None:
            return False
        reached = self._reader.offset
        return reached["stdout"] >= totals["stdout"] and reached["stderr"] >= totals["stderr"]

    def _missing_end(self) -> Frame | None:
        if self._totals is None:
            return None
        for stream in STREAMS:
            total, reached = self._totals[stream], self._reader.offset[stream]
            if reached < total:
                return self._reader.skip(stream, total - reached)
        return None

    def _piece(self, frame: Frame) -> Piece:
        task_id, attempt = self.key
        place = (self._execution_id, task_id, attempt, frame.stream, frame.seq, frame.offset)
        if frame.reason:
            return Piece(Gap(*place, frame.length, frame.reason), b"")  # type: ignore[arg-type]
        content = self._reader.content(frame)
        if len(content) < frame.length:
            return Piece(Gap(*place, frame.length, "spool_lost"), b"")  # type: ignore[arg-type]
        return Piece(Output(*place, frame.length), content)  # type: ignore[arg-type]

    def ack(self, message: Ack, now: float) -> bool:
        """A durable floor; one that goes backwards changes nothing. Whether it moved."""
        if message.seq <= self._floor[message.stream][0]:
            return False
        self._floor[message.stream] = (message.seq, message.offset)
        self._moved_at, self._patience = now, STALL_SECONDS
        self._free()
        return True

    def _free(self) -> None:
        """Forget acknowledged frames at the front, and the segments that hold nothing else."""
        segment = None
        while self._sent and self._is_acked(self._sent[0]):
            frame = self._sent.popleft()
            segment = frame.segment
            if self._cursor:
                self._cursor -= 1
                self.in_flight -= _cost(frame)
        if segment is not None:
            first = self._sent[0].segment if self._sent else segment
            if first > self._reader.first:
                self._reader.free_below(first)

    def _is_acked(self, frame: Frame) -> bool:
        seq, offset = self._floor[frame.stream]
        return frame.seq < seq and frame.offset + frame.length <= offset

    def want(self, message: Want) -> None:
        """Send again from this chunk on, if it is still ours to send."""
        for index, frame in enumerate(self._sent):
            if frame.stream == message.stream and frame.seq == message.seq:
                self._cursor = min(self._cursor, index)
                break
        self._count()

    def rewind(self) -> None:
        """Send everything in flight again: the session is new, or the floor stands still."""
        self._cursor = 0
        self._count()

    def _count(self) -> None:
        self.in_flight = sum(_cost(self._sent[index]) for index in range(self._cursor))

    def check_stall(self, now: float) -> bool:
        """Rewind if the floor stood still for 5 s, later ever longer; True if it did."""
        if not self.in_flight or now - self._moved_at < self._patience:
            return False
        self._moved_at = now
        self._patience = min(self._patience * 2, MAX_STALL_SECONDS)
        self.rewind()
        return True

    def wait_anew(self, now: float) -> bool:
        """Wait only as long as at first, if the floor stood still for longer; True if it did."""
        if self._patience <= STALL_SECONDS:
            return False
        self._moved_at, self._patience = now, STALL_SECONDS
        return True

    @property
    def is_complete(self) -> bool:
        """The task has ended and every byte and gap is acknowledged."""
        if self._totals is None or self._sent:
            return False
        return self._next_frame() is None

    def close(self) -> None:
        """Release the open file."""
        if self._opened is not None:
            self._opened.close()


def _cost(frame: Frame) -> int:
    return (0 if frame.reason else frame.length) + _FRAME_COST
