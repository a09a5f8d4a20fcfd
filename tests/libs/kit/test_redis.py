"""Commands end in time, by the time in which this process could listen."""

import asyncio
from typing import Any

import pytest
from redis import Redis as OtherClient
from redis.exceptions import TimeoutError as RedisTimeout

from libs.kit.redis import COMMAND_SECONDS, Redis, connect
from tests.support.waiting import eventually


def stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let more time pass at once for the loop than a command has."""
    loop = asyncio.get_running_loop()
    time = loop.time
    monkeypatch.setattr(loop, "time", lambda: time() + 2 * COMMAND_SECONDS)


async def test_an_answer_that_came_while_the_process_stood_still_counts(
    redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Any = redis.connection_pool  # the one place where its parts are used one by one
    connection = await pool.get_connection()
    reading = asyncio.create_task(connection.read_response())
    await asyncio.sleep(0)  # it listens
    await connection.send_command("PING")
    other = OtherClient.from_url(redis_url)
    other.ping()  # answered after ours, which has arrived then and nobody has read
    other.close()

    stand_still(monkeypatch)

    assert await reading == b"PONG"
    await pool.release(connection)


async def test_a_command_that_nobody_answers_ends(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    reading = asyncio.create_task(connection.read_response())
    await asyncio.sleep(0)

    stand_still(monkeypatch)

    with pytest.raises(RedisTimeout):
        await reading
    await pool.release(connection)


async def test_connections_that_the_server_closed_are_replaced_unnoticed(
    redis: Redis, redis_url: str
) -> None:
    await redis.set("kept", "here")
    pool: Any = redis.connection_pool
    idle = pool.get_available_connection()
    await pool.release(idle)
    other = OtherClient.from_url(redis_url)
    other.client_kill_filter(_type="normal", skipme=True)
    other.close()
    await eventually(idle.can_read_destructive)

    assert await redis.get("kept") == b"here"


async def test_what_nobody_read_reaches_nobody_else(redis: Redis, redis_url: str) -> None:
    pool: Any = redis.connection_pool
    connection = await pool.get_connection()
    await connection.send_command("ECHO", "not asked for")
    other = OtherClient.from_url(redis_url)
    other.ping()
    other.close()
    await asyncio.sleep(0)
    await pool.release(connection)

    assert await asyncio.gather(*(redis.echo(str(n)) for n in range(5))) == [
        str(n).encode() for n in range(5)
    ]


async def test_a_command_larger_than_any_buffer_arrives_whole(redis: Redis) -> None:
    value = b"x" * 5_000_000
    await redis.set("large", value)
    assert await redis.get("large") == value


async def test_more_callers_than_connections_wait_for_each_other(redis_url: str) -> None:
    few = connect(redis_url, connections=2)
    try:
        answers = await asyncio.gather(*(few.echo(str(n)) for n in range(50)))
    finally:
        await few.aclose()
    assert answers == [str(n).encode() for n in range(50)]
