"""Connections to Redis or Valkey: a doorbell and a fan-out, never the only copy."""

from typing import Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError, ResponseError

COMMAND_SECONDS: Final = 2.0
CONNECTIONS: Final = 64

TROUBLE: Final = (RedisError, OSError, TimeoutError)
"""Everything that a command may raise while Redis is down, loading, full or read-only."""


def connect(url: str, *, connections: int = CONNECTIONS) -> Redis:
    """A client for ``redis://``, ``rediss://`` or ``unix://`` whose commands end within 2 s.

    Nothing is connected yet. A loop that waits in a blocking read needs `blocking` instead.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=5,
        socket_timeout=COMMAND_SECONDS,
        socket_connect_timeout=COMMAND_SECONDS,
    )
    return Redis.from_pool(pool)


def blocking(redis: Redis) -> Redis:
    """A client to the same server for one loop that waits in a blocking read.

    The server ends the wait (block for less than ten seconds); the client gives up after 15 s.
    """
    pool = redis.connection_pool
    options = {**pool.connection_kwargs, "socket_timeout": 15.0}
    return Redis.from_pool(
        BlockingConnectionPool(
            connection_class=pool.connection_class, max_connections=2, timeout=5, **options
        )
    )


async def reachable(redis: Redis) -> bool:
    """Whether Redis answers now."""
    try:
        return bool(await redis.ping())
    except TROUBLE:
        return False


__all__ = ["TROUBLE", "Redis", "ResponseError", "blocking", "connect", "reachable"]
