"""HTTP to the outside: every request resolves anew, checks, and connects to what was checked."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import httpx

from libs.kit import clock
from libs.kit.errors import AppError, Unavailable
from libs.kit.logging import get_logger
from libs.kit.outbound.gate import Address, Gate, UrlRefused, literal_of, port_of
from libs.kit.settings import OutboundSettings

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name, as text; may raise OSError."""

AGENT: Final = "opsjob"
_MOST_TRIED: Final = 3
_CONNECTIONS: Final = 20
_RESOLVING: Final = 4

log = get_logger(__name__)


class OutboundFailed(Unavailable):
    """The other side did not answer, or not in the way that is accepted; `reason` says which."""

    code = "outbound_failed"
    message = "The other server did not give a usable answer."
    message_zh = "对方服务器未返回可用的响应。"


class _Capped(httpx.AsyncByteStream):
    """A body that ends the connection when it grows too large or takes too long."""

    def __init__(self, response: httpx.Response, *, limit: int, deadline: float) -> None:
        self._response = response
        self._limit = limit
        self._deadline = deadline

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._response.stream, httpx.AsyncByteStream)
        parts = aiter(self._response.stream)
        size = 0
        while True:
            with _AsFailure():
                async with asyncio.timeout(self._deadline - clock.monotonic()):
                    part = await anext(parts, None)
            if part is None:
                return
            size += len(part)
            if size > self._limit:
                raise OutboundFailed(reason="too_large")
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


class _AsFailure:
    """Turns what a connection can raise into OutboundFailed."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            raise OutboundFailed(reason="timeout") from error
        if isinstance(error, httpx.HTTPError | OSError | ssl.SSLError):
            is_tls = "certificate" in str(error).lower() or "ssl" in str(error).lower()
            raise OutboundFailed(reason="tls" if is_tls else "connection") from error


class _Guarded(httpx.AsyncBaseTransport):
    """Resolves, checks, pins; also under clients that other libraries make."""

    def __init__(
        self, gate: Gate, settings: OutboundSettings, resolve: Resolver, max_bytes: int
    ) -> None:
        self._gate = gate
        self._seconds = settings.seconds
        self._max_bytes = max_bytes
        self._resolve = resolve
        self._settings = settings
        self._made: httpx.AsyncHTTPTransport | None = None

    @property
    def _inner(self) -> httpx.AsyncHTTPTransport:
        """Made when first needed: reading certificates takes longer than a start should."""
        if self._made is None:
            self._made = httpx.AsyncHTTPTransport(
                verify=_trust(self._settings),
                trust_env=False,
                limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=0),
            )
        return self._made

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = clock.monotonic() + self._seconds
        self._gate.check(request.url)
        with _AsFailure():
            async with asyncio.timeout(self._seconds):
                addresses = await self.addresses(request.url)
                response = await self._first_answer(request, addresses)
        try:
            _check_head(response)
        except AppError:
            await response.aclose()
            raise
        headers = [(k, v) for k, v in response.headers.raw if k.lower() != b"set-cookie"]
        body = _Capped(response, limit=self._max_bytes, deadline=deadline)
        return httpx.Response(response.status_code, headers=headers, stream=body)

    async def addresses(self, url: httpx.URL) -> list[Address]:
        """Where the host is now, every address checked; in the order of the resolver."""
        literal = literal_of(url)
        if literal is not None:
            return self._gate.check_addresses([str(literal)])
        host = url.raw_host.decode("ascii")
        try:
            found = list(dict.fromkeys(await self._resolve(host, port_of(url))))
        except OSError as error:
            raise OutboundFailed(reason="name") from error
        try:
            return self._gate.check_addresses(found)
        except UrlRefused:
            log.warning("An outgoing request was refused.", host=host, addresses=found[:8])
            raise

    async def _first_answer(
        self, request: httpx.Request, addresses: Sequence[Address]
    ) -> httpx.Response:
        *others, last = addresses[:_MOST_TRIED]
        for address in others:
            try:
                return await self._inner.handle_async_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_pinned(request, last))

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()


def _pinned(request: httpx.Request, address: Address) -> httpx.Request:
    """The same request to one address; certificate and Host stay those of the name."""
    headers = [(k, v) for k, v in request.headers.raw if k.lower() != b"accept-encoding"]
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=[*headers, (b"accept-encoding", b"identity")],
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
    )


def _check_head(response: httpx.Response) -> None:
    if 300 <= response.status_code < 400 and response.status_code != 304:
        raise OutboundFailed(reason="redirect")
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise OutboundFailed(reason="encoding")


def _trust(settings: OutboundSettings) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if settings.ca_file is not None:
        context.load_verify_locations(cafile=str(settings.ca_file))
    return context


class Outbound:
    """HTTP to the outside; one for each process.

    ``max_bytes`` bounds a body that comes back, where the settings' own bound does not fit.
    """

    def __init__(
        self,
        settings: OutboundSettings,
        *,
        resolve: Resolver | None = None,
        max_bytes: int | None = None,
    ) -> None:
        self.gate = Gate(settings)
        self._threads = ThreadPoolExecutor(_RESOLVING, thread_name_prefix="resolve")
        limit = settings.max_bytes if max_bytes is None else max_bytes
        self._transport = _Guarded(self.gate, settings, resolve or self._by_system, limit)
        self._seconds = settings.seconds

    @property
    def transport(self) -> httpx.AsyncBaseTransport:
        """For a client of another library: `AsyncOAuth2Client(transport=...)`."""
        return self._transport

    def client(self) -> httpx.AsyncClient:
        """An httpx client all of whose requests go this way; raises what `send` raises."""
        return httpx.AsyncClient(
            transport=self._transport,
            trust_env=False,
            follow_redirects=False,
            timeout=self._seconds,
            headers={"user-agent": AGENT},
        )

    async def vet(self, url: str) -> None:
        """For the moment when a URL is saved: UrlRefused, or OutboundFailed without a name."""
        parsed = self.gate.read(url)
        with _AsFailure():
            async with asyncio.timeout(self._seconds):
                await self._transport.addresses(parsed)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """One request and its whole answer, of any status but a redirect.

        Raises UrlRefused (422) and OutboundFailed (503; ``reason`` is name, connection, tls,
        timeout, redirect, encoding or too_large). Nothing is retried.
        """
        target = self.gate.read(url)
        request = httpx.Request(
            method, target, headers={"user-agent": AGENT, **(headers or {})}, content=content
        )
        response = await self._transport.handle_async_request(request)
        try:
            await response.aread()
        finally:
            await response.aclose()
        return response

    async def aclose(self) -> None:
        """Lets connections and threads go."""
        await self._transport.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _by_system(self, host: str, port: int) -> list[str]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(entry[4][0]) for entry in found]
