"""A listening service of the tests' own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select

from libs.kit.bus import Consumers, Relay, Subscriptions
from libs.kit.db import Database
from libs.kit.db.tables import outbox
from libs.kit.errors import Unavailable
from libs.kit.logging import current_trace_id
from libs.kit.redis import Redis
from tests.libs.kit.things import ThingMade, Things

GROUP = "listeners"


class Log:
    """What a consumer has seen; the use cases of the tests' listening service."""

    def __init__(self, db: Database) -> None:
        self.things = Things(db)
        self.seen: list[str] = []
        self.traces: list[str] = []
        self.failing: set[str] = set()
        self.down = False

    async def note(self, name: str) -> None:
        """The effect of the listening service, in one transaction: a thing with another name."""
        if self.down:
            raise Unavailable
        if name in self.failing:
            message = f"cannot handle {name}"
            raise ValueError(message)
        self.traces.append(current_trace_id())
        await self.things.make(f"seen {name}")
        self.seen.append(name)


on = Subscriptions()


@on(ThingMade, Log)
async def note_new_things(fact: ThingMade, log: Log) -> None:
    """Ignores what it made itself: in these tests one service talks and listens."""
    if not fact.name.startswith("seen "):
        await log.note(fact.name)


def relay_of(db: Database, redis: Redis) -> Relay:
    return Relay(db, redis, service="things", holder="process-1")


def consumers_of(db: Database, redis: Redis, log: Log, consumer: str = "process-1") -> Consumers:
    return Consumers(db, redis, on, {Log: log}, service=GROUP, consumer=consumer)


@asynccontextmanager
async def running(*loops: Consumers | Relay) -> AsyncIterator[None]:
    """The loops in the background, as in a service; one that dies fails the test."""
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def published(db: Database) -> int:
    query = select(func.count()).where(outbox.c.published_at.is_not(None))
    return await db.read(lambda tx: tx.scalar(query)) or 0
