"""A service in another process, as an ASGI app: bytes in, bytes out, nothing interpreted."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Final, Self
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from gateway.api.errors import BadHead, ServiceUnreachable
from gateway.api.heads import Header
from gateway.api.wire import AT_ONCE_BYTES, Broken, Connection, Pool, Reply

_WATCH_AFTER_SECONDS: Final = 0.5
_FRAMING: Final = frozenset({b"host", b"connection", b"transfer-encoding", b"content-length"})
_NOT_ANSWERED_ON: Final = frozenset(
    {b"connection", b"keep-alive", b"server", b"date", b"transfer-encoding", b"upgrade"}
)
_MAY_REPEAT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class _CallerGone(Exception):
    """The caller went away while its request was still being read."""


class RemoteUpstream:
    """One service behind `url` (scheme, host and port); an ASGI app like a mounted one.

    `tls` says what to believe and to show at an https address; else the system's authorities.
    A service that cannot be reached, or falls silent, raises ServiceUnreachable. A request that
    may be repeated is, once, if a kept connection turns out to be closed before any answer.
    """

    def __init__(self, url: str, *, service: str, tls: ssl.SSLContext | None = None) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"not the address of a service: {url}")
        is_secure = address.scheme == "https"
        port = address.port or (443 if is_secure else 80)
        context = (tls or ssl.create_default_context()) if is_secure else None
        self._pool = Pool(address.hostname, port, tls=context)
        self._host = address.netloc.rpartition("@")[2].encode("ascii")
        self._service = service

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends all connections to the service."""
        self._pool.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on and its answer back, event by event where it is a stream."""
        try:
            body = await _body_of(scope, receive)
        except _CallerGone:
            return
        presence = _Presence(receive)
        try:
            await self._exchange(scope, body, send, presence)
        except (Broken, OSError, _CallerGone) as error:
            if not presence.gone:
                raise ServiceUnreachable(service=self._service) from error
        finally:
            presence.stop()

    async def _exchange(
        self,
        scope: Scope,
        body: bytes | AsyncIterator[bytes],
        send: Send,
        presence: "_Presence",
    ) -> None:
        request = self._request(scope, body)
        head_only = scope["method"] == "HEAD"
        connection, was_used = await self._pool.take()
        reply: Reply | None = None
        try:
            presence.holds(connection)
            reply = connection.ask(request, head_only=head_only)
            if not isinstance(body, bytes):
                await _send_body(connection, reply, body, chunked=_is_chunked(scope))
            presence.watch()
            try:
                await reply.beginning()
            except Broken as broken:
                may_repeat = scope["method"] in _MAY_REPEAT and isinstance(body, bytes)
                if not (broken.unanswered and was_used and may_repeat) or presence.gone:
                    raise
                self._pool.give_back(connection, None)
                connection, _ = await self._pool.take(fresh=True)
                presence.holds(connection)
                reply = connection.ask(request, head_only=head_only)
                await reply.beginning()
            await _answer(reply, connection, send)
        finally:
            self._pool.give_back(connection, reply)

    def _request(self, scope: Scope, body: bytes | AsyncIterator[bytes]) -> bytes:
        """The bytes of the request, with its body if that is small."""
        query = scope["query_string"]
        target: bytes = scope["raw_path"] + (b"?" + query if query else b"")
        lines = [
            b"%b %b HTTP/1.1" % (scope["method"].encode("ascii"), target),
            b"host: " + self._host,
        ]
        framing: list[Header] = []
        if isinstance(body, bytes):
            if body or scope["method"] in ("POST", "PUT", "PATCH"):
                framing.append((b"content-length", b"%d" % len(body)))
        elif _is_chunked(scope):
            framing.append((b"transfer-encoding", b"chunked"))
        else:
            framing += [pair for pair in scope["headers"] if pair[0] == b"content-length"]
        passed_on = [pair for pair in scope["headers"] if pair[0] not in _FRAMING]
        lines += [name + b": " + value for name, value in (*passed_on, *framing)]
        head = b"\r\n".join(lines)
        if head.count(b"\n") != len(lines) - 1 or b" " in target:
            raise BadHead()
        return head + b"\r\n\r\n" + (body if isinstance(body, bytes) else b"")


class _Presence:
    """Ends the connection when the caller goes away; a quick answer costs a timer, not a task."""

    def __init__(self, receive: Receive) -> None:
        self.gone = False
        self._receive = receive
        self._connection: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def holds(self, connection: Connection) -> None:
        """Which connection works for the caller."""
        self._connection = connection

    def watch(self) -> None:
        """From now on nobody else calls `receive`."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_WATCH_AFTER_SECONDS, self._begin)

    def stop(self) -> None:
        """The answer is complete, or will never be."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._until_gone())

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        if self._connection is not None:
            self._connection.end()


def _is_chunked(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" for name, _ in scope["headers"])


async def _body_of(scope: Scope, receive: Receive) -> bytes | AsyncIterator[bytes]:
    """The bytes of a small body, or a large one as it comes."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            return _chunks(receive)
    if length > AT_ONCE_BYTES:
        return _chunks(receive)
    if not length:
        return b""
    return b"".join([chunk async for chunk in _chunks(receive)])


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGone
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _send_body(
    connection: Connection, reply: Reply, body: AsyncIterator[bytes], *, chunked: bool
) -> None:
    """Sends until the end, or until the service answers without having read everything."""
    async for chunk in body:
        if reply.begun or reply.error:
            connection.keep = False
            return
        if chunk:
            await connection.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
    if chunked:
        await connection.write(b"0\r\n\r\n")


async def _answer(reply: Reply, connection: Connection, send: Send) -> None:
    headers = [pair for pair in reply.headers if pair[0] not in _NOT_ANSWERED_ON]
    start = {"type": "http.response.start", "status": reply.status, "headers": headers}
    await send(start)
    while not reply.complete:
        if reply.buffered:
            chunk = reply.take()
            connection.read_on()
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        else:
            await reply.news()
    await send({"type": "http.response.body", "body": reply.take()})
