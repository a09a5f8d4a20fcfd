"""Connections to Redis or Valkey: a doorbell and a fan-out, never the only copy."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeout

COMMAND_SECONDS: Final = 2.0
BLOCKING_SECONDS: Final = 15.0
CONNECTIONS: Final = 64
LOOKS: Final = 3
"""When time is over, the loop reads so many times more what has arrived."""

ROOM_BYTES: Final = 32 * 1024
"""Less than what makes a writer wait until more was sent."""

TROUBLE: Final = (RedisError, OSError, TimeoutError)
"""Everything that a command may raise while Redis is down, loading, full or read-only."""


class _Limit:
    """Bounds a wait in time; what has arrived when the time is over still counts.

    A process that stood still itself, on a busy machine or asleep, finds the answer and the end of
    its time at the same moment. Raises TimeoutError.
    """

    __slots__ = ("_handle", "_loop", "_seconds", "_timeout")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __aenter__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._handle: asyncio.Handle = self._loop.call_later(self._seconds, self._look, LOOKS)
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handle.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _look(self, rounds: int) -> None:
        """Let the loop read what is there so many times more, and then end the wait."""
        if rounds:
            self._handle = self._loop.call_soon(self._look, rounds - 1)
        else:
            self._timeout.reschedule(self._loop.time())


class _Bounded:
    """Bounds sending and reading in time, without losing a cancellation.

    redis-py bounds sending with asyncio.wait_for, which on Python 3.11 swallows a cancellation
    that arrives together with the result: the task then goes on as if nobody had ended it. So
    its own ``socket_timeout`` stays off and the time is kept here.
    """

    def __init__(self, *, seconds: float = COMMAND_SECONDS, **options: Any) -> None:
        super().__init__(**options)
        self._seconds = seconds

    _reader: asyncio.StreamReader | None  # redis-py's own, as are these names
    _writer: asyncio.StreamWriter | None

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        if isinstance(command, list) and self._has_room(command):
            assert self._writer is not None
            self._writer.writelines(command)  # nobody has to wait for that
            return
        try:
            async with _Limit(self._seconds):
                await super().send_packed_command(command, check_health)  # type: ignore[misc]  # mixed into a connection
        except TimeoutError as error:
            message = "Timeout writing to Redis"
            raise RedisTimeout(message) from error

    def _has_room(self, command: list[bytes]) -> bool:
        """Whether the connection is open and its buffer takes a whole command."""
        writer = self._writer
        if writer is None or self._reader is None or writer.is_closing():
            return False
        return writer.transport.get_write_buffer_size() + sum(map(len, command)) < ROOM_BYTES

    async def can_read_destructive(self) -> bool:
        """Whether an unused connection is not fit for use, by what the loop has read of it.

        redis-py reads for no time at all, which takes a round of the loop for each command. A
        connection on which a command was broken off is closed at once, and has nothing to read.
        """
        reader = self._reader
        return reader is None or reader.at_eof() or bool(reader._buffer)  # type: ignore[attr-defined]  # StreamReader's

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            async with _Limit(self._seconds):
                return await super().read_response(*args, **options)  # type: ignore[misc]  # as above
        except TimeoutError as error:
            message = "Timeout reading from Redis"
            raise RedisTimeout(message) from error


class _TCP(_Bounded, Connection):
    """``redis://``"""


class _TLS(_Bounded, SSLConnection):
    """``rediss://``"""


class _Unix(_Bounded, UnixDomainSocketConnection):
    """``unix://``"""


_BOUNDED: Final[dict[type, type]] = {
    Connection: _TCP,
    SSLConnection: _TLS,
    UnixDomainSocketConnection: _Unix,
}


class _Pool(BlockingConnectionPool):
    """Waits for a connection only where none is free."""

    async def get_connection(
        self, command_name: object = None, *keys: object, **options: object
    ) -> Connection:
        if not self.can_get_connection():
            waited: Connection = await super().get_connection()
            return waited
        connection: Connection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection


def connect(url: str, *, connections: int = CONNECTIONS) -> Redis:
    """A client for ``redis://``, ``rediss://`` or ``unix://`` whose commands end within 2 s.

    Nothing is connected yet. A loop that waits in a blocking read needs `blocking` instead.
    """
    pool = _Pool.from_url(
        url, max_connections=connections, timeout=5, socket_connect_timeout=COMMAND_SECONDS
    )
    pool.connection_class = _BOUNDED[pool.connection_class]
    return Redis.from_pool(pool)


def blocking(redis: Redis) -> Redis:
    """A client to the same server for one loop that waits in a blocking read.

    The server ends the wait (block for less than ten seconds); the client gives up after 15 s.
    """
    pool = redis.connection_pool
    options = {**pool.connection_kwargs, "seconds": BLOCKING_SECONDS}
    return Redis.from_pool(
        _Pool(connection_class=pool.connection_class, max_connections=2, timeout=5, **options)
    )


async def reachable(redis: Redis) -> bool:
    """Whether Redis answers now."""
    try:
        return bool(await redis.ping())
    except TROUBLE:
        return False


__all__ = ["TROUBLE", "Redis", "ResponseError", "blocking", "connect", "reachable"]
