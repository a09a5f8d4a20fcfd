"""Follows executions for watchers: one feed an execution and process, shared by all of them.

A feed looks at the database when a bell rings or a second has passed. What it then has to say is
encoded once for every position from which somebody wants to go on; two hundred watchers of a live
run cost one encoding and two hundred writes. A watcher that reads slowly only falls behind: it is
served from the files at its own position and nothing is kept for it in memory.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Literal

from libs.contracts.execution import ExecutionStatus
from libs.kit.clock import monotonic
from libs.kit.db import Database, Transaction, reads
from services.execution.changes.service import Changes, LogEnd
from services.execution.domain import is_finished
from services.execution.errors import ExecutionNotFound, LogPositionInvalid
from services.execution.logs.repository import LogRepository, Owner
from services.execution.realtime.domain import Place, event
from services.execution.repository import ExecutionRepository, public_task
from services.execution.schemas import LogChunkOut, LogPage
from services.execution.segments.domain import FRAME_BYTES, Frame, FrameDamaged, Kind, readable
from services.execution.segments.repository import Segment, SegmentFiles, scan

POLL_SECONDS = 1.0
GATHER_SECONDS = (0.01, 0.05)
"""Between two looks at a watched execution: as long as the last one took, within these."""
BLOCK_BYTES = 256 * 1024
CACHED_BLOCKS = 32
TASKS_PER_EVENT = 500

Kinds = Literal["logs", "status", "combined"]


@dataclass(frozen=True)
class State:
    """What one look at the database said about an execution."""

    status: ExecutionStatus
    version: int
    settled: bool
    """Finished, and no more output is expected."""
    summary: dict[str, object]
    segments: Sequence[Segment]
    owners: dict[str, Owner]

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
        self._moved = asyncio.Event()
        self._blocks: OrderedDict[tuple[str, int, int | None], tuple[int, bytes]] = OrderedDict()

    def move(self, state: State) -> None:
        """Take a newer look; wakes everybody who waits."""
        if state.log_end < self.state.log_end:
            state = replace(state, segments=self.state.segments)
        if state == self.state:
            return
        self.state = state
        self._moved.set()
        self._moved = asyncio.Event()

    def grow(self, log_end: LogEnd) -> None:
        """Take in that more output is durable, without another look."""
        ordinal, file, position, length = log_end
        segment = Segment(self.execution_id, ordinal, file, position, length)
        earlier = [known for known in self.state.segments if known.ordinal < ordinal]
        if len(earlier) == ordinal:
            self.move(replace(self.state, segments=[*earlier, segment]))

    async def moved(self) -> None:
        """Wait until there is a newer look."""
        await self._moved.wait()

    async def block(
        self, prefix: str, position: int, host_id: int | None, read: Callable[[], tuple[int, bytes]]
    ) -> tuple[int, bytes]:
        """The encoded events from a position on, made once for all who stand there."""
        key = (prefix, position, host_id)
        found = self._blocks.get(key)
        if found is None:
            found = await asyncio.to_thread(read)
            if found[0] > position:
                self._blocks[key] = found
                if len(self._blocks) > CACHED_BLOCKS:
                    self._blocks.popitem(last=False)
        return found


class Streams:
    """The use cases of watching: a page of the log, or a stream of events."""

    def __init__(self, db: Database, files: SegmentFiles, changes: Changes) -> None:
        self._db = db
        self._files = files
        self._changes = changes
        self._feeds: dict[str, Feed] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keep the feeds of watched executions up to date until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.Event().wait()

    async def page(
        self, execution_id: str, *, position: int, limit_bytes: int, host_id: int | None
    ) -> LogPage:
        """Stored output from a position on, at most about `limit_bytes` of it."""
        state = await self._look(execution_id)
        if position > state.log_end:
            raise LogPositionInvalid(position=position)
        try:
            chunks, following = await asyncio.to_thread(
                self._chunks, state, position, limit_bytes, host_id
            )
        except FrameDamaged:
            raise LogPositionInvalid(position=position) from None
        complete = state.settled and following >= state.log_end
        return LogPage(chunks=chunks, next_position=following, complete=complete)

    async def show(self, execution_id: str) -> State:
        """One look at an execution; raises ExecutionNotFound."""
        return await self._look(execution_id)

    @asynccontextmanager
    async def watching(self, execution_id: str) -> AsyncIterator[Feed]:
        """The feed of an execution, kept up to date while somebody is inside."""
        feed = self._feeds.get(execution_id)
        if feed is None:
            state = await self._look(execution_id)
            feed = self._feeds.setdefault(execution_id, Feed(execution_id, state))
        feed.watchers += 1
        if feed.watchers == 1 and self._group is not None:
            self._group.create_task(self._refresh(feed))
        try:
            yield feed
        finally:
            feed.watchers -= 1

    async def _refresh(self, feed: Feed) -> None:
        with self._changes.watching(feed.execution_id) as bell:
            while feed.watchers:
                bell.rung.clear()
                if bell.log_end is not None:
                    feed.grow(bell.log_end)
                    bell.log_end = None
                    bell.grown.clear()
                    await asyncio.sleep(0)  # first the output, then what the states say
                began = monotonic()
                feed.move(await self._look(feed.execution_id))
                # Look at most half of the time: what changes meanwhile is seen together.
                with suppress(TimeoutError):
                    async with asyncio.timeout(_pause(monotonic() - began)):
                        await bell.grown.wait()
                if not bell.rung.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):
                            await bell.rung.wait()
        if self._feeds.get(feed.execution_id) is feed:
            del self._feeds[feed.execution_id]

    async def events(
        self, kind: Kinds, execution_id: str, place: Place, host_id: int | None
    ) -> AsyncIterator[bytes]:
        """Events from a place on until the end, several joined in each item; waits in between."""
        async with self.watching(execution_id) as feed:
            yield b"retry: 2000\n\n"
            if kind != "status" and place.position > feed.state.log_end:
                yield event("reset", place.named(kind), {"reason": "position_unknown"})
                place = Place(place.version, 0)
            while True:
                state = feed.state
                if kind != "status" and place.position < state.log_end:
                    following, data = await self._log_events(feed, kind, place, host_id)
                    place = Place(place.version, following)
                    if data:
                        yield data
                elif kind != "logs" and place.version < state.version:
                    place, data = await self._status_events(feed, kind, place)
                    yield data
                elif state.settled:
                    yield event("end", place.named(kind), {"status": state.status})
                    return
                elif feed.state is state:
                    await feed.moved()

    async def _status_events(self, feed: Feed, kind: Kinds, place: Place) -> tuple[Place, bytes]:
        state = feed.state
        rows, version = await self._changed(feed.execution_id, place.version, state.version)
        place = Place(version, place.position)
        data = {"execution": state.summary, "tasks": rows}
        return place, event("status", place.named(kind), data)

    async def _log_events(
        self, feed: Feed, kind: Kinds, place: Place, host_id: int | None
    ) -> tuple[int, bytes]:
        prefix = f"{place.version}-" if kind == "combined" else ""
        state = feed.state

        def read() -> tuple[int, bytes]:
            try:
                chunks, following = self._chunks(state, place.position, BLOCK_BYTES, host_id)
            except FrameDamaged:
                return _unreadable(prefix, place.position, state.log_end)
            encoded = [_log_event(prefix, chunk) for chunk in chunks]
            return following, b"".join(encoded)

        return await feed.block(prefix, place.position, host_id, read)

    def _chunks(
        self, state: State, position: int, limit_bytes: int, host_id: int | None
    ) -> tuple[list[LogChunkOut], int]:
        chunks: list[LogChunkOut] = []
        start = following = position
        for following, frame in scan(
            self._files, state.segments, position, block=limit_bytes + FRAME_BYTES
        ):
            owner = state.owners.get(frame.task_id)
            if owner is not None and host_id in (None, owner.host_id):
                chunks.append(_chunk(following, frame, owner))
            if following - start >= limit_bytes:
                break
        return chunks, following

    @reads
    def _look(self, tx: Transaction, execution_id: str) -> State:
        executions, logs = ExecutionRepository(tx), LogRepository(tx)
        execution = executions.head(execution_id)
        if execution is None:
            raise ExecutionNotFound(execution_id=execution_id)
        status = ExecutionStatus(execution.status)
        feed = self._feeds.get(execution_id)
        return State(
            status=status,
            version=execution.version,
            settled=is_finished(status) and not executions.has_live_log(execution_id),
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
            owners=feed.state.owners if feed else logs.owners_in(execution_id),
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
        return [public_task(row, sizes) for row in rows], upto


def _pause(seconds: float) -> float:
    least, most = GATHER_SECONDS
    return min(most, max(least, seconds))


def _chunk(position: int, frame: Frame, owner: Owner) -> LogChunkOut:
    if frame.kind == Kind.GAP:
        length, reason = frame.gap
        text, lossy = "", False
    else:
        length, reason = 0, None
        text, lossy = readable(frame.data)
    return LogChunkOut.model_construct(
        position=position,
        host=owner.host_name,
        host_id=owner.host_id,
        task_id=frame.task_id,
        attempt=frame.attempt,
        stream=frame.stream,
        seq=frame.seq,
        offset=frame.offset,
        text=text,
        lossy=lossy,
        gap_bytes=length,
        reason=reason,
    )


def _unreadable(prefix: str, position: int, end: int) -> tuple[int, bytes]:
    """Begin again when the position was never ours; skip what cannot be read from the start."""
    if position:
        return 0, event("reset", f"{prefix}0", {"reason": "position_unknown"})
    return end, event("gap", f"{prefix}{end}", {"length": end, "reason": "log_damaged"})


def _log_event(prefix: str, chunk: LogChunkOut) -> bytes:
    name = "gap" if chunk.reason is not None else "log"
    data: dict[str, object] = {
        "host": chunk.host,
        "host_id": chunk.host_id,
        "task_id": chunk.task_id,
        "attempt": chunk.attempt,
        "stream": chunk.stream,
        "seq": chunk.seq,
        "offset": chunk.offset,
    }
    if chunk.reason is not None:
        data |= {"length": chunk.gap_bytes, "reason": chunk.reason}
    else:
        data["text"] = chunk.text
        if chunk.lossy:
            data["lossy"] = True
    return event(name, f"{prefix}{chunk.position}", data)
