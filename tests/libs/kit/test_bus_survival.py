"""Facts while Valkey is flushed, filled, killed and emptied."""

from datetime import timedelta

from libs.kit.bus import Relay, stream_of
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from libs.kit.redis import Redis, connect
from tests.libs.kit.listening import GROUP, Log, consumers_of, published, relay_of, running
from tests.libs.kit.things import Things
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually


async def test_r26_redis_down_delays_facts_and_fails_no_write(
    db: Database, log: Log, own_valkey: ValkeyServer
) -> None:
    redis = connect(own_valkey.url)
    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        await log.things.make("a")
        assert log.seen == []

        own_valkey.start()
        await eventually(lambda: log.seen == ["a"])
    await redis.aclose()


async def test_r26_what_a_flush_took_is_published_again(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    relay = relay_of(db, redis)
    await things.make("lost")
    await relay.publish()
    await redis.flushall()

    async with running(relay, consumers_of(db, redis, log)):
        await eventually(lambda: log.seen == ["lost"])


async def test_r26_a_lost_last_second_is_published_again(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    """A crash of Redis with appendfsync everysec: the position stands before the last facts."""
    relay = relay_of(db, redis)
    await things.make("kept")
    await relay.publish()
    dump = await redis.dump(stream_of("things"))
    position = await redis.get("facts:things:position")
    await things.make("lost")
    await relay.publish()
    await redis.restore(stream_of("things"), 0, dump, replace=True)
    await redis.set("facts:things:position", position)

    async with running(relay, consumers_of(db, redis, log)):
        await eventually(lambda: log.seen == ["kept", "lost"])


async def test_r26_a_relay_that_starts_after_the_loss_notices_it(
    db: Database, things: Things, redis: Redis
) -> None:
    await things.make("a")
    await relay_of(db, redis).publish()
    await redis.delete(stream_of("things"))

    assert await relay_of(db, redis).publish() == 1


async def test_what_is_kept_until_it_is_read_waits_for_its_readers(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    """Nothing pushes out what nobody has read, however long the reader is away."""
    names = [f"thing {number}" for number in range(12)]
    relay = Relay(db, redis, service="things", holder="a", length=5, until_read={"things"})
    for name in names:
        await things.make(name)

    assert [await relay.publish(), await relay.publish()] == [5, 0]
    assert await published(db) == 5
    async with running(relay, consumers_of(db, redis, log)):
        await eventually(lambda: log.seen == names)
    assert await redis.xlen(stream_of("things")) <= 5


async def test_what_a_reader_has_taken_and_not_finished_makes_no_room(
    db: Database, things: Things, redis: Redis
) -> None:
    stream = stream_of("things")
    relay = Relay(db, redis, service="things", holder="a", length=3, until_read={"things"})
    for name in ("a", "b", "c", "d", "e"):
        await things.make(name)
    await relay.publish()
    await redis.xgroup_create(stream, GROUP, id="0")
    [[_, entries]] = await redis.xreadgroup(GROUP, "reader", {stream: ">"}, count=2)

    await redis.xack(stream, GROUP, entries[1][0])
    assert await relay.publish() == 0
    await redis.xack(stream, GROUP, entries[0][0])
    assert await relay.publish() == 2
    assert await redis.xlen(stream) == 3


async def test_r26_a_flush_takes_nothing_that_is_kept_until_it_is_read(
    db: Database, things: Things, redis: Redis, standing: StandingClock
) -> None:
    relay = Relay(db, redis, service="things", holder="a", until_read={"things"})
    await things.make("old")
    await relay.publish()
    standing.advance(timedelta(hours=5))

    await redis.flushall()
    after_restart = Relay(db, redis, service="things", holder="a", until_read={"things"})

    assert await after_restart.publish() == 1


async def test_r27_a_lost_group_is_made_again(
    db: Database, things: Things, redis: Redis, log: Log
) -> None:
    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        await things.make("a")
        await eventually(lambda: log.seen == ["a"])
        await redis.xgroup_destroy(stream_of("things"), GROUP)
        await things.make("b")
        await eventually(lambda: log.seen == ["a", "b"])
        await redis.delete(stream_of("things"))
        await things.make("c")
        await eventually(lambda: log.seen == ["a", "b", "c"])
        await redis.flushall()
        await things.make("d")
        await eventually(lambda: log.seen == ["a", "b", "c", "d"])

    assert len(await log.things.names()) == 8


async def test_r27_loops_survive_a_killed_and_emptied_server(
    db: Database, things: Things, own_valkey: ValkeyServer, log: Log
) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        await things.make("a")
        await eventually(lambda: log.seen == ["a"])
        own_valkey.kill()
        await things.make("b")
        own_valkey.start()
        await eventually(lambda: log.seen == ["a", "b"])
    await redis.aclose()


async def test_r27_loops_survive_a_full_and_a_read_only_server(
    db: Database, things: Things, own_valkey: ValkeyServer, log: Log
) -> None:
    own_valkey.start("--maxmemory-policy", "noeviction")
    redis = connect(own_valkey.url)
    async with running(relay_of(db, redis), consumers_of(db, redis, log)):
        await redis.config_set("maxmemory", "1")  # every XADD: OOM
        await things.make("a")
        await things.make("b")
        await redis.config_set("maxmemory", "0")
        await eventually(lambda: log.seen == ["a", "b"])
        await redis.replicaof("127.0.0.1", "1")  # every XADD: READONLY
        await things.make("c")
        await redis.replicaof("NO", "ONE")
        await eventually(lambda: log.seen == ["a", "b", "c"])
    await redis.aclose()
