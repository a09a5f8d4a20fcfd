"""Batches between gateways and services, on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from libs.kit.bus import BatchStream, Entry
from libs.kit.errors import Unavailable
from libs.kit.redis import Redis, ResponseError, connect, reachable
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually

KEY = "agent_results"
GROUP = "execution"


class Sink:
    """Takes batches; can be told to fail."""

    def __init__(self) -> None:
        self.taken: list[object] = []
        self.batches: list[dict[str, list[Entry]]] = []
        self.poison: object = None
        self.down = False

    async def handle(self, batch: dict[str, list[Entry]]) -> None:
        if self.down:
            raise Unavailable
        numbers = [m["n"] for entries in batch.values() for e in entries for m in e.messages]
        if self.poison in numbers:
            message = f"cannot take {self.poison}"
            raise ValueError(message)
        self.taken += numbers
        self.batches.append(batch)


@pytest.fixture
def sink() -> Sink:
    return Sink()


@asynccontextmanager
async def consuming(
    redis: Redis, sink: Sink, *, consumer: str = "p1", remove: bool = False
) -> AsyncIterator[None]:
    loop = asyncio.create_task(
        BatchStream().consume(redis, [KEY], GROUP, consumer, sink.handle, remove=remove)
    )
    try:
        yield
        assert not loop.done()
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


async def append(redis: Redis, *numbers: int) -> None:
    await BatchStream.append(redis, KEY, [{"n": n} for n in numbers], 1000, gateway="g-1")


def pending(redis: Redis) -> Callable[[], object]:
    async def none_left() -> bool:
        return bool((await redis.xpending(KEY, GROUP))["pending"] == 0)

    return none_left


async def test_messages_arrive_in_order_and_are_acknowledged(redis: Redis, sink: Sink) -> None:
    encoded: list[bytes | dict[str, object]] = [
        msgspec.msgpack.encode({"n": 0}),
        {"n": 1, "data": b"\x00\xff"},
    ]
    await BatchStream.append(redis, KEY, encoded, 1000, gateway="g-1")
    async with consuming(redis, sink):
        for n in range(2, 200, 2):
            await append(redis, n, n + 1)
        await eventually(lambda: sink.taken == list(range(200)))
        await eventually(pending(redis))

    entry = sink.batches[0][KEY][0]
    assert entry.gateway == "g-1"
    assert entry.messages[1] == {"n": 1, "data": b"\x00\xff"}


async def test_handled_entries_can_be_removed(redis: Redis, sink: Sink) -> None:
    await append(redis, 1)
    async with consuming(redis, sink, remove=True):
        await eventually(lambda: sink.taken == [1])
        await eventually(lambda: length(redis, 0))


async def length(redis: Redis, wanted: int) -> bool:
    return int(await redis.xlen(KEY)) == wanted


async def test_an_entry_that_fails_does_not_hold_up_the_others_for_ever(
    redis: Redis, sink: Sink
) -> None:
    sink.poison = 2
    await append(redis, 1)
    await append(redis, 2)
    await append(redis, 3)

    async with consuming(redis, sink):
        await eventually(lambda: sink.taken == [1, 3])
        await eventually(pending(redis))
        await append(redis, 4)
        await eventually(lambda: sink.taken == [1, 3, 4])


async def test_while_the_database_is_down_nothing_is_dropped(redis: Redis, sink: Sink) -> None:
    sink.down = True
    await append(redis, 1)
    async with consuming(redis, sink):
        await eventually(lambda: waiting(redis))
        sink.down = False
        await eventually(lambda: sink.taken == [1])


async def waiting(redis: Redis) -> bool:
    try:
        return bool((await redis.xpending(KEY, GROUP))["pending"])
    except ResponseError:
        return False  # the consumer has not made its group yet


async def test_what_an_interrupted_consumer_had_comes_again(redis: Redis, sink: Sink) -> None:
    await append(redis, 1)
    await redis.xgroup_create(KEY, GROUP, id="0")
    await redis.xreadgroup(GROUP, "p1", {KEY: ">"})

    async with consuming(redis, sink, consumer="p1"):
        await eventually(lambda: sink.taken == [1])


async def test_what_a_dead_consumer_had_is_taken_over(
    redis: Redis, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.kit.bus.batches.ORPHANED_MILLISECONDS", 50)
    monkeypatch.setattr("libs.kit.bus.batches.SWEEP_SECONDS", 0.05)
    await append(redis, 1)
    await redis.xgroup_create(KEY, GROUP, id="0")
    await redis.xreadgroup(GROUP, "dead", {KEY: ">"})

    async with consuming(redis, sink, consumer="p2"):
        await eventually(lambda: sink.taken == [1])


async def test_what_was_handled_when_the_connections_broke_is_not_handled_again(
    redis: Redis,
) -> None:
    class Breaking(Sink):
        async def handle(self, batch: dict[str, list[Entry]]) -> None:
            await super().handle(batch)
            if self.taken == [1]:
                await redis.client_kill_filter(_type="normal", skipme=False)

    sink = Breaking()
    async with consuming(redis, sink, remove=True):
        await append(redis, 1)
        await eventually(lambda: length(redis, 0))
        await append(redis, 2)
        await eventually(lambda: length(redis, 0))

    assert sink.taken == [1, 2]


async def test_bytes_that_are_no_batch_are_passed_over(redis: Redis, sink: Sink) -> None:
    await redis.xadd(KEY, {"batch": b"\xc1"})
    await append(redis, 1)

    async with consuming(redis, sink):
        await eventually(lambda: sink.taken == [1])


async def test_r27_a_batch_consumer_survives_a_flush_and_a_killed_server(
    sink: Sink, own_valkey: ValkeyServer
) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    async with consuming(redis, sink):
        await append(redis, 1)
        await eventually(lambda: sink.taken == [1])
        await redis.flushall()
        await append(redis, 2)
        await eventually(lambda: sink.taken == [1, 2])
        own_valkey.kill()
        own_valkey.start()
        await eventually(lambda: reachable(redis))
        await append(redis, 3)
        await eventually(lambda: sink.taken == [1, 2, 3])
    await redis.aclose()
