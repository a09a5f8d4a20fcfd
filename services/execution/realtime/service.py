"""Follows executions for watchers: one feed an execution and process, shared by all of them.

A feed looks at the database when a bell rings or a second has passed. What it then has to say is
encoded once for every position from which somebody wants to go on; two hundred watchers of a live
run cost one encoding and two hundred writes. A watcher that reads slowly only falls behind: it is
served from the files at its own position and nothing is kept for it in memory.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
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
from services.execution.realtime.domain import Kinds, Place, event
from services.execution.realtime.schemas import encoded
from services.execution.repository import ExecutionRepository, public_row
from services.execution.segments.domain import FrameDamaged
from services.execution.segments.repository import Segment, SegmentFiles

log = get_logger(__name__)

POLL_SECONDS = 1.0
GATHER_SECONDS = (0.003, 0.1)
LOOK_SHARE = 8
CHEAP_SECONDS = 0.001
"""Between two looks at a watched execution: so many times what the last one and the telling of what
it found took, within these; one that is cheap, in this unit, is followed by another sooner."""
SECONDS_PER_TASK = 0.00005
"""Where very many tasks move, watchers may wait so much longer; else each is told many times."""
PING_SECONDS = 15.0
BLOCK_BYTES = 256 * 1024
CACHED_BLOCKS = 64
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
        self._moved = asyncio.Event()

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
        ordinal, file, position, length = log_end
        segment = Segment(self.execution_id, ordinal, file, position, length)
        earlier = [known for known in self.state.segments if known.ordinal < ordinal]
        if len(earlier) != ordinal or (earlier and earlier[-1].end != position):
            return False  # a segment is not known, or only a part of one that is full by now
        self.move(replace(self.state, segments=[*earlier, segment]))
        return True

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

    @asynccontextmanager
    async def watching(self, execution_id: str) -> AsyncIterator[Feed]:
        """The feed of an execution, kept up to date while somebody is inside.

        Raises Unavailable when the service ends.
        """
        feed = self._feeds.get(execution_id)
        if feed is None:
            state = await self._look(execution_id)
            feed = self._feeds.setdefault(execution_id, Feed(execution_id, state))
        if self._is_over:
            raise Unavailable
        feed.watchers += 1
        if feed.watchers == 1 and self._group is not None:
            self._group.create_task(self._refresh(feed))
        try:
            yield feed
        finally:
            feed.watchers -= 1

    async def _refresh(self, feed: Feed) -> None:
        with self._changes.watching(feed.execution_id) as bell:
            rest_until = 0.0
            while feed.watchers:
                bell.rung.clear()
                if bell.log_end is not None:
                    bell.has_moved |= not feed.grow(bell.log_end)
                    bell.log_end = None
                    bell.grown.clear()
                    await asyncio.sleep(0)  # first the output, then what the states say
                if bell.has_moved and (began := monotonic()) >= rest_until:
                    bell.has_moved, rest = False, 0.0
                    told, feed.telling = feed.telling, 0.0
                    if not await self._tried(feed):
                        bell.has_moved, rest = True, POLL_SECONDS
                    pause = _pause(monotonic() - began + told, feed.state.task_total)
                    rest_until = monotonic() + max(rest, pause)
                await _next_ring(bell, rest_until)
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
        self, kind: Kinds, execution_id: str, place: Place, which: Which
    ) -> AsyncGenerator[bytes, None]:
        """Events from a place on until the end, several joined in each item; waits in between.

        While there is nothing to say an item now and then is a comment, so that nobody takes the
        stream for dead.
        """
        async with self.watching(execution_id) as feed:
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
            missing = {frame.task_id for _, frame in found} - feed.owners.keys()
            if missing:
                feed.owners |= await self._owners(missing)
            return following, await asyncio.to_thread(encoded, prefix, found, feed.owners)

        key = (feed.execution_id, prefix, place.position, wanted)
        return await self._blocks.get(key, make)

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
    def _owners(self, tx: Transaction, task_ids: set[str]) -> dict[str, Owner]:
        return LogRepository(tx).owners(task_ids)

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


def _pause(seconds: float, tasks: int) -> float:
    least, most = GATHER_SECONDS
    share = min(LOOK_SHARE, seconds / CHEAP_SECONDS)
    return min(max(most, tasks * SECONDS_PER_TASK), max(least, share * seconds))
