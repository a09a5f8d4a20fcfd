"""From agents to Redis: messages in batches, results first, nothing dropped, memory bounded.

An agent repeats what nobody acknowledged, and this gateway acknowledges nothing. What it took in
it keeps until Redis has it; while Redis is away it takes in no more.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from redis.exceptions import WatchError

from gateway.agents.counting import BATCHES, UPLINK_BYTES, UPLINK_FAILURES, UPLINK_MESSAGES
from gateway.agents.settings import AgentGatewaySettings
from libs.contracts.agents import FIELD_BATCH, FIELD_GATEWAY, FIELD_MARK, LOGS, RESULTS, STATUS
from libs.kit.bus import StreamMark
from libs.kit.logging import get_logger
from libs.kit.redis import TROUBLE, Redis

log = get_logger(__name__)

BATCH_MESSAGES: Final = 128
BATCH_BYTES: Final = 256 * 1024
ENTRIES_PER_WRITE: Final = {RESULTS: 16, STATUS: 8, LOGS: 4}
"""Entries of each stream in one round trip: logs can delay a result by 1 MiB at most."""
DENSE_MESSAGES: Final = 4
"""A write with so many messages says that more are coming; waiting for them saves round trips."""
SEVERAL_MESSAGES: Final = 10
"""So many of late, each counting half after `HALF_LIFE`: dozens speak, if by ones and twos. One
agent alone has at most four in a short script, so it never waits."""
SEVERAL_LINGERS: Final = 3
CROWDED_MESSAGES: Final = 150
"""So many of late: thousands speak, so wait longer."""
CROWDED_LINGERS: Final = 5
HALF_LIFE: Final = 0.05
LATER_SECONDS: Final = 0.5
"""How long heartbeats wait for company, or for something that is urgent."""
RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
_ARRAY32: Final = b"\xdd"
_FORGOTTEN_AT_ONCE: Final = 64
_FORGET_ATTEMPTS: Final = 5


class Source(Protocol):
    """Where messages come from; it can be told to wait."""

    buffered: int
    """Bytes of it that wait here."""

    def pause(self) -> None:
        """Reads nothing more until `resume`."""

    def resume(self) -> None:
        """Goes on reading."""


@dataclass(slots=True)
class _Item:
    data: bytes
    source: Source


@dataclass(slots=True)
class _Entry:
    key: str
    items: list[_Item]

    def packed(self) -> bytes:
        """A msgpack list of maps that are msgpack already."""
        head = _ARRAY32 + len(self.items).to_bytes(4, "big")
        return head + b"".join([item.data for item in self.items])


class Uplink:
    """Three queues and one writer; call `run` once, in the task group of the gateway."""

    def __init__(
        self,
        redis: Redis,
        gateway_id: str,
        settings: AgentGatewaySettings,
        mark: StreamMark | None = None,
    ) -> None:
        self._mark = mark
        self._redis = redis
        self._gateway_id = gateway_id
        self._settings = settings
        self._maxlen = {
            RESULTS: settings.results_entries,
            STATUS: settings.status_entries,
            LOGS: settings.logs_entries,
        }
        self._queues: dict[str, deque[_Item]] = {key: deque() for key in (RESULTS, STATUS, LOGS)}
        self._unsent: list[_Entry] = []
        self._touched: dict[str, int] = {}
        self._forgotten: set[str] = set()
        self._paused: set[Source] = set()
        self._bytes = 0
        self._messages = 0
        self._doorbell = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._is_rest = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._last_write = 0.0
        self._last_count = 0
        self._of_late = 0.0
        self.is_healthy = False
        """Whether the last write reached Redis."""
        self.met_redis = asyncio.Event()
        """Set once Redis answered for the first time."""
        self.on_return: Callable[[], None] = lambda: None
        """Called when Redis answers again after a failure."""

    # ---- what sessions may do -------------------------------------------------------------

    def put(self, key: str, data: bytes, source: Source) -> None:
        """Takes one message, already msgpack; pauses its source when too much waits."""
        self._enqueue(key, data, source)
        self._ring()

    def put_later(self, key: str, data: bytes, source: Source) -> None:
        """The same for one that is no hurry: it goes with the next write, or makes one soon."""
        self._enqueue(key, data, source)
        if self._alarm is None:
            self._idle.clear()
            self._alarm = asyncio.get_running_loop().call_later(LATER_SECONDS, self._ring)

    def _enqueue(self, key: str, data: bytes, source: Source) -> None:
        self._queues[key].append(_Item(data, source))
        size = len(data)
        source.buffered += size
        self._bytes += size
        self._messages += 1
        if self._must_wait(source):
            source.pause()
            self._paused.add(source)

    def has_room(self, source: Source) -> bool:
        """Whether nothing had to wait yet; what may be lost is only taken in then."""
        return not self._must_wait(source) and source not in self._paused

    def touch(self, key: str, seconds: int) -> None:
        """Says that this gateway holds `key`, for so long; goes with what is put beside it."""
        self._forgotten.discard(key)
        self._touched[key] = seconds

    def forget(self, key: str) -> None:
        """Takes that back, unless another gateway holds the key by now."""
        self._touched.pop(key, None)
        self._forgotten.add(key)
        self._ring()

    def drop(self, source: Source) -> None:
        """The source is gone; what it said already is still delivered."""
        self._paused.discard(source)

    @property
    def waiting_bytes(self) -> int:
        """Taken in, not in Redis yet."""
        return self._bytes

    async def drained(self) -> None:
        """Returns once everything taken in so far is in Redis."""
        await self._idle.wait()

    # ---- the writer -----------------------------------------------------------------------

    async def run(self) -> None:
        """Writes for ever; never fails, retries instead."""
        await self._first_contact()
        while True:
            await self._doorbell.wait()
            await self._linger()
            self._doorbell.clear()
            await self._write_until_taken()
            if not self._has_work():
                self._idle.set()

    async def _first_contact(self) -> None:
        attempt = 0
        while True:
            try:
                await self._redis.ping()
            except TROUBLE as error:
                await self._wait_after(error, attempt)
                attempt += 1
                continue
            self.is_healthy = True
            self.met_redis.set()
            return

    async def _linger(self) -> None:
        """Waits a moment for company, if there was some of late and no batch is full yet."""
        if self._messages >= BATCH_MESSAGES or self._bytes >= BATCH_BYTES:
            return
        now = asyncio.get_running_loop().time()
        since = now - self._last_write
        wait = self._lingers(since) * self._settings.linger_seconds - since
        if wait > 0:
            await asyncio.sleep(wait)

    def _lingers(self, since: float) -> int:
        """How many times the usual moment this write may be after the last one."""
        of_late = self._of_late * 0.5 ** (since / HALF_LIFE)
        if of_late >= CROWDED_MESSAGES:
            return CROWDED_LINGERS
        if of_late >= SEVERAL_MESSAGES:
            return SEVERAL_LINGERS
        return 1 if self._last_count >= DENSE_MESSAGES else 0

    async def _write_until_taken(self) -> None:
        attempt = 0
        while not await self._write():
            attempt += 1
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1])
        at = asyncio.get_running_loop().time()
        self._of_late = self._of_late * 0.5 ** ((at - self._last_write) / HALF_LIFE)
        self._of_late += self._last_count
        self._last_write = at
        if attempt and not self._unsent:
            self.on_return()
        if self._is_rest:
            self._doorbell.set()

    async def _write(self) -> bool:
        """One round trip; False when anything in it was not taken, then it is kept."""
        if not self._unsent:
            self._unsent = self._cut()
            self._last_count = sum(len(e.items) for e in self._unsent if e.key != STATUS)
        touched, self._touched = self._touched, {}
        forgotten, self._forgotten = self._forgotten, set()
        answers: list[object] = []
        try:
            answers = await self._send(touched)
            await self._let_go(sorted(forgotten))
        except TROUBLE as error:
            answers = [*answers, error]
        failed = next((a for a in answers if isinstance(a, Exception)), None)
        self._settle(answers)
        if failed is None:
            self._recover()
            return True
        self._touched = touched | self._touched
        self._forgotten |= forgotten - self._touched.keys()
        self._note(failed)
        return False

    async def _send(self, touched: dict[str, int]) -> list[object]:
        pipe = self._redis.pipeline(transaction=False)
        for entry in self._unsent:
            batch = entry.packed()
            fields: dict[str, str | bytes] = {FIELD_GATEWAY: self._gateway_id, FIELD_BATCH: batch}
            if self._mark is not None:
                fields[FIELD_MARK] = self._mark.of(entry.key, self._gateway_id, batch)
            pipe.xadd(entry.key, fields, maxlen=self._maxlen[entry.key], approximate=True)  # type: ignore[arg-type]
        for key, seconds in touched.items():
            pipe.set(key, self._gateway_id, ex=seconds)
        answers: list[object] = await pipe.execute(raise_on_error=False)
        return answers

    async def _let_go(self, keys: list[str]) -> None:
        """Deletes keys that still name this gateway; without a script, which it may not run.

        Those that others write to all the while are left to their end.
        """
        for start in range(0, len(keys), _FORGOTTEN_AT_ONCE):
            some = keys[start : start + _FORGOTTEN_AT_ONCE]
            for _ in range(_FORGET_ATTEMPTS):
                if await self._deleted(some):
                    break

    async def _deleted(self, keys: list[str]) -> bool:
        """False if one of the keys was written to meanwhile; then nothing was deleted."""
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(*keys)
            holders = await pipe.mget(keys)
            own = self._gateway_id.encode()
            mine = [key for key, holder in zip(keys, holders, strict=True) if holder == own]
            if not mine:
                return True
            pipe.multi()  # type: ignore[no-untyped-call]  # of the library
            pipe.delete(*mine)
            try:
                await pipe.execute()
            except WatchError:
                return False
        return True

    def _settle(self, answers: list[object]) -> None:
        """Lets go of what Redis has, entry by entry; the rest stays for the next attempt."""
        if len(answers) < len(self._unsent):
            return  # the connection failed as a whole
        kept: list[_Entry] = []
        for entry, answer in zip(self._unsent, answers, strict=False):
            if isinstance(answer, Exception):
                kept.append(entry)
                continue
            BATCHES.labels(entry.key).inc()
            UPLINK_MESSAGES.labels(entry.key).inc(len(entry.items))
            for item in entry.items:
                size = len(item.data)
                item.source.buffered -= size
                self._bytes -= size
        self._unsent = kept

    def _cut(self) -> list[_Entry]:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        entries: list[_Entry] = []
        for key, queue in self._queues.items():
            for _ in range(ENTRIES_PER_WRITE[key]):
                if not queue:
                    break
                entries.append(self._cut_one(key, queue))
        self._is_rest = any(self._queues.values())
        return entries

    def _cut_one(self, key: str, queue: deque[_Item]) -> _Entry:
        items: list[_Item] = []
        size = 0
        while queue and len(items) < BATCH_MESSAGES:
            size += len(queue[0].data)
            if items and size > BATCH_BYTES:
                break
            items.append(queue.popleft())
        self._messages -= len(items)
        return _Entry(key, items)

    # ---- waiting and going on -------------------------------------------------------------

    def _must_wait(self, source: Source) -> bool:
        return (
            not self.is_healthy
            or source.buffered >= self._settings.session_buffer_bytes
            or self._bytes >= self._settings.uplink_buffer_bytes
        )

    def _recover(self) -> None:
        self.is_healthy = True
        UPLINK_BYTES.set(self._bytes)
        for source in list(self._paused):
            if not self._must_wait(source):
                self._paused.discard(source)
                source.resume()

    def _note(self, error: Exception) -> None:
        UPLINK_FAILURES.inc()
        UPLINK_BYTES.set(self._bytes)
        if self.is_healthy:
            log.warning("Redis does not take messages of agents.", error=repr(error))
        self.is_healthy = False

    async def _wait_after(self, error: Exception, attempt: int) -> None:
        self._note(error)
        await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])

    def _ring(self) -> None:
        self._idle.clear()
        self._doorbell.set()

    def _has_work(self) -> bool:
        return bool(self._unsent or self._touched or self._forgotten or any(self._queues.values()))
