"""Doors for what comes over Redis: agents' results, output, signs of life; facts of auth."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from libs.contracts.agents import LOGS, RESULTS, STATUS
from libs.contracts.auth import ApprovalChanged
from libs.kit.bus import BatchStream, Entry, StreamMark, Subscriptions
from libs.kit.clock import monotonic
from libs.kit.db import Database, Lease, LeaseLost
from libs.kit.errors import Unavailable
from libs.kit.logging import get_logger
from libs.kit.redis import Redis
from services.execution.approvals.service import Approvals
from services.execution.consents.domain import SUBJECT
from services.execution.dispatch.service import Dispatcher
from services.execution.downlink.service import COMPANY_SECONDS, Downlink
from services.execution.incidents.service import Incidents
from services.execution.logs.service import LEASE, Recorder
from services.execution.reports.service import Reports
from services.execution.service import Executions
from services.execution.transfers.service import Transfers
from services.execution.upkeep.service import Upkeep

GROUP = "execution"
LEASE_TIME = timedelta(seconds=10)
RENEW_SECONDS = 3.0
RETRY_SECONDS = 1.0
SETTLE_SECONDS = 1.0
BATCH_SECONDS = 0.001
BUSY_BATCH_SECONDS = 0.01
"""After a batch, wait this long for the next to grow: each costs a transaction."""
CROWDED_BATCH_SECONDS = 0.04
"""The same where thousands speak: what they wait for then is that all of it gets done."""
BUSY_MESSAGES = 8
CROWDED_MESSAGES = 120
BUSY_HALF_LIFE = 0.05
GATHER_SECONDS = (0.003, 0.25)
GATHER_SHARE = 8
CHEAP_SECONDS = 0.001
"""Between two looks at ended tasks, so that those that end together are settled together: so many
times what the last one took, within these; sooner after a look that was cheap, in this unit."""
OUTPUT_SECONDS = 0.01
"""So long a result waits for the rest of its output, which says with its own commit that it is
complete; only what stays away is looked for."""
STATUS_SECONDS = 0.05
"""Signs of life are no hurry either; each batch costs a transaction."""
LOG_ENTRIES = 32
"""Of output so many entries at a time, each of at most 256 KiB: memory stays bounded (R22)."""
LITTLE_BYTES = 2048
"""An agent that sends no more at once is far from having filled its window, so it need not know
soon that this is stored."""
CLOSE_SECONDS = 10.0
TICK_SECONDS = 0.5
"""How exactly delays, expiries and retries of executions are kept."""

Batch = Mapping[str, Sequence[Entry]]
Answers = list[tuple[str, bytes]]

on = Subscriptions()

log = get_logger(__name__)


@on(ApprovalChanged, Approvals, repeatable=True)
async def look_at_approval(fact: ApprovalChanged, approvals: Approvals) -> None:
    """Somebody said yes or no; it would be seen a little later without this, too."""
    if fact.subject_kind == SUBJECT:
        await approvals.heard(fact.approval_id)


class Crowd:
    """How many speak at the moment: one host gets its answer soon, many get theirs together."""

    def __init__(self) -> None:
        self._messages = 0.0
        self._at = monotonic()

    def pause(self, messages: int) -> float:
        """Seconds to let the next batch grow after one with so many messages."""
        at = monotonic()
        self._messages *= 0.5 ** ((at - self._at) / BUSY_HALF_LIFE)
        self._messages += messages
        self._at = at
        if self._messages >= CROWDED_MESSAGES:
            return CROWDED_BATCH_SECONDS
        return BUSY_BATCH_SECONDS if self.is_busy else BATCH_SECONDS

    @property
    def is_busy(self) -> bool:
        """Whether many spoke when `pause` was last asked: what nobody waits for may be late."""
        return self._messages >= BUSY_MESSAGES


def _parted(answers: Answers, urgent: Collection[str]) -> tuple[Answers, Answers]:
    """Answers to these agents, and to the others."""
    first = [answer for answer in answers if answer[0] in urgent]
    return first, [answer for answer in answers if answer[0] not in urgent]


def _ways(batch: Batch) -> dict[str, str]:
    """The gateways that the agents' messages came from, by agent."""
    return {
        str(message.get("agent_id")): entry.gateway
        for entries in batch.values()
        for entry in entries
        for message in entry.messages
    }


def _on(ways: Mapping[str, str], answers: Answers) -> dict[str, Answers]:
    """Frames by gateway; who came from none gets none."""
    frames: dict[str, Answers] = defaultdict(list)
    for agent_id, frame in answers:
        if gateway := ways.get(agent_id):
            frames[gateway].append((agent_id, frame))
    return frames


def _messages(batch: Batch) -> list[Mapping[str, object]]:
    return [
        message for entries in batch.values() for entry in entries for message in entry.messages
    ]


def _talkative(messages: Sequence[Mapping[str, object]]) -> set[str]:
    """Agents that have sent so much that their windows could be full before long."""
    sizes: Counter[str] = Counter()
    for message in messages:
        data = message.get("data")
        sizes[str(message["agent_id"])] += len(data) if isinstance(data, bytes) else 0
    return {agent_id for agent_id, size in sizes.items() if size > LITTLE_BYTES}


class AgentReports:
    """Claims, rejections, starts, progress and results."""

    def __init__(
        self,
        redis: Redis,
        reports: Reports,
        transfers: Transfers,
        downlink: Downlink,
        incidents: Incidents,
        *,
        consumer: str,
        mark: StreamMark,
    ) -> None:
        self._redis = redis
        self._mark = mark
        self._incidents = incidents
        self._reports = reports
        self._transfers = transfers
        self._downlink = downlink
        self._consumer = consumer
        self._crowd = Crowd()

    async def run(self) -> None:
        """Apply them until cancelled."""
        await BatchStream(self._mark, self._incidents.forged).consume(
            self._redis, [RESULTS], GROUP, self._consumer, self._take, remove=True
        )

    async def _take(self, batch: dict[str, list[Entry]]) -> None:
        messages = _messages(batch)
        moving = [message for message in messages if message.get("t") == "progress"]
        if moving:
            await self._transfers.told(moving)
        await self._incidents.told(messages)
        messages = [message for message in messages if message.get("t") != "security"]
        answers = await self._reports.apply(messages)
        ways, pause = _ways(batch), self._crowd.pause(len(messages))
        if self._crowd.is_busy:
            asking = {str(m["agent_id"]) for m in messages if m.get("t") == "claim"}
            answers, late = _parted(answers, asking)
            self._downlink.send_late(_on(ways, late))
        await self._downlink.send(_on(ways, answers))
        await asyncio.sleep(pause)


class AgentStatus:
    """Connections and heartbeats."""

    def __init__(
        self,
        redis: Redis,
        reports: Reports,
        incidents: Incidents,
        *,
        consumer: str,
        mark: StreamMark,
    ) -> None:
        self._redis = redis
        self._stream = BatchStream(mark, incidents.forged)
        self._reports = reports
        self._consumer = consumer

    async def run(self) -> None:
        """Listen until cancelled."""
        await self._stream.consume(self._redis, [STATUS], GROUP, self._consumer, self._take)

    async def _take(self, batch: dict[str, list[Entry]]) -> None:
        await self._reports.agents_said(_messages(batch))
        await asyncio.sleep(STATUS_SECONDS)


class AgentOutput:
    """Output, written down by the one process that holds the lease."""

    def __init__(
        self,
        db: Database,
        redis: Redis,
        recorder: Recorder,
        downlink: Downlink,
        upkeep: Upkeep,
        incidents: Incidents,
        *,
        consumer: str,
        mark: StreamMark,
    ) -> None:
        self._redis = redis
        self._stream = BatchStream(mark, incidents.forged)
        self._upkeep = upkeep
        self._recorder = recorder
        self._downlink = downlink
        self._consumer = consumer
        self._lease = Lease(db, LEASE, holder=consumer, ttl=LEASE_TIME)
        self._turn = asyncio.Lock()
        self._crowd = Crowd()

    async def run(self) -> None:
        """Wait for the lease, then record until it is lost; again and again."""
        try:
            await self._hold()
        finally:
            await self._lease.release()

    async def _hold(self) -> None:
        while True:
            try:
                epoch = await self._lease.try_acquire()
            except Unavailable:
                epoch = None
            if epoch is None:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._recorder.begin(epoch)
            self._upkeep.begin(epoch)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._record())
                    group.create_task(self._settle())
                    group.create_task(self._keep())
                    group.create_task(self._renew())
            except* LeaseLost:
                log.warning("Another process records output now.")

    async def _record(self) -> None:
        await self._stream.consume(
            self._redis,
            [LOGS],
            GROUP,
            self._consumer,
            self._take,
            remove=True,
            count=LOG_ENTRIES,
        )

    async def _take(self, batch: dict[str, list[Entry]]) -> None:
        messages = _messages(batch)
        async with self._turn:
            try:
                answers = await self._recorder.store(messages)
            except OSError as error:
                log.error("Output cannot be written.", error=str(error))
                raise Unavailable from error
        ways, pause = _ways(batch), self._crowd.pause(len(messages))
        if self._crowd.is_busy:
            answers, late = _parted(answers, _talkative(messages))
            self._downlink.send_late(_on(ways, late))
        if answers:
            await self._downlink.send_soon(_on(ways, answers))
            pause -= COMPANY_SECONDS
        await asyncio.sleep(max(0.0, pause))

    async def _settle(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SETTLE_SECONDS):
                    await self._recorder.settle_bell.wait()
                    await asyncio.sleep(OUTPUT_SECONDS)
                if not self._recorder.is_waiting:
                    continue
            except TimeoutError:
                pass
            finally:
                self._recorder.settle_bell.clear()
            began = monotonic()
            try:
                async with self._turn:
                    await self._recorder.settle(self._downlink.is_reachable)
            except LeaseLost:
                raise
            except (OSError, Unavailable) as error:
                log.warning("Outputs could not be settled.", error=str(error))
            least, most = GATHER_SECONDS
            took = monotonic() - began
            share = min(GATHER_SHARE, took / CHEAP_SECONDS)
            await asyncio.sleep(min(most, max(least, share * took)))

    async def _keep(self) -> None:
        """Pack what is complete and remove what is too old, now and then."""
        while True:
            await asyncio.sleep(self._upkeep.pause_seconds)
            try:
                packed = 1
                while packed and (segments := await self._upkeep.due()):
                    async with self._turn:
                        self._upkeep.retire(segments)
                    packed = await self._upkeep.pack(segments)
                await self._upkeep.clean()
                await self._upkeep.shelve()
            except LeaseLost:
                raise
            except (OSError, Unavailable) as error:
                log.warning("Stored output could not be kept in order.", error=str(error))

    async def _renew(self) -> None:
        renewed = monotonic()
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                if not await self._lease.renew():
                    raise LeaseLost
                renewed = monotonic()
            except LeaseLost:
                raise
            except Unavailable:
                if monotonic() - renewed > LEASE_TIME.total_seconds():
                    raise LeaseLost from None


class Closer:
    """Sweeper: what is due in executions happens; what has ended gets the state that follows."""

    def __init__(self, executions: Executions, dispatcher: Dispatcher) -> None:
        self._executions = executions
        self._dispatcher = dispatcher

    async def run(self) -> None:
        """Sweep until cancelled."""
        next_close = monotonic() + CLOSE_SECONDS
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                await self._dispatcher.tick()
                if monotonic() >= next_close:
                    next_close = monotonic() + CLOSE_SECONDS
                    await self._executions.close_unclosed()
            except Unavailable as error:
                log.warning("Executions could not be swept.", error=str(error))
