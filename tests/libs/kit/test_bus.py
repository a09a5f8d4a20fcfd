"""Facts from outbox to use case, on a real Valkey."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from libs.kit import clock
from libs.kit.bus import Consumers, DeadLetters, Relay, Subscriptions, stream_of
from libs.kit.clock import StandingClock
from libs.kit.db import Database, Lease
from libs.kit.db.tables import inbox, outbox
from libs.kit.errors import NotFound
from libs.kit.logging import trace_id
from libs.kit.redis import Redis, blocking
from tests.libs.kit.listening import GROUP, Log, consumers_of, published, relay_of, running
from tests.libs.kit.things import ThingMade, Things
from tests.support.waiting import eventually


async def test_facts_reach_the_stream_in_order(db: Database, things: Things, redis: Redis) -> None:
    for n in range(300):
        await things.make(f"n{n}")

    assert await relay_of(db, redis).publish() == 300

    entries = await redis.xrange(stream_of("things"))
    names = [ThingMade.model_validate_json(fields[b"body"]).name for _, fields in entries]
    assert names == [f"n{n}" for n in range(300)]
    assert await published(db) == 300


async def test_a_commit_wakes_the_relay_and_the_listener(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        for n in range(20):
            await things.make(f"n{n}")

        await eventually(lambda: len(log.seen) == 20)
    assert log.seen == [f"n{n}" for n in range(20)]


async def test_the_trace_of_the_cause_reaches_the_listener(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    token = trace_id.set("trace-of-the-request")
    await things.make("a")
    trace_id.reset(token)

    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        await eventually(lambda: log.traces)
    assert log.traces == ["trace-of-the-request"]


async def test_r25_a_fact_published_twice_has_one_effect(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    await things.make("a")
    relay = relay_of(db, redis)
    await relay.publish()
    await db.write(lambda tx: tx.execute(update(outbox).values(published_at=None)))  # a crash
    await relay.publish()
    await things.make("b")
    await relay.publish()

    async with running(consumers_of(db, redis, log)):
        await eventually(lambda: "b" in log.seen)

    assert log.seen == ["a", "b"]
    assert sorted(await log.things.names()) == ["a", "b", "seen a", "seen b"]


async def test_r28_a_poison_fact_goes_to_the_dead_letters_and_blocks_nobody(
    db: Database, things: Things, redis: Redis, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.kit.bus.consumers.PAUSES", (0.01,))
    log.failing = {"poison"}
    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        await things.make("poison")
        await things.make("good")
        await eventually(lambda: log.seen == ["good"])
        letters = DeadLetters(db, redis)
        found = await eventually(letters.waiting)
        letter = found[0]
        assert (letter.consumer, letter.type) == ("note_new_things", ThingMade.type)
        assert letter.deliveries == 5
        assert letter.reason == "ValueError: cannot handle poison"

        log.failing = set()
        await letters.replay(letter.id)
        await eventually(lambda: log.seen == ["good", "poison"])
        assert await letters.waiting() == []


async def test_r28_bytes_that_are_no_fact_are_buried_too(
    db: Database, redis: Redis, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.kit.bus.consumers.PAUSES", (0.01,))
    await redis.xadd(stream_of("things"), {"type": ThingMade.type, "body": b"\xff\x00{", "id": "x"})

    async with running(consumers_of(db, redis, log)):
        found = await eventually(DeadLetters(db, redis).waiting)
    assert found[0].event_id == "x"


async def test_a_fact_of_no_interest_is_passed_over(
    db: Database, redis: Redis, log: Log, things: Things
) -> None:
    await redis.xadd(stream_of("things"), {"type": "things.unknown", "body": "{}", "id": "x"})
    await things.make("a")

    async def nothing_pending() -> bool:
        return bool((await redis.xpending(stream_of("things"), GROUP))["pending"] == 0)

    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        await eventually(lambda: log.seen == ["a"])
        await eventually(nothing_pending)


async def test_a_part_that_is_down_is_not_the_facts_fault(
    db: Database, things: Things, redis: Redis, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.kit.bus.consumers.PAUSES", (0.001,))
    log.down = True
    consumers = consumers_of(db, redis, log)
    await things.make("a")
    await relay_of(db, redis).publish()
    reader = blocking(redis)
    await redis.xgroup_create(stream_of("things"), GROUP, id="0")
    for _ in range(12):
        await consumers.step(reader)

    log.down = False
    await eventually(lambda: handled_by(consumers, reader, log))
    assert log.seen == ["a"]
    assert await DeadLetters(db, redis).waiting() == []
    await reader.aclose()


async def handled_by(consumers: Consumers, reader: Redis, log: Log) -> bool:
    await consumers.step(reader)
    return bool(log.seen)


async def test_what_a_dead_process_had_is_taken_over(
    db: Database, things: Things, redis: Redis, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.kit.bus.consumers.ORPHANED_SECONDS", 0.05)
    monkeypatch.setattr("libs.kit.bus.consumers.SWEEP_SECONDS", 0.05)
    await things.make("a")
    await relay_of(db, redis).publish()
    await redis.xgroup_create(stream_of("things"), GROUP, id="0")
    await redis.xreadgroup(GROUP, "dead-process", {stream_of("things"): ">"})

    async with running(consumers_of(db, redis, log, "process-2")):
        await eventually(lambda: log.seen == ["a"])


async def test_r29_order_and_repetition_do_not_change_the_end(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    names = [f"n{n}" for n in range(30)]
    for name in names:
        await things.make(name)
    rows = await db.read(lambda tx: tx.execute(select(outbox)).all())
    deliveries = list(rows) * 3
    random.Random(29).shuffle(deliveries)
    for row in deliveries:
        await redis.xadd(
            stream_of(row.topic), {"id": row.event_id, "type": row.type, "body": row.body}
        )

    async with running(consumers_of(db, redis, log)):
        query = select(func.count()).select_from(inbox)
        await eventually(lambda: db.read(lambda tx: tx.scalar(query) == 30))
        await eventually(lambda: len(log.seen) == 30)

    assert sorted(log.seen) == sorted(names)


async def test_r30_only_the_holder_of_the_lease_publishes(
    db: Database, things: Things, redis: Redis, standing: StandingClock
) -> None:
    if db.dialect == "sqlite":
        pytest.skip("one process owns the file; there is nobody to fence")
    first = Relay(db, redis, service="things", holder="a")
    second = Relay(db, redis, service="things", holder="b")
    await things.make("one")

    assert await first.publish() == 1
    await things.make("two")
    assert await second.publish() == 0
    standing.advance(timedelta(seconds=20))
    assert await second.publish() == 1
    assert await first.publish() == 0


async def test_old_facts_are_tidied_away(
    db: Database, things: Things, redis: Redis, standing: StandingClock
) -> None:
    relay = relay_of(db, redis)
    await things.make("old")
    await relay.publish()
    standing.advance(timedelta(days=2))
    await things.make("new")

    await relay.publish()

    bodies = await db.read(lambda tx: list(tx.scalars(select(outbox.c.body))))
    assert len(bodies) == 1
    assert '"new"' in bodies[0]


async def test_replaying_a_letter_that_is_not_there_says_so(db: Database, redis: Redis) -> None:
    with pytest.raises(NotFound):
        await DeadLetters(db, redis).replay(404)


async def test_a_lease_on_the_relay_is_kept_by_renewal(
    db: Database, redis: Redis, standing: StandingClock
) -> None:
    if db.dialect == "sqlite":
        pytest.skip("no lease on SQLite")
    relay = relay_of(db, redis)
    for _ in range(5):
        await relay.publish()
        standing.advance(timedelta(seconds=6))

    other = Lease(db, "relay", holder="other", ttl=timedelta(seconds=15))
    assert await other.try_acquire() is None
    assert clock.now() == standing.now()


def test_a_consumer_needs_a_name_of_its_own() -> None:
    again = Subscriptions()

    @again(ThingMade, Log)
    async def twice(fact: ThingMade, log: Log) -> None: ...

    with pytest.raises(ValueError, match="twice"):
        again(ThingMade, Log)(twice)
