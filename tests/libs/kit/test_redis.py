"""Commands end in time, by the time in which this process could listen."""

import asyncio
from typing import Any

import pytest
from redis import Redis as OtherClient
from redis.exceptions import TimeoutError as RedisTimeout

from libs.kit.redis import COMMAND_SECONDS, Redis


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
