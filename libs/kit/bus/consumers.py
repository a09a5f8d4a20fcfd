"""Delivers facts to the use cases of a service: at least once, with effects exactly once.

A fact that fails does not hold up the others; after five failures it goes to the dead letters.
A part that is down (Unavailable) is not the fact's fault and does not count.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, update

from libs.kit import clock, metrics
from libs.kit.bus.relay import stream_of
from libs.kit.bus.subscriptions import Subscription, Subscriptions
from libs.kit.bus.survival import TROUBLE, Backoff, ensure_groups, lost_group
from libs.kit.db import Database, Delivery, DuplicateEvent, Transaction, delivering
from libs.kit.db.tables import dead_letters
from libs.kit.errors import NotFound, Unavailable
from libs.kit.faults import fault
from libs.kit.logging import get_logger, trace_id
from libs.kit.redis import Redis, blocking

BATCH: Final = 128
BLOCK_SECONDS: Final = 1.0
MAX_FAILURES: Final = 5
MAX_DELIVERIES: Final = 20  # of a fact that takes the process down each time
PAUSES: Final = (0.2, 1.0, 3.0, 10.0)
ORPHANED_SECONDS: Final = 15.0  # longer than a handler may run: then its process is dead
SWEEP_SECONDS: Final = 5.0
HANDLER_SECONDS: Final = 12.0

log = get_logger(__name__)
handled = metrics.counter("opsjob_facts_handled_total", "Facts handled.", ["service", "outcome"])

Fields = Mapping[bytes, bytes]


@dataclass(slots=True)
class _Fact:
    """One entry of a stream and what has happened to it here."""

    stream: str
    entry: str
    fields: Fields
    deliveries: int = 1
    failures: int = 0
    pauses: int = 0
    due: float = 0.0
    reason: str = ""
    failed_in: str = ""
    done: set[str] = field(default_factory=set)

    def text(self, name: bytes) -> str:
        return self.fields.get(name, b"").decode("utf-8", "replace")


class Consumers:
    """The listening loop of one service in one process; its group is named after the service."""

    def __init__(
        self,
        db: Database,
        redis: Redis,
        subscriptions: Subscriptions,
        provided: Mapping[type, object],
        *,
        service: str,
        consumer: str,
    ) -> None:
        self._db = db
        self._redis = redis
        self._provided = provided
        self._service = service
        self._consumer = consumer
        self._by_type: dict[str, list[Subscription]] = {}
        for subscription in subscriptions:
            self._by_type.setdefault(subscription.fact.type, []).append(subscription)
        self._streams = sorted({stream_of(s.fact.topic) for s in subscriptions})
        self._failed: dict[tuple[str, str], _Fact] = {}
        self._swept = 0.0

    async def run(self) -> None:
        """Listen for ever, whatever Redis does."""
        if not self._streams:
            return
        backoff = Backoff(f"consumers of {self._service}")
        async with blocking(self._redis) as reader:
            while True:
                try:
                    await ensure_groups(self._redis, self._streams, self._service)
                    while True:
                        await self.step(reader)
                        backoff.succeeded()
                except TROUBLE as error:
                    if not lost_group(error):
                        await backoff.after(error)

    async def step(self, reader: Redis) -> None:
        """Deliver what is due: failed ones, orphans of dead processes, new ones."""
        now = clock.monotonic()
        for fact in [fact for fact in self._failed.values() if fact.due <= now]:
            await self._deliver_and_ack([fact])
        if now - self._swept > SWEEP_SECONDS:
            self._swept = now
            await self._deliver_and_ack(await self._orphans())
        wait = min([BLOCK_SECONDS, *(fact.due - now for fact in self._failed.values())])
        answer = await reader.xreadgroup(
            self._service,
            self._consumer,
            dict.fromkeys(self._streams, ">"),
            count=BATCH,
            block=max(1, int(wait * 1000)),
        )
        for stream, entries in answer:
            name = stream.decode()
            await self._deliver_and_ack([_Fact(name, i.decode(), fields) for i, fields in entries])

    async def _orphans(self) -> list[_Fact]:
        """Facts whose process died while it had them."""
        found: list[_Fact] = []
        for stream in self._streams:
            idle = int(ORPHANED_SECONDS * 1000)
            pending = await self._redis.xpending_range(
                stream, self._service, min="-", max="+", count=BATCH, idle=idle
            )
            counts = {row["message_id"].decode(): int(row["times_delivered"]) for row in pending}
            strays = [entry for entry in counts if (stream, entry) not in self._failed]
            if not strays:
                continue
            claimed = await self._redis.xclaim(
                stream, self._service, self._consumer, min_idle_time=idle, message_ids=strays
            )
            for entry, fields in claimed:
                name = entry.decode()
                found.append(_Fact(stream, name, fields or {}, deliveries=counts[name] + 1))
        return found

    async def _deliver_and_ack(self, facts: list[_Fact]) -> None:
        done: dict[str, list[str]] = {}
        for fact in facts:
            if await self._deliver(fact):
                self._failed.pop((fact.stream, fact.entry), None)
                done.setdefault(fact.stream, []).append(fact.entry)
            else:
                self._failed[fact.stream, fact.entry] = fact
        fault("facts.before_ack")
        for stream, entries in done.items():
            await self._redis.xack(stream, self._service, *entries)

    async def _deliver(self, fact: _Fact) -> bool:
        """True when the entry is dealt with: handled, of no interest, or a dead letter."""
        for subscription in self._by_type.get(fact.text(b"type"), ()):
            if subscription.name in fact.done:
                continue
            try:
                await self._call(subscription, fact)
            except Unavailable as error:
                self._put_off(fact, error)
                return False
            except Exception as error:
                fact.failures += 1
                fact.reason = f"{type(error).__name__}: {error}"[:2000]
                fact.failed_in = subscription.name
                log.warning(
                    "A fact could not be handled.",
                    consumer=subscription.name,
                    event_id=fact.text(b"id"),
                    failures=fact.failures,
                    exc_info=error,
                )
                if fact.failures < MAX_FAILURES and fact.deliveries < MAX_DELIVERIES:
                    self._put_off(fact, error)
                    return False
                if not await self._bury(fact):
                    return False
            fact.done.add(subscription.name)
            fact.failures = 0
        return True

    async def _call(self, subscription: Subscription, fact: _Fact) -> None:
        event = subscription.fact.model_validate_json(fact.fields.get(b"body", b""))
        use_cases = self._provided[subscription.use_cases]
        token = trace_id.set(event.trace_id)
        try:
            async with asyncio.timeout(HANDLER_SECONDS):
                if subscription.repeatable:
                    await subscription.call(event, use_cases)
                else:
                    name = f"{self._service}.{subscription.name}"
                    with delivering(Delivery(name, event.event_id)):
                        await subscription.call(event, use_cases)
            handled.labels(self._service, "done").inc()
        except DuplicateEvent:
            handled.labels(self._service, "duplicate").inc()
        finally:
            trace_id.reset(token)

    def _put_off(self, fact: _Fact, error: Exception) -> None:
        fact.reason = f"{type(error).__name__}: {error}"[:2000]
        fact.due = clock.monotonic() + PAUSES[min(fact.pauses, len(PAUSES) - 1)]
        fact.pauses += 1

    async def _bury(self, fact: _Fact) -> bool:
        row = {
            "consumer": fact.failed_in,
            "event_id": fact.text(b"id")[:64],
            "topic": fact.stream.removeprefix("facts:")[:64],
            "type": fact.text(b"type")[:128],
            "body": fact.text(b"body").replace("\0", "\ufffd"),
            "reason": fact.reason.replace("\0", "\ufffd"),
            "deliveries": max(fact.failures, fact.deliveries),
        }
        try:
            await self._db.write(
                lambda tx: tx.execute(insert(dead_letters).values(created_at=tx.now, **row))
            )
        except Unavailable as error:
            self._put_off(fact, error)
            return False
        handled.labels(self._service, "dead").inc()
        log.error(
            "A fact went to the dead letters.",
            consumer=fact.failed_in,
            event_id=row["event_id"],
            reason=fact.reason,
        )
        return True


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A fact that a consumer could not handle, and why."""

    id: int
    consumer: str
    event_id: str
    topic: str
    type: str
    body: str
    reason: str
    deliveries: int
    created_at: datetime
    replayed_at: datetime | None


class DeadLetters:
    """The facts of a service that failed five times: to be seen and to be tried again."""

    def __init__(self, db: Database, redis: Redis) -> None:
        self._db = db
        self._redis = redis

    async def waiting(self, limit: int = 100) -> list[DeadLetter]:
        """Those that nobody has replayed, oldest first."""
        query = (
            select(dead_letters)
            .where(dead_letters.c.replayed_at.is_(None))
            .order_by(dead_letters.c.id)
            .limit(limit)
        )
        return await self._db.read(
            lambda tx: [DeadLetter(*row) for row in tx.session.execute(query)]
        )

    async def replay(self, letter_id: int) -> None:
        """Publish the fact once more; consumers that have handled it drop it. Raises NotFound."""
        query = select(dead_letters).where(dead_letters.c.id == letter_id)
        row = await self._db.read(lambda tx: tx.session.execute(query).first())
        if row is None:
            raise NotFound
        try:
            await self._redis.xadd(
                stream_of(row.topic), {"id": row.event_id, "type": row.type, "body": row.body}
            )
        except TROUBLE as error:
            raise Unavailable from error
        await self._db.write(lambda tx: self._replayed(tx, letter_id))

    def _replayed(self, tx: Transaction, letter_id: int) -> None:
        tx.execute(
            update(dead_letters).where(dead_letters.c.id == letter_id).values(replayed_at=tx.now)
        )
