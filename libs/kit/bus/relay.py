"""Copies facts from the outbox to Redis, in order, at least once, and again after Redis lost them.

Redis down delays facts and fails nothing. What Redis has lost (a flush, a restart without its
last second) is noticed by a position that the relay keeps there: facts of the last minutes are
then published again, and the inboxes of the listeners drop those that they have handled.

A stream is bounded: what is new pushes out what is old, read or not. Of topics whose facts say
`until_read` nothing is pushed out that some group has not read; there the new waits in the outbox.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update

from libs.kit import clock, metrics
from libs.kit.bus.survival import TROUBLE, Backoff
from libs.kit.db import Database, Lease, Prepared, Transaction
from libs.kit.db.tables import inbox, outbox
from libs.kit.errors import Unavailable
from libs.kit.events import topics_until_read
from libs.kit.faults import fault
from libs.kit.logging import get_logger
from libs.kit.redis import Redis

BATCH: Final = 128
SWEEP_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.03  # facts are no hurry; the commit that rang has others behind it
STREAM_LENGTH: Final = 50_000
LEASE: Final = timedelta(seconds=15)
AGAIN: Final = timedelta(minutes=15)  # how far back facts are repeated when Redis lost something
KEEP_OUTBOX: Final = timedelta(days=1)
KEEP_STREAM: Final = timedelta(days=3)
KEEP_INBOX: Final = timedelta(days=7)  # longer than a stream can deliver again
TIDY_EVERY: Final = timedelta(hours=1)

log = get_logger(__name__)
published = metrics.counter("opsjob_facts_published_total", "Facts copied to Redis.", ["service"])


def stream_of(topic: str) -> str:
    """The stream that carries the facts of a context."""
    return f"facts:{topic}"


class _Row(NamedTuple):
    id: int
    event_id: str
    topic: str
    type: str
    body: str


_WAITING: Final = Prepared(
    lambda among: (
        select(*(outbox.c[name] for name in _Row._fields))
        .where(outbox.c.published_at.is_(None), ~among(outbox.c.topic, "full"))
        .order_by(outbox.c.id)
        .limit(BATCH)
    )
)
_MARK: Final = Prepared(
    lambda among: (
        update(outbox)
        .where(among(outbox.c.id, "facts"))
        .values(published_at=bindparam("at", type_=outbox.c.published_at.type))
    )
)


class Relay:
    """The one publisher of a service's facts; with several replicas, the one that has the lease."""

    def __init__(
        self,
        db: Database,
        redis: Redis,
        *,
        service: str,
        holder: str,
        length: int = STREAM_LENGTH,
        until_read: Collection[str] | None = None,
    ) -> None:
        self._db = db
        self._redis = redis
        self._service = service
        self._length = length
        self._until_read = topics_until_read() if until_read is None else frozenset(until_read)
        self._held: frozenset[str] = frozenset()
        self._position_key = f"facts:{service}:position"
        self._lease = Lease(db, "relay", holder=holder, ttl=LEASE)
        self._lease_checked = 0.0
        self._position: datetime | None = None
        self._topics: set[str] = set()
        self._known = False
        self._tidied = clock.now()

    async def run(self) -> None:
        """Publish for ever: at every ring of the doorbell, and each second as a net."""
        backoff = Backoff(f"relay of {self._service}")
        while True:
            try:
                await self.publish()
                backoff.succeeded()
            except (*TROUBLE, Unavailable) as error:
                await backoff.after(error)
                continue
            if await self._db.committed.wait(SWEEP_SECONDS):
                await asyncio.sleep(GATHER_SECONDS)

    async def publish(self) -> int:
        """Publish everything that waits; says how many facts. Raises while Redis is away."""
        epoch = await self._epoch()
        if epoch is None:
            return 0
        await self._notice_losses(epoch)
        total = 0
        full: frozenset[str] = frozenset()
        while waiting := await self._db.read(lambda tx, full=full: _waiting(tx, full)):  # type: ignore[misc]  # defaults bind the loop's values
            rows, more = await self._fitting(waiting)
            full |= more
            if not rows:
                continue
            stamp = max(clock.now(), (self._position or _START) + timedelta(microseconds=1))
            fault("outbox.before_publish")
            await self._copy(rows, stamp)
            fault("outbox.after_publish")
            ids = [row.id for row in rows]
            await self._db.write(lambda tx, ids=ids, at=stamp: self._mark(tx, ids, at, epoch))  # type: ignore[misc]  # defaults bind the loop's values
            self._position = stamp
            self._topics.update(row.topic for row in rows)
            total += len(rows)
            published.labels(self._service).inc(len(rows))
            if len(waiting) < BATCH:
                break
        self._say_held(full)
        if clock.now() - self._tidied > TIDY_EVERY:
            await self._tidy()
        return total

    async def _epoch(self) -> int | None:
        """The fencing epoch; on SQLite one process owns the file, so there is nobody to fence."""
        if self._db.dialect == "sqlite":
            return 0
        age = clock.monotonic() - self._lease_checked
        if self._lease.epoch is None or age > LEASE.total_seconds() / 3:
            held = self._lease.epoch
            epoch = await self._lease.try_acquire()
            self._lease_checked = clock.monotonic()
            if epoch != held:
                self._known = False  # somebody else may have published since
        return self._lease.epoch

    async def _copy(self, rows: Sequence[_Row], stamp: datetime) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for row in rows:
                pipe.xadd(
                    stream_of(row.topic),
                    {"id": row.event_id, "type": row.type, "body": row.body},
                    maxlen=None if row.topic in self._until_read else self._length,
                    approximate=True,
                )
            pipe.set(self._position_key, _written(stamp))
            await pipe.execute()

    async def _fitting(self, rows: Sequence[_Row]) -> tuple[list[_Row], set[str]]:
        """Those of these for which there is room, and the topics that have none for the rest."""
        wanted = Counter(row.topic for row in rows if row.topic in self._until_read)
        free = {topic: await self._free(topic, count) for topic, count in wanted.items()}
        fitting: list[_Row] = []
        full: set[str] = set()
        for row in rows:
            left = free.get(row.topic, 1)
            if left < 1:
                full.add(row.topic)
                continue
            fitting.append(row)
            if row.topic in free:
                free[row.topic] = left - 1
        return fitting, full

    async def _free(self, topic: str, wanted: int) -> int:
        """How many facts a stream takes without losing one that is not read."""
        stream = stream_of(topic)
        free = self._length - int(await self._redis.xlen(stream))
        if free >= wanted or free == self._length:  # enough, or nothing is there to be dropped
            return free
        await self._drop_what_is_read(stream)
        return self._length - int(await self._redis.xlen(stream))

    async def _drop_what_is_read(self, stream: str) -> None:
        """Only what every group has handled; of a stream that nobody reads yet, nothing."""
        needed: list[tuple[int, int]] = []
        for group in await self._redis.xinfo_groups(stream):
            ms, number = _place(group["last-delivered-id"])
            needed.append((ms, number + 1))
            if group["pending"]:
                summary = await self._redis.xpending(stream, group["name"])
                needed.append(_place(summary["min"]))
        if needed:
            ms, number = min(needed)
            await self._redis.xtrim(stream, minid=f"{ms}-{number}", approximate=False)

    def _say_held(self, full: frozenset[str]) -> None:
        if full != self._held:
            self._held = full
            if full:
                log.warning("Facts wait in the outbox until others are read.", topics=sorted(full))
            else:
                log.info("Facts wait in the outbox no more.")

    def _mark(self, tx: Transaction, ids: list[int], at: datetime, epoch: int) -> None:
        self._fence(tx, epoch)
        tx.run(_MARK, [{"facts": ids, "at": at}])

    def _fence(self, tx: Transaction, epoch: int) -> None:
        if epoch:
            tx.fenced(self._lease.name, epoch)

    async def _notice_losses(self, epoch: int) -> None:
        if not self._known:
            self._position, self._topics = await self._db.read(self._published_lately)
            self._known = True
        if self._position is None:
            return
        topics = sorted(self._topics)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(self._position_key)
            for topic in topics:
                pipe.exists(stream_of(topic))
            answers = await pipe.execute()
        position = answers[0].decode() if answers[0] else ""
        if position >= _written(self._position) and all(answers[1:]):
            return
        again = await self._db.write(lambda tx: self._repeat(tx, epoch))
        self._position = None
        self._topics = set()
        log.warning("Redis lost facts; publishing the latest again.", facts=again)

    def _repeat(self, tx: Transaction, epoch: int) -> int:
        self._fence(tx, epoch)
        return tx.changed(update(outbox).where(self._may_be_needed(tx)).values(published_at=None))

    def _published_lately(self, tx: Transaction) -> tuple[datetime | None, set[str]]:
        needed = self._may_be_needed(tx)
        latest = tx.scalar(select(func.max(outbox.c.published_at)).where(needed))
        topics = tx.scalars(select(outbox.c.topic).where(needed).distinct())
        return latest, set(topics)

    def _may_be_needed(self, tx: Transaction) -> ColumnElement[bool]:
        """What was published and may be unread: all that is still there, or the latest."""
        kept = and_(outbox.c.published_at.is_not(None), outbox.c.topic.in_(self._until_read))
        return or_(outbox.c.published_at >= tx.now - AGAIN, kept)

    async def _tidy(self) -> None:
        self._tidied = clock.now()
        await self._db.write(_forget)
        oldest = int((clock.now() - KEEP_STREAM).timestamp() * 1000)
        for topic in self._topics - self._until_read:
            await self._redis.xtrim(stream_of(topic), minid=str(oldest), approximate=True)


_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _place(entry: bytes) -> tuple[int, int]:
    """The two numbers of an entry's id."""
    ms, _, number = entry.decode().partition("-")
    return int(ms), int(number)


def _waiting(tx: Transaction, full: Collection[str]) -> list[_Row]:
    return [_Row(*row) for row in tx.rows(_WAITING, {"full": sorted(full)})]


def _forget(tx: Transaction) -> None:
    tx.execute(delete(outbox).where(outbox.c.published_at < tx.now - KEEP_OUTBOX))
    tx.execute(delete(inbox).where(inbox.c.handled_at < tx.now - KEEP_INBOX))
