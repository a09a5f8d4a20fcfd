"""HTTP to a service over connections that stay open: one write, one wake-up for a usual answer."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

import httptools

from gateway.api.heads import Header

CONNECT_SECONDS: Final = 2.0
SILENCE_SECONDS: Final = 65.0
"""Longest pause of a service inside an answer; live streams send a sign of life every 15 s."""
IDLE_SECONDS: Final = 15.0
"""Services must keep idle connections longer, or a change could meet a closing connection."""

AT_ONCE_BYTES: Final = 64 * 1024
"""Answers of a declared size up to this wait for their end; others are passed on as they come."""
_MOST_BUFFERED: Final = 256 * 1024
_LOOK_AFTER_SECONDS: Final = 5.0


class Broken(Exception):
    """The connection ended, fell silent or spoke nonsense; `unanswered` if not a byte came back."""

    def __init__(self, why: str, *, unanswered: bool) -> None:
        super().__init__(why)
        self.unanswered = unanswered


class Reply:
    """What a service answers. `begun` means that status and headers are there."""

    def __init__(self, *, head_only: bool) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.begun = False
        self.complete = False
        self.head_only = head_only
        self.error: Broken | None = None
        self._chunks: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.buffered = 0

    def add(self, chunk: bytes) -> None:
        """Another piece of the body."""
        self._chunks.append(chunk)
        self.buffered += len(chunk)

    def take(self) -> bytes:
        """All that has come and was not taken yet."""
        taken = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self.buffered = 0
        return taken

    def wake(self) -> None:
        """Something that somebody may wait for has happened."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def beginning(self) -> None:
        """Waits for status and headers, and for the end of a short answer; raises Broken."""
        while not self.begun:
            await self.news()

    async def news(self) -> None:
        """Waits for the answer's beginning, more of it, or its end; raises Broken."""
        if not (self.complete or self.error or self.buffered):
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.error is not None:
            raise self.error


class Connection(asyncio.Protocol):
    """One connection to a service; carries one request at a time.

    `keep` says whether another request may follow; `on_lost` is called when it is closed.
    """

    def __init__(self, on_lost: Callable[["Connection"], None]) -> None:
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._reply: Reply | None = None
        self._heard = False
        self._at = self._loop.time()
        self._writable = asyncio.Event()
        self._writable.set()
        self.keep = True

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self.keep and not self._transport.is_closing()

    def ask(self, request: bytes, *, head_only: bool) -> Reply:
        """Sends a request, or the head of one whose body follows by `write`."""
        self._parser = httptools.HttpResponseParser(self)
        self._reply = reply = Reply(head_only=head_only)
        self._heard = False
        self._at = self._loop.time()
        self._transport.write(request)
        return reply

    async def write(self, chunk: bytes) -> None:
        """More of the request's body, at the pace at which the service reads."""
        if self._transport.is_closing():
            raise Broken("closed", unanswered=not self._heard)
        self._at = self._loop.time()
        self._transport.write(chunk)
        await self._writable.wait()

    def read_on(self) -> None:
        """The buffered part of the answer was taken."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def end(self) -> None:
        """Ends the connection at once; whoever waits for an answer gets Broken."""
        self.keep = False
        self._transport.abort()
        self._fail("ended")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert hasattr(transport, "abort")
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream's
        self._timer = self._loop.call_later(_LOOK_AFTER_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        self._at = self._loop.time()
        if self._reply is None:
            self.end()  # nobody asked: whatever this is, the next answer must not be it
            return
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail("nonsense")
            self.end()

    def connection_lost(self, exc: Exception | None) -> None:
        self.keep = False
        self._timer.cancel()
        self._writable.set()
        self._fail("closed")
        self._on_lost(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def on_message_begin(self) -> None:
        """Called by the parser; a second answer to one request ends the trust."""
        if self._reply is None or self._reply.begun:
            self.keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if self._reply is not None:
            self._reply.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Called by the parser; an interim answer is forgotten."""
        reply = self._reply
        if reply is None:
            return
        status = self._parser.get_status_code()
        if status < 200:
            reply.headers.clear()
            return
        reply.status = status
        reply.begun = True
        if not self._parser.should_keep_alive():
            self.keep = False
        if reply.head_only:
            self.keep = False  # the parser expects the body that the headers announce
            self._complete(reply)
        elif not _is_short(reply.headers):
            reply.wake()

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        reply = self._reply
        if reply is None:
            return
        reply.add(body)
        if not _is_short(reply.headers):
            reply.wake()
            if reply.buffered > _MOST_BUFFERED:
                self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._reply is not None and self._reply.begun:
            self._complete(self._reply)

    def _complete(self, reply: Reply) -> None:
        self._reply = None
        reply.complete = True
        reply.wake()

    def _fail(self, why: str) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.error = Broken(why, unanswered=not self._heard)
            reply.wake()

    def _look(self) -> None:
        """Ends what has been silent in an answer, or idle, for too long."""
        passed = self._loop.time() - self._at
        if passed > (IDLE_SECONDS if self._reply is None else SILENCE_SECONDS):
            self.end()
            return
        self._timer = self._loop.call_later(_LOOK_AFTER_SECONDS, self._look)


def _is_short(headers: list[Header]) -> bool:
    for name, value in headers:
        if name == b"content-length":
            return int(value) <= AT_ONCE_BYTES
    return False


class Pool:
    """The connections to one service; as many as there are requests at a time."""

    def __init__(self, host: str, port: int, *, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._idle: dict[Connection, None] = {}
        self._busy: set[Connection] = set()

    async def take(self, *, fresh: bool = False) -> tuple[Connection, bool]:
        """A connection, and whether it was used before. OSError or TimeoutError if none is had."""
        while self._idle and not fresh:
            connection, _ = self._idle.popitem()
            if connection.usable:
                self._busy.add(connection)
                return connection, True
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await loop.create_connection(
                lambda: Connection(self._forget), self._host, self._port, ssl=self._tls
            )
        self._busy.add(connection)
        return connection, False

    def give_back(self, connection: Connection, reply: Reply | None) -> None:
        """Keeps the connection if its answer is complete, ends it otherwise."""
        self._busy.discard(connection)
        if connection.usable and reply is not None and reply.complete:
            self._idle[connection] = None
        else:
            connection.end()

    def _forget(self, connection: Connection) -> None:
        self._idle.pop(connection, None)
        self._busy.discard(connection)

    def end(self) -> None:
        """Ends all connections."""
        for connection in (*self._idle, *self._busy):
            connection.end()
        self._idle.clear()
        self._busy.clear()
