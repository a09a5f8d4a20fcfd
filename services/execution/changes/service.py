"""Bells for watchers: a hint to look again, never the news itself."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import msgspec

from libs.kit.logging import get_logger
from libs.kit.redis import TROUBLE, Redis
from services.execution.segments.domain import Frame
from services.execution.segments.repository import Segment

CHANNEL = "execution_changes"
GATHER_SECONDS = 0.01
"""After telling the other processes once, wait this long for more to tell together."""
ALONE_SECONDS = 0.5
"""The same while nobody but this process was listening the last time."""
PAUSE_SECONDS = 1.0
"""How long to wait before asking Redis again; watchers look by themselves as often."""

log = get_logger(__name__)


TOLD_BYTES = 16 * 1024
"""So much of what was stored is told to watchers as it is; they read more from the file."""
LOG_ENDS_KEPT = 16
"""What a watcher has not looked at by then it reads from the file."""


@dataclass(frozen=True, slots=True)
class LogEnd:
    """By what an output has grown: its newest segment, and the last frames in it, if they are
    few and small."""

    segment: Segment
    frames: Sequence[Frame]

    @classmethod
    def of(cls, segment: Segment, frames: Sequence[Frame]) -> "LogEnd":
        """What to tell after these were appended to this."""
        is_small = sum(frame.size for frame in frames) <= TOLD_BYTES
        return cls(segment, tuple(frames) if is_small else ())


@dataclass(eq=False)
class Bell:
    """What a watcher waits for."""

    rung: asyncio.Event = field(default_factory=asyncio.Event)
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is more output; `log_ends` say how much."""
    log_ends: deque[LogEnd] = field(default_factory=lambda: deque(maxlen=LOG_ENDS_KEPT))
    has_moved: bool = True
    """Whether anything but the end of the output may be new."""
    wants_all: bool = True
    """Whether every move counts; else only one that may have been the last."""
    is_behind: bool = False
    """Whether there were moves that did not count."""

    def ring(self, *, goes_on: bool = False) -> None:
        """Something has moved; with `goes_on` it was certainly not the last."""
        if goes_on and not self.wants_all:
            self.is_behind = True
            return
        self.has_moved = True
        self.rung.set()

    def want_all(self, wanted: bool) -> None:
        """From now on every move counts, or only the last; what was missed is made up for."""
        self.wants_all = wanted
        if wanted and self.is_behind:
            self.is_behind = False
            self.ring()


class Changes:
    """Who watches which execution here, and the way to those who watch in other processes."""

    def __init__(self, redis: Redis, process_id: str) -> None:
        self._redis = redis
        self._process_id = process_id
        self._bells: dict[str, set[Bell]] = defaultdict(set)
        self._outgoing: set[str] = set()
        self._ring = asyncio.Event()

    def tell(
        self,
        execution_ids: Iterable[str],
        log_ends: Mapping[str, LogEnd] | None = None,
        *,
        going_on: Collection[str] = (),
    ) -> None:
        """Ring for these executions; to be called after the commit, in the event loop.

        `log_ends` are for executions of which nothing but the output has grown: it spares
        watchers of this process every question. Those that are `going_on` have not ended by this
        and got no new tasks: it spares those who watch the output alone.
        """
        ids = set(execution_ids)
        if not ids:
            return
        for execution_id, log_end in (log_ends or {}).items():
            for bell in self._bells.get(execution_id, ()):
                bell.log_ends.append(log_end)
                bell.grown.set()
                bell.rung.set()
        self._ring_here(ids - (log_ends or {}).keys(), going_on)
        self._outgoing |= ids
        self._ring.set()

    @contextmanager
    def watching(self, execution_id: str, bell: Bell | None = None) -> Iterator[Bell]:
        """A bell that rings whenever the execution may have changed."""
        bell = bell or Bell()
        self._bells[execution_id].add(bell)
        try:
            yield bell
        finally:
            bells = self._bells[execution_id]
            bells.discard(bell)
            if not bells:
                del self._bells[execution_id]

    async def run(self) -> None:
        """Carry bells between processes until cancelled; without Redis each process polls."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish())
            group.create_task(self._listen())

    def _ring_here(self, execution_ids: Iterable[str], going_on: Collection[str] = ()) -> None:
        for execution_id in execution_ids:
            for bell in self._bells.get(execution_id, ()):
                bell.ring(goes_on=execution_id in going_on)

    async def _publish(self) -> None:
        while True:
            await self._ring.wait()
            self._ring.clear()
            ids, self._outgoing = sorted(self._outgoing), set()
            heard = 0
            with suppress(*TROUBLE):
                news = msgspec.msgpack.encode([self._process_id, ids])
                heard = await self._redis.publish(CHANNEL, news)
            await asyncio.sleep(GATHER_SECONDS if heard > 1 else ALONE_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    while True:
                        message = await subscription.get_message(
                            ignore_subscribe_messages=True, timeout=30.0
                        )
                        if message is not None:
                            self._heard(message["data"])
            except TROUBLE:
                await asyncio.sleep(PAUSE_SECONDS)

    def _heard(self, data: object) -> None:
        if not isinstance(data, bytes):
            return
        try:
            sender, ids = msgspec.msgpack.decode(data, type=tuple[str, list[str]])
        except msgspec.MsgspecError:
            log.warning("A change was announced in a form that is not ours.")
            return
        if sender != self._process_id:
            self._ring_here(ids)
