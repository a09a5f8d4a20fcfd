"""Writes output down for good, raises the floors, and says when an output is complete."""

import asyncio
import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from libs.contracts.execution import TaskStatus
from libs.kit.clock import monotonic
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.faults import fault
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from services.execution.changes.service import Changes, LogEnd
from services.execution.domain import LogStatus
from services.execution.logs import schemas
from services.execution.logs.domain import (
    Floor,
    Missing,
    Patience,
    Stream,
    Totals,
    has_hashes,
    has_lengths,
    signed,
)
from services.execution.logs.repository import LogRepository, Owner, Unsettled
from services.execution.segments.domain import STREAMS, Frame, FrameDamaged, Key, Kind, gap_data
from services.execution.segments.repository import Segment, SegmentFiles, digests
from services.execution.segments.service import Appended, Tails
from services.execution.settings import ExecutionSettings

LEASE = "log-recorder"
REMEMBERED_TASKS = 20_000
SETTLE_LIMIT = 2_000

Message = Mapping[str, object]
Answers = list[tuple[str, bytes]]

log = get_logger(__name__)
stored_bytes = counter("opsjob_log_bytes_total", "Bytes of output made durable.")
refused = counter("opsjob_log_chunks_refused_total", "Chunks that were not stored.", ["why"])


@dataclass
class Round:
    """One group commit: what is to be written, and which floors it raises."""

    parts: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    raised: dict[Key, Floor] = field(default_factory=dict)
    answers: Answers = field(default_factory=list)


class Recorder:
    """The only writer of output while it holds the lease; its epoch fences every commit."""

    def __init__(
        self,
        db: Database,
        files: SegmentFiles,
        changes: Changes,
        settings: ExecutionSettings,
    ) -> None:
        self._db = db
        self._files = files
        self._changes = changes
        self._patience = Patience(settings.settle_seconds)
        self._epoch = 0
        self._owners: OrderedDict[str, Owner | None] = OrderedDict()
        self._streams: dict[Key, Stream] = {}
        self._tails = Tails(files, limit_bytes=settings.log_segment_bytes)
        self._earlier: dict[str, list[Segment]] = {}
        self._ended: set[str] = set()
        self._whole: set[str] = set()  # of these nothing is expected any more
        self._in_doubt = False  # whether a commit failed that may have taken effect, or will
        self.settle_bell = asyncio.Event()

    def begin(self, epoch: int) -> None:
        """Start writing under a new epoch; what was known before may be out of date."""
        self._epoch = epoch
        self._forget_all()

    def ended(self, task_ids: Collection[str], whole: Collection[str] = ()) -> None:
        """Results of these tasks are stored: look soon at the output of all that is not `whole`."""
        self._whole.update(whole)
        self._ended.update(set(task_ids).difference(whole))
        if self._ended:
            self.settle_bell.set()

    @property
    def is_waiting(self) -> bool:
        """Whether results were stored whose output has not been looked at."""
        return bool(self._ended)

    def whole(self, tx: Transaction, results: Mapping[str, tuple[int, Totals]]) -> set[str]:
        """Of tasks whose results, attempt and totals, this transaction stores: those whose whole
        output is durable already, exactly as it was signed.
        """
        streams = self._streams
        seen = {each for each, result in results.items() if has_hashes(streams, each, *result)}
        floors = {(f.task_id, f.attempt, f.stream): f for f in LogRepository(tx).floors(seen)}
        return {task_id for task_id in seen if has_lengths(floors, task_id, *results[task_id])}

    async def store(self, messages: Sequence[Message]) -> Answers:
        """Make a batch of chunks durable; returns the floors to tell the agents.

        Raises OSError or Unavailable when nothing could be made durable: then nothing is
        acknowledged and the agents will send it again (R19).
        """
        attempts = {str(message["task_id"]): int(str(message["attempt"])) for message in messages}
        await self._know(attempts, {str(message["execution_id"]) for message in messages})
        work = Round()
        for message in messages:
            self._take(message, work)
        await self._commit(work)
        return work.answers + [
            (self._agent_of(key[0]), schemas.floor("ack", key, seq=floor.seq, offset=floor.bytes))
            for key, floor in work.raised.items()
        ]

    def _agent_of(self, task_id: str) -> str:
        owner = self._owners[task_id]
        return (owner.agent_id if owner else None) or ""

    def _take(self, message: Message, work: Round) -> None:
        task_id, agent_id = str(message["task_id"]), str(message["agent_id"])
        owner = self._owners.get(task_id)
        attempt, stream_name = int(str(message["attempt"])), str(message["stream"])
        if owner is None or owner.agent_id != agent_id or not 1 <= attempt <= owner.attempt:
            refused.labels("not_its_task").inc()
            return
        key = (task_id, attempt, stream_name)
        stream = self._streams.get(key)
        if stream is None:
            empty = Floor(task_id, attempt, stream_name, seq=0, bytes=0, gap_bytes=0)
            stream = self._streams[key] = Stream(empty, hashlib.sha256(), at_line=True)
        seq, offset = int(str(message["seq"])), int(str(message["offset"]))
        floor = stream.floor
        if seq < floor.seq:
            if stream.has_other(seq, message.get("data")):
                refused.labels("other_bytes").inc()
                log.error("A chunk came again with other bytes.", task_id=task_id)
            work.raised[key] = floor
        elif seq > floor.seq or offset != floor.bytes:
            refused.labels("out_of_order").inc()
            want = schemas.floor("want", key, seq=floor.seq, offset=floor.bytes)
            work.answers.append((agent_id, want))
        else:
            self._append(message, owner, stream, work)
            work.raised[key] = stream.floor

    @staticmethod
    def _append(message: Message, owner: Owner, stream: Stream, work: Round) -> None:
        data = message.get("data")
        if message["t"] == "gap":
            length = int(str(message["length"]))
            frame = stream.skip(length, str(message.get("reason") or "unknown")[:64])
        else:
            frame = stream.append(data if isinstance(data, bytes) else b"")
            stored_bytes.inc(len(frame.data))
        work.parts[owner.execution_id].append(frame)

    async def _commit(self, work: Round) -> None:
        if not work.parts:
            return
        try:
            done = await self._tails.append(work.parts, self._segments_before)
            fault("logs.after_append")
            whole, going_on = await self._store_floors(work, done)
            fault("logs.after_commit")
        except BaseException:
            self._in_doubt = True
            self._forget_all()
            raise
        self._patience.heard({self._agent_of(key[0]) for key in work.raised}, at=monotonic())
        self._tails.accept(done)
        for execution_id in work.parts:
            self._earlier.pop(execution_id, None)  # its newest segment has grown since
        self._changes.tell(
            work.parts,
            {s.execution_id: LogEnd.of(s, work.parts[s.execution_id]) for s in done.segments},
        )
        if whole:
            self._ended.difference_update(task.task_id for task in whole)
            self._whole.update(task.task_id for task in whole)
            self._changes.tell({task.execution_id for task in whole}, going_on=going_on)
        if self._ended:
            self.settle_bell.set()

    @writes
    def _store_floors(
        self, tx: Transaction, work: Round, done: Appended
    ) -> tuple[Sequence[Unsettled], set[str]]:
        """Also says which outputs are whole by this, and which of their executions go on."""
        tx.fenced(LEASE, self._epoch)
        logs = LogRepository(tx)
        logs.store_floors(list(work.raised.values()))
        logs.store_segments(done.fresh, done.grown)
        whole = [t for t in logs.ended_among(key[0] for key in work.raised) if self._is_whole(t)]
        if not whole:
            return (), set()
        known = {task.task_id: LogStatus.COMPLETE for task in whole}
        return whole, logs.settle(known, {task.execution_id for task in whole})

    def _is_whole(self, task: Unsettled) -> bool:
        of = (task.task_id, task.attempt, task.totals)
        return self._has_lengths(task) and has_hashes(self._streams, *of)

    def _has_lengths(self, task: Unsettled) -> bool:
        of = (task.task_id, task.attempt)
        return has_lengths({(*of, n): self._floor(task, n) for n in STREAMS}, *of, task.totals)

    def retire(self, segments: Iterable[Segment]) -> None:
        """Append no more to these segments.

        Not while `store` or `settle` runs. Output that still comes goes into a new segment.
        """
        self._tails.retire(segments)

    async def _segments_before(self, execution_id: str) -> Sequence[Segment]:
        known = self._earlier.pop(execution_id, None)
        return await self._segments(execution_id) if known is None else known

    @reads
    def _segments(self, tx: Transaction, execution_id: str) -> Sequence[Segment]:
        return LogRepository(tx).segments(execution_id)

    # ---- what this process remembers ----------------------------------------------------

    async def _know(self, attempts: Mapping[str, int], execution_ids: set[str]) -> None:
        """Learn about tasks and, at once, about the others of their executions."""
        if self._in_doubt:
            await self._outlast()
            self._in_doubt = False
        while self._whole:
            self._forget(self._whole.pop())
        for task_id, attempt in attempts.items():
            owner = self._owners.get(task_id)
            if owner is not None and owner.attempt < attempt:
                self._forget(task_id)  # it was started again since
        unknown = attempts.keys() - self._owners.keys()
        if not unknown:
            return
        owners, floors, segments = await self._load(unknown, execution_ids)
        self._earlier = {
            each: [known for known in segments if known.execution_id == each]
            for each in execution_ids
        }
        fresh = [floor for floor in floors if floor.task_id not in self._owners]
        for task_id in unknown | owners.keys():
            self._owners.setdefault(task_id, owners.get(task_id))
        for floor in fresh:
            key = (floor.task_id, floor.attempt, floor.stream)
            self._streams[key] = Stream(floor, None)
        while len(self._owners) > REMEMBERED_TASKS:
            oldest = next(iter(self._owners))
            if oldest in attempts:
                break
            self._forget(oldest)

    @writes
    def _outlast(self, tx: Transaction) -> None:
        """Wait for the end of a commit that got no answer, before what it left is read.

        A database that stood still can end it long after we heard that it failed.
        """
        tx.fenced(LEASE, self._epoch, alone=True)

    @reads
    def _load(
        self, tx: Transaction, task_ids: set[str], execution_ids: set[str]
    ) -> tuple[dict[str, Owner], Sequence[Floor], Sequence[Segment]]:
        logs = LogRepository(tx)
        owners: dict[str, Owner] = {}
        segments: list[Segment] = []
        for execution_id in execution_ids:
            owners |= logs.owners_of(execution_id, limit=REMEMBERED_TASKS // 2)
            segments += logs.segments(execution_id)
        owners |= logs.owners(task_ids - owners.keys())
        return owners, logs.floors(owners), segments

    def _forget(self, task_id: str) -> None:
        owner = self._owners.pop(task_id, None)
        if owner is not None:
            for attempt in range(1, owner.attempt + 1):
                for stream in STREAMS:
                    self._streams.pop((task_id, attempt, stream), None)

    def _forget_all(self) -> None:
        self._owners.clear()
        self._streams.clear()
        self._tails.begin(self._epoch)
        self._earlier.clear()
        self._patience.begin_again()

    # ---- completeness -------------------------------------------------------------------

    async def settle(self, is_heard: Callable[[], Awaitable[bool]]) -> None:
        """Compare ended tasks with what their agents signed; call a missing end a gap in time.

        `is_heard` tells whether output could arrive now.
        """
        self._ended.clear()
        due = await self._unsettled()
        if not due:
            return
        attempts = {task.task_id: task.attempt for task in due}
        await self._know(attempts, {task.execution_id for task in due})
        known: dict[str, LogStatus] = {}
        arrived = [task for task in due if self._has_all(task)]
        await self._hash_from_files(arrived)
        for task in arrived:
            known[task.task_id] = self._judge(task)
        known |= await self._give_up([t for t in due if t.task_id not in known], is_heard)
        if known:
            touched = {task.execution_id for task in due if task.task_id in known}
            going_on = await self._settled(known, touched)
            self._changes.tell(touched, going_on=going_on)
            for task_id in known:
                self._forget(task_id)

    @reads
    def _unsettled(self, tx: Transaction) -> Sequence[Unsettled]:
        return LogRepository(tx).unsettled(SETTLE_LIMIT)

    @writes
    def _settled(self, tx: Transaction, known: dict[str, LogStatus], touched: set[str]) -> set[str]:
        tx.fenced(LEASE, self._epoch)
        return LogRepository(tx).settle(known, touched)

    def _floor(self, task: Unsettled, stream: str) -> Floor:
        known = self._streams.get((task.task_id, task.attempt, stream))
        return known.floor if known else Floor(task.task_id, task.attempt, stream, 0, 0, 0)

    def _missing(self, task: Unsettled) -> Missing:
        size = sum(self._floor(task, stream).bytes for stream in STREAMS)
        return Missing(self._agent_of(task.task_id), size)

    def _has_all(self, task: Unsettled) -> bool:
        return task.totals is not None and all(
            self._floor(task, name).bytes >= signed(task.totals, name)[0] for name in STREAMS
        )

    def _judge(self, task: Unsettled) -> LogStatus:
        if self._is_whole(task):
            return LogStatus.COMPLETE
        streams = [self._streams.get((task.task_id, task.attempt, name)) for name in STREAMS]
        if self._has_lengths(task) and all(each is None or each.digest for each in streams):
            refused.labels("other_hash").inc()
            log.error("Stored output differs from the signed hash.", task_id=task.task_id)
        return LogStatus.GAP

    async def _hash_from_files(self, tasks: Sequence[Unsettled]) -> None:
        """Recover hashes of streams that began before this process did, one scan an execution."""
        wanted: dict[str, dict[Key, Stream]] = defaultdict(dict)
        for task in tasks:
            for name in STREAMS:
                key = (task.task_id, task.attempt, name)
                stream = self._streams.get(key)
                if stream and stream.digest is None and not stream.floor.gap_bytes:
                    wanted[task.execution_id][key] = stream
        for execution_id, streams in wanted.items():
            segments = await self._segments(execution_id)
            try:
                found = await asyncio.to_thread(digests, self._files, segments, set(streams))
            except FrameDamaged as place:  # then their outputs are not called complete
                log.error("A log is damaged.", execution_id=execution_id, position=str(place))
                continue
            for key, digest in found.items():
                streams[key].digest = digest

    async def _give_up(
        self, waiting: Sequence[Unsettled], is_heard: Callable[[], Awaitable[bool]]
    ) -> dict[str, LogStatus]:
        """What is said of outputs that will hardly come: a gap, with where it begins and why."""
        if waiting and not await is_heard():
            self._patience.begin_again()
        over = self._patience.over({t.task_id: self._missing(t) for t in waiting}, at=monotonic())
        known: dict[str, LogStatus] = {}
        work = Round()
        for task in waiting:
            if task.status == TaskStatus.REJECTED:
                known[task.task_id] = LogStatus.NONE
            elif task.totals is None or task.task_id in over:
                known[task.task_id] = LogStatus.GAP
                self._declare_gaps(task, work)
        await self._commit(work)
        return known

    def _declare_gaps(self, task: Unsettled, work: Round) -> None:
        """Write gap frames without raising the floors: what still comes is still stored."""
        for name in STREAMS:
            floor = self._floor(task, name)
            missing = signed(task.totals, name)[0] - floor.bytes if task.totals else 0
            if missing > 0 or (task.totals is None and name == "stdout"):
                reason = "never_arrived" if task.totals else "agent_lost"
                frame = floor.frame(Kind.GAP, gap_data(missing, reason))
                work.parts[task.execution_id].append(frame)
