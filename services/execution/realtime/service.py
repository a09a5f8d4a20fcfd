"""Follows executions for watchers: one feed an execution and process, shared by all of them.

A feed looks at the database when a bell rings or a second has passed. What it then has to say is
encoded once for every position from which somebody wants to go on; two hundred watchers of a live
run cost one encoding and two hundred writes. A watcher that reads slowly only falls behind: it is
served from the files at its own position and nothing is kept for it in memory.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from libs.contracts.execution import ExecutionStatus
from libs.kit.clock import monotonic
from libs.kit.db import Database, Transaction, reads
from libs.kit.errors import AppError, Unavailable
from libs.kit.logging import get_logger
from services.execution.changes.service import Bell, Changes, LogEnd
from services.execution.domain import is_finished
from services.execution.errors import ExecutionNotFound
from services.execution.history.domain import Wanted
from services.execution.history.repository import read_from
from services.execution.history.service import Which
from services.execution.logs.repository import LogRepository, Owner
from services.execution.realtime.domain import Kinds, Place, event, pause_after
from services.execution.realtime.schemas import encoded
from services.execution.repository import ExecutionRepository, public_row
from services.execution.segments.domain import Frame, FrameDamaged
from services.execution.segments.repository import Segment, SegmentFiles

log = get_logger(__name__)

POLL_SECONDS = 1.0
PING_SECONDS = 15.0
BLOCK_BYTES = 256 * 1024
CACHED_BLOCKS = 64
LIVE_PIECES = 16
"""Of the newest output so many commits are kept in memory for those who stand there."""
LIVE_BYTES = 64 * 1024
"""About so much of it is told at once."""
OWNERS_AT_ONCE = 2_000
TASKS_PER_EVENT = 500

Block = tuple[int, bytes]
"""Events, and the position behind the last of them."""


@dataclass(frozen=True)
class State:
    """What one look at the database said about an execution."""

    status: ExecutionStatus
    version: int
    settled: bool
    """Finished, and no more output is expected."""
    task_total: int
    summary: dict[str, object]
    segments: Sequence[Segment]

    @property
    def log_end(self) -> int:
        """The position behind the last durable frame."""
        last = self.segments[-1] if self.segments else None
        return last.position + last.length if last else 0


class Feed:
    """The shared view of one execution; `state` moves forward only."""

    def __init__(self, execution_id: str, state: State) -> None:
        self.execution_id = execution_id
        self.state = state
        self.watchers = 0
        self.telling = 0.0
        """Seconds that it took to tell watchers about tasks since the last look."""
        self.owners: dict[str, Owner] = {}
        """Of the tasks whose output was seen."""
        self.bell = Bell()
        self.is_kept = False
        """Whether somebody keeps it up to date."""
        self.watchers_of_states = 0
        self._moved = asyncio.Event()
        self._live: OrderedDict[int, list[tuple[int, Frame]]] = OrderedDict()

    @contextmanager
    def watched(self, *, states: bool) -> Iterator[None]:
        """While somebody watches, the output alone or the states too."""
        self.watchers += 1
        self.watchers_of_states += states
        self.bell.want_all(self.watchers_of_states > 0)
        try:
            yield
        finally:
            self.watchers -= 1
            self.watchers_of_states -= states
            self.bell.want_all(self.watchers_of_states > 0)

    def move(self, state: State) -> None:
        """Take a newer look; wakes everybody who waits."""
        if state.log_end < self.state.log_end:
            state = replace(state, segments=self.state.segments)
        if state == self.state:
            return
        self.state = state
        self._moved.set()
        self._moved = asyncio.Event()

    def grow(self, log_end: LogEnd) -> bool:
        """Take in that more output is durable, without another look; False if it needs one."""
        segment = log_end.segment
        earlier = [known for known in self.state.segments if known.ordinal < segment.ordinal]
        if len(earlier) != segment.ordinal or (earlier and earlier[-1].end != segment.position):
            return False  # a segment is not known, or only a part of one that is full by now
        self._remember(log_end)
        self.move(replace(self.state, segments=[*earlier, segment]))
        return True

    def _remember(self, log_end: LogEnd) -> None:
        begin = place = log_end.segment.end - sum(frame.size for frame in log_end.frames)
        if log_end.frames:
            self._live[begin] = [(place := place + frame.size, frame) for frame in log_end.frames]
        if len(self._live) > LIVE_PIECES:
            self._live.popitem(last=False)

    def live_from(self, position: int) -> list[tuple[int, Frame]]:
        """The frames from a position on that are in memory, with the position behind each."""
        found: list[tuple[int, Frame]] = []
        size = 0
        while size < LIVE_BYTES and (piece := self._live.get(position)):
            found += piece
            size += piece[-1][0] - position
            position = piece[-1][0]
        return found

    async def moved(self, seconds: float) -> bool:
        """Wait until there is a newer look, at most so long; says whether there is one."""
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return False
        return True


class Blocks:
    """Encoded events from positions on, each made once for all who stand there; the last few."""

    def __init__(self) -> None:
        self._made: OrderedDict[object, asyncio.Future[Block]] = OrderedDict()

    async def get(self, key: object, make: Callable[[], Coroutine[object, object, Block]]) -> Block:
        """The block of this key; whoever asks first makes it."""
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = asyncio.ensure_future(make())
            if len(self._made) > CACHED_BLOCKS:
                self._made.popitem(last=False)
        try:
            return await asyncio.shield(found)
        finally:
            if found.done() and (found.cancelled() or found.exception() or not found.result()[1]):
                self._made.pop(key, None)


class Streams:
    """The use cases of watching: streams of events."""

    def __init__(self, db: Database, files: SegmentFiles, changes: Changes) -> None:
        self._db = db
        self._files = files
        self._changes = changes
        self._feeds: dict[str, Feed] = {}
        self._blocks = Blocks()
        self._group: asyncio.TaskGroup | None = None
        self._is_over = False

    async def run(self) -> None:
        """Keep the feeds of watched executions up to date until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await asyncio.Event().wait()
        finally:
            self._is_over = True

    async def show(self, execution_id: str) -> State:
        """One look at an execution; raises ExecutionNotFound."""
        return await self._look(execution_id)

    @contextmanager
    def watching(self, execution_id: str, kind: Kinds, seen: State) -> Iterator[Feed]:
        """The feed of an execution, kept up to date while somebody is inside.

        `seen` is what was seen of it just now. Raises Unavailable when the service ends.
        """
        if self._is_over:
            raise Unavailable
        feed = self._feeds.get(execution_id)
        if feed is None:
            feed = self._feeds[execution_id] = Feed(execution_id, seen)
        with feed.watched(states=kind != "logs"):
            if not feed.is_kept and self._group is not None:
                feed.is_kept = True
                self._group.create_task(self._refresh(feed))
            yield feed

    async def _refresh(self, feed: Feed) -> None:
        with self._changes.watching(feed.execution_id, feed.bell) as bell:
            rest_until = 0.0
            while feed.watchers:
                bell.rung.clear()
                if bell.log_ends:
                    while bell.log_ends:
                        bell.has_moved |= not feed.grow(bell.log_ends.popleft())
                    bell.grown.clear()
                    await asyncio.sleep(0)  # first the output, then what the states say
                if bell.has_moved and (began := monotonic()) >= rest_until:
                    bell.has_moved, rest = False, 0.0
                    told, feed.telling = feed.telling, 0.0
                    if not await self._tried(feed):
                        bell.has_moved, rest = True, POLL_SECONDS
                    pause = pause_after(monotonic() - began + told, feed.state.task_total)
                    rest_until = monotonic() + max(rest, pause)
                await _next_ring(bell, rest_until)
        feed.is_kept = False
        if self._feeds.get(feed.execution_id) is feed:
            del self._feeds[feed.execution_id]

    async def _tried(self, feed: Feed) -> bool:
        """Take another look; False when the database has to be asked again."""
        try:
            feed.move(await self._look(feed.execution_id))
        except AppError as error:
            log.warning(
                "A watched execution cannot be looked at for now.",
                execution_id=feed.execution_id,
                error=error.code,
            )
            return False
        return True

    async def events(
        self, kind: Kinds, execution_id: str, place: Place, which: Which, seen: State
    ) -> AsyncGenerator[bytes, None]:
        """Events from a place on until the end, several joined in each item; waits in between.

        `seen` is what `show` has just said.

        While there is nothing to say an item now and then is a comment, so that nobody takes the
        stream for dead.
        """
        with self.watching(execution_id, kind, seen) as feed:
            yield b"retry: 2000\n\n"
            wanted, tasks = Wanted(), -1
            if kind != "status" and place.position > feed.state.log_end:
                yield event("reset", place.named(kind), {"reason": "position_unknown"})
                place = Place(place.version, 0)
            while True:
                state = feed.state
                if kind != "status" and place.position < state.log_end:
                    if state.task_total != tasks:
                        wanted = await self._wanted(execution_id, which)
                        tasks = state.task_total
                    following, data = await self._log_events(feed, kind, place, wanted)
                    if following == place.position and feed.state is state:
                        await feed.moved(POLL_SECONDS)  # not yet all there: look again
                    place = Place(place.version, following)
                    if data:
                        yield data
                elif kind != "logs" and place.version < state.version:
                    place, data = await self._status_events(feed, kind, place)
                    yield data
                elif state.settled:
                    yield event("end", place.named(kind), {"status": state.status})
                    return
                elif feed.state is state and not await feed.moved(PING_SECONDS):
                    yield b": still here\n\n"

    async def _status_events(self, feed: Feed, kind: Kinds, place: Place) -> tuple[Place, bytes]:
        state, began = feed.state, monotonic()
        rows, version = await self._changed(feed.execution_id, place.version, state.version)
        feed.telling += monotonic() - began
        place = Place(version, place.position)
        data = {"execution": state.summary, "tasks": rows}
        return place, event("status", place.named(kind), data)

    async def _log_events(self, feed: Feed, kind: Kinds, place: Place, wanted: Wanted) -> Block:
        prefix = f"{place.version}-" if kind == "combined" else ""

        async def make() -> Block:
            if found := feed.live_from(place.position):
                following = found[-1][0]
                found = [(behind, frame) for behind, frame in found if wanted.has(frame.key)]
                await self._know_owners(feed, found)
                return following, encoded(prefix, found, feed.owners)
            try:
                found, following = await asyncio.to_thread(
                    read_from,
                    self._files,
                    feed.state.segments,
                    place.position,
                    limit_bytes=BLOCK_BYTES,
                    wanted=wanted,
                )
            except FrameDamaged:
                return 0, event("reset", f"{prefix}0", {"reason": "position_unknown"})
            await self._know_owners(feed, found)
            return following, await asyncio.to_thread(encoded, prefix, found, feed.owners)

        key = (feed.execution_id, prefix, place.position, wanted)
        return await self._blocks.get(key, make)

    async def _know_owners(self, feed: Feed, found: Sequence[tuple[int, Frame]]) -> None:
        missing = {frame.task_id for _, frame in found} - feed.owners.keys()
        if missing:
            of_all = None if feed.owners else feed.execution_id
            feed.owners |= await self._owners(missing, of_all)

    async def _wanted(self, execution_id: str, which: Which) -> Wanted:
        if which.host_id is None and which.step_id is None:
            return Wanted(None, which.stream)
        return await self._chosen(execution_id, which)

    @reads
    def _chosen(self, tx: Transaction, execution_id: str, which: Which) -> Wanted:
        owners = LogRepository(tx).owners_in(
            execution_id, host_id=which.host_id, step_id=which.step_id
        )
        return Wanted(frozenset(owners), which.stream)

    @reads
    def _owners(
        self, tx: Transaction, task_ids: set[str], execution_id: str | None
    ) -> dict[str, Owner]:
        """Those of these tasks, and at once those of many others of their execution."""
        logs = LogRepository(tx)
        found = logs.owners_of(execution_id, limit=OWNERS_AT_ONCE) if execution_id else {}
        return found | logs.owners(task_ids - found.keys())

    @reads
    def _look(self, tx: Transaction, execution_id: str) -> State:
        executions, logs = ExecutionRepository(tx), LogRepository(tx)
        execution = executions.head(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        status = ExecutionStatus(execution.status)
        return State(
            status=status,
            version=execution.version,
            settled=is_finished(status) and not executions.has_live_log(execution_id),
            task_total=execution.task_total,
            summary={
                "id": execution_id,
                "status": status,
                "version": execution.version,
                "counts": executions.states(execution_id),
                "task_total": execution.task_total,
                "cancel_requested_at": execution.cancel_requested_at,
                "started_at": execution.started_at,
                "finished_at": execution.finished_at,
            },
            segments=logs.segments(execution_id),
        )

    @reads
    def _changed(
        self, tx: Transaction, execution_id: str, after: int, upto: int
    ) -> tuple[list[dict[str, object]], int]:
        """Tasks that changed in some of the versions up to one, and the last version covered.

        All tasks of a version come together, or a watcher could not go on from its number.
        """
        executions = ExecutionRepository(tx)
        rows = executions.tasks_between(execution_id, after, upto, limit=TASKS_PER_EVENT + 1)
        if len(rows) > TASKS_PER_EVENT:
            cut = rows[-1].version
            whole = [row for row in rows if row.version < cut]
            rows = whole or executions.tasks_between(execution_id, cut - 1, cut, limit=None)
            upto = rows[-1].version
        sizes = executions.bytes_of([row.id for row in rows])
        return [public_row(row, sizes) for row in rows], upto


async def _next_ring(bell: Bell, rest_until: float) -> None:
    """Until there is more output, or the states may have moved and may be looked at again."""
    event, wait = bell.rung, POLL_SECONDS
    if bell.has_moved:
        event, wait = bell.grown, max(0.0, rest_until - monotonic())
    try:
        async with asyncio.timeout(wait):
            await event.wait()
    except TimeoutError:
        bell.has_moved = True
