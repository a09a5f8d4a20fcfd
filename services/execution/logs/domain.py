"""How far output has come, what an agent signed about it, how long the rest is waited for; pure."""

import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from services.execution.segments.domain import STREAMS, Frame, Key, Kind, gap_data

Totals = Mapping[str, object]
EMPTY = hashlib.sha256().hexdigest()
DEAF_SECONDS = 30.0
"""A longer pause between two looks means that nothing could have arrived."""
LONGEST = 5
"""So many times its patience a task is waited for while other output of its agent arrives."""
REMEMBERED_CHUNKS = 64
"""Checksums kept per stream to recognise a repeated chunk with other bytes (R20)."""

Payload = bytes


@dataclass(frozen=True, slots=True)
class Floor:
    """How much of one stream of one attempt is durable."""

    task_id: str
    attempt: int
    stream: str
    seq: int
    bytes: int
    gap_bytes: int

    def frame(self, kind: Kind, data: Payload, *, is_fresh: bool = False) -> Frame:
        """What lies next above this floor."""
        key = (self.task_id, self.attempt, self.stream)
        return Frame(kind, *key, self.seq, self.bytes, data, is_fresh)


@dataclass(slots=True)
class Stream:
    """Where a stream of an attempt stands in this process; never ahead of what will be durable."""

    floor: Floor
    digest: "hashlib._Hash | None"
    """None when this process has not seen the stream from its beginning."""
    recent: OrderedDict[int, int] = field(default_factory=OrderedDict)
    at_line: bool = False
    """Whether a line is known to begin with the next chunk."""

    def has_other(self, seq: int, data: object) -> bool:
        """Whether a chunk of this number is known with other bytes."""
        known = self.recent.get(seq)
        return isinstance(data, bytes) and known is not None and zlib.crc32(data) != known

    def append(self, data: bytes) -> Frame:
        """The next chunk."""
        if self.digest is not None:
            self.digest.update(data)
        self.recent[self.floor.seq] = zlib.crc32(data)
        if len(self.recent) > REMEMBERED_CHUNKS:
            self.recent.popitem(last=False)
        frame = self.floor.frame(Kind.OUTPUT, data, is_fresh=self.at_line)
        self.at_line = data.endswith(b"\n")
        self._raise(len(data), missing=0)
        return frame

    def skip(self, length: int, reason: str) -> Frame:
        """So many bytes will never come."""
        self.digest = None
        frame = self.floor.frame(Kind.GAP, gap_data(length, reason), is_fresh=self.at_line)
        self.at_line = False
        self._raise(length, missing=length)
        return frame

    def _raise(self, length: int, *, missing: int) -> None:
        floor = self.floor
        self.floor = replace(
            floor,
            seq=floor.seq + 1,
            bytes=floor.bytes + length,
            gap_bytes=floor.gap_bytes + missing,
        )


def signed(totals: Mapping[str, object] | None, stream: str) -> tuple[int, str]:
    """Bytes and SHA-256 that a result states of a stream; nothing where it states none."""
    found = (totals or {}).get(stream)
    if not isinstance(found, dict):
        return 0, ""
    return int(found["bytes"]), str(found["sha256"])


def has_hashes(
    streams: Mapping[Key, Stream], task_id: str, attempt: int, totals: Totals | None
) -> bool:
    """Whether this process has seen exactly the output of an attempt that its agent signed.

    A hash that fits is the proof of it, so it may be asked from a thread while more comes.
    """
    for name in STREAMS:
        length, digest = signed(totals, name)
        stream = streams.get((task_id, attempt, name))
        seen = stream.digest.hexdigest() if stream and stream.digest else None
        if digest != (seen if length else EMPTY):
            return False
    return True


def has_lengths(
    floors: Mapping[Key, Floor], task_id: str, attempt: int, totals: Totals | None
) -> bool:
    """Whether the floors of an attempt are exactly where its agent signed that its output ends."""
    for name in STREAMS:
        floor = floors.get((task_id, attempt, name))
        length = signed(totals, name)[0]
        if length != (floor.bytes if floor else 0) or (floor and floor.gap_bytes):
            return False
    return True


@dataclass(frozen=True, slots=True)
class Missing:
    """Output that is waited for: whose it is, and how many bytes of it are durable."""

    agent_id: str
    size: int


@dataclass(frozen=True, slots=True)
class _Wait:
    size: int
    since: float
    first: float


class Patience:
    """How long output may take after its result before its absence is called a gap (R18).

    It is counted by the monotonic clock (R44), anew from everything that arrives of its task, and
    from everything of its agent, behind which it may stand, until `LONGEST` times as much is over.
    It counts only while something could have arrived: not before this process wrote, nor while it
    or the machine stood still (R39).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: dict[str, _Wait] = {}
        self._heard: dict[str, float] = {}
        self._looked_at = 0.0

    def begin_again(self) -> None:
        """Until now nothing could arrive, whoever sent it."""
        self._waits.clear()

    def heard(self, agent_ids: Iterable[str], *, at: float) -> None:
        """Output of these agents was stored at monotonic `at`."""
        self._heard.update(dict.fromkeys(agent_ids, at))

    def over(self, missing: Mapping[str, Missing], *, at: float) -> set[str]:
        """One look at monotonic `at`: the tasks whose time is over.

        `missing` has every task that is waited for.
        """
        before = {} if at - self._looked_at > DEAF_SECONDS else self._waits
        self._looked_at = at
        self._waits = {
            task_id: self._goes_on(before.get(task_id), one, at) for task_id, one in missing.items()
        }
        return {task_id for task_id, wait in self._waits.items() if self._is_over(wait, at)}

    def _goes_on(self, before: _Wait | None, one: Missing, at: float) -> _Wait:
        if before is None or before.size != one.size:
            return _Wait(one.size, at, at)
        return replace(before, since=max(before.since, self._heard.get(one.agent_id, 0.0)))

    def _is_over(self, wait: _Wait, at: float) -> bool:
        return at - wait.since >= self._seconds or at - wait.first >= LONGEST * self._seconds
