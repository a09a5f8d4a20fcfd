"""A service in another process, as an ASGI app: raw bytes over one shared HTTP session."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Self

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from multidict import CIMultiDict
from starlette.types import Receive, Scope, Send
from yarl import URL

from gateway.api.errors import ServiceUnreachable

CONNECT_SECONDS: Final = 2.0
SILENCE_SECONDS: Final = 65.0
"""Longest pause of a service inside an answer; live streams send a sign of life every 15 s."""
KEEP_IDLE_SECONDS: Final = 15.0
"""Services must keep idle connections longer, or a change could meet a closing connection."""

_AT_ONCE_BYTES: Final = 64 * 1024
_WATCH_AFTER_SECONDS: Final = 0.5
_OURS: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_NOT_ANSWERED_ON: Final = frozenset(
    {b"connection", b"keep-alive", b"server", b"date", b"transfer-encoding", b"upgrade"}
)


class _CallerGone(Exception):
    """The caller went away while its request was still being read."""


class RemoteUpstream:
    """One service behind `url` (scheme, host and port); an ASGI app like a mounted one.

    A service that cannot be reached, or falls silent, raises ServiceUnreachable. Nothing is
    retried here except what HTTP itself allows on a connection that was closed while idle.
    """

    def __init__(self, url: str, *, service: str) -> None:
        self._base = url.rstrip("/")
        self._service = service
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends all connections to the service."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on and its answer back, event by event where it is a stream."""
        try:
            body = await _request_body(scope, receive)
        except _CallerGone:
            return
        presence = _Presence(receive)
        if not isinstance(body, AsyncIterator):
            presence.watch()
        try:
            async with presence.leash:
                await self._pass_on(scope, body, send, presence)
        except TimeoutError:
            if not presence.leash.expired():
                raise ServiceUnreachable(service=self._service) from None
        except (ClientError, OSError, _CallerGone) as error:
            raise ServiceUnreachable(service=self._service) from error
        finally:
            presence.stop()

    async def _pass_on(
        self,
        scope: Scope,
        body: bytes | AsyncIterator[bytes] | None,
        send: Send,
        presence: "_Presence",
    ) -> None:
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        response = await self._connected().request(
            scope["method"],
            URL(self._base + target.decode("latin-1"), encoded=True),
            headers=_request_headers(scope, streamed=isinstance(body, AsyncIterator)),
            data=body,
            allow_redirects=False,
        )
        try:
            presence.watch()
            await _answer(response, send)
        except BaseException:
            response.close()
            raise
        response.release()

    def _connected(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE_SECONDS),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                timeout=ClientTimeout(
                    total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
                ),
                skip_auto_headers=_OURS,
            )
        return self._session


class _Presence:
    """Ends the work when the caller goes away; a quick answer costs a timer, not a task."""

    def __init__(self, receive: Receive) -> None:
        self.leash = asyncio.timeout(None)
        self._receive = receive
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """From now on nobody else calls `receive`."""
        if self._timer is None:
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
        self.leash.reschedule(asyncio.get_running_loop().time())


def _request_headers(scope: Scope, *, streamed: bool) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in scope["headers"]:
        if name in (b"host", b"transfer-encoding", b"connection"):
            continue
        if name == b"content-length" and not streamed:
            continue
        headers.add(name.decode("latin-1"), value.decode("latin-1"))
    return headers


async def _request_body(scope: Scope, receive: Receive) -> bytes | AsyncIterator[bytes] | None:
    """Nothing, the bytes of a small body, or a large one as it comes."""
    length, chunked = 0, False
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value)
        elif name == b"transfer-encoding":
            chunked = True
    if chunked or length > _AT_ONCE_BYTES:
        return _chunks(receive)
    if not length:
        return None
    return b"".join([chunk async for chunk in _chunks(receive)])


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _CallerGone
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _answer(response: ClientResponse, send: Send) -> None:
    headers = [
        (name, value)
        for raw, value in response.raw_headers
        if (name := raw.lower()) not in _NOT_ANSWERED_ON
    ]
    start = {"type": "http.response.start", "status": response.status, "headers": headers}
    length = response.content_length
    if length is not None and length <= _AT_ONCE_BYTES:
        body = await response.read()
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return
    await send(start)
    async for chunk in response.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
