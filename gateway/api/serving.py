"""The HTTP server's own limits: what happens before a request reaches the gateway."""

import asyncio
from typing import Final, Literal, TypedDict

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.api.errors import BadHead, HeadTooLarge
from gateway.api.exchange import DATA_HEADERS
from gateway.api.settings import GatewaySettings
from libs.kit.errors import AppError, render_error
from libs.kit.ids import new_id

_REASONS: Final = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's parser with bounds that it lacks: size and time of a head, pauses, dead readers.

    Nothing of this costs a request that arrives in one piece and is read. Subclasses set the
    bounds; see `bounded_http`.
    """

    max_head_bytes = 64 * 1024
    head_seconds = 10.0
    body_idle_seconds = 30.0
    stalled_reader_seconds = 60.0

    _head_bytes = 0
    _head_open = True
    _body_open = False
    _patience: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the clock for the first head."""
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops all clocks."""
        self._wait(None)
        self._stop_stall_clock()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A new request begins."""
        super().on_message_begin()
        self._head_bytes = 0
        self._head_open = True

    def on_headers_complete(self) -> None:
        """The head is complete; a body may follow."""
        self._head_open = False
        self._body_open = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._body_open = False
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Parses, then looks whether something is still missing."""
        super().data_received(data)
        if self._body_open:
            self._wait(self.body_idle_seconds)
        elif self._head_open:
            self._head_bytes += len(data)
            if self._head_bytes > self.max_head_bytes and not self.transport.is_closing():
                self._refuse_endless_head()
            elif self._patience is None:
                self._wait(self.head_seconds)
        elif self._patience is not None:
            self._wait(None)

    def pause_writing(self) -> None:
        """The reader is behind; it gets some time to catch up."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.stalled_reader_seconds, self._cut)

    def resume_writing(self) -> None:
        """The reader has caught up."""
        super().resume_writing()
        self._stop_stall_clock()

    def send_400_response(self, msg: str) -> None:
        """uvicorn's plain text, as the envelope that every other error wears."""
        self._refuse(BadHead())

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that nobody offers is answered as a plain request; no line per attempt."""

    def _wait(self, seconds: float | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        if self.flow.read_paused:  # we are the slow side, not the peer
            self._wait(self.body_idle_seconds)
        elif not self.transport.is_closing():
            self.transport.close()

    def _cut(self) -> None:
        self.transport.abort()

    def _stop_stall_clock(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _refuse(self, error: AppError) -> None:
        if self._leave_to_answer_under_way():
            return
        status, headers, body = render_error(error, request_id=new_id(), language=None)
        lines = [b"HTTP/1.1 %d %b" % (status, _REASONS[status])]
        lines += [f"{name}: {value}".encode("latin-1") for name, value in headers]
        lines += [name + b": " + value for name, value in DATA_HEADERS]
        lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
        self.transport.write(b"\r\n".join(lines))
        self.transport.close()

    def _refuse_endless_head(self) -> None:
        if self._under_way() is None:
            self._refuse(HeadTooLarge(limit_bytes=self.max_head_bytes))
        else:
            self.transport.abort()

    def _leave_to_answer_under_way(self) -> bool:
        """Whether an earlier request of the connection is still being answered.

        A whole one gets its answer before the connection ends. One whose body turned out to be
        no body ends now; if its answer has begun, nothing may be written behind it.
        """
        cycle = self._under_way()
        if cycle is None:
            return False
        if not cycle.more_body:
            cycle.keep_alive = False
            return True
        cycle.disconnected = True
        cycle.message_event.set()
        if cycle.response_started:
            self.transport.abort()
        return cycle.response_started

    def _under_way(self) -> RequestResponseCycle | None:
        """The latest request if it is not answered yet."""
        cycle: RequestResponseCycle | None = vars(self)["cycle"]  # uvicorn begins with None
        return None if cycle is None or cycle.response_complete else cycle


def bounded_http(
    *,
    max_head_bytes: int,
    head_seconds: float,
    body_idle_seconds: float,
    stalled_reader_seconds: float,
) -> type[BoundedHttp]:
    """The protocol class with these bounds; sizes in bytes, times in seconds."""
    bounds: dict[str, object] = {
        "max_head_bytes": max_head_bytes,
        "head_seconds": head_seconds,
        "body_idle_seconds": body_idle_seconds,
        "stalled_reader_seconds": stalled_reader_seconds,
    }
    return type("ConfiguredHttp", (BoundedHttp,), bounds)


class ServerOptions(TypedDict):
    """Keyword arguments of `uvicorn.Config` for a server that carries the gateway."""

    http: type[asyncio.Protocol]
    ws: Literal["none"]
    lifespan: Literal["on"]
    access_log: bool
    server_header: bool
    proxy_headers: bool
    timeout_keep_alive: int
    timeout_graceful_shutdown: int
    backlog: int


def server_options(settings: GatewaySettings) -> ServerOptions:
    """What the server must be set to. Proxies are the gateway's business, hence not uvicorn's.

    Services behind a separate gateway keep idle connections longer than the gateway does, see
    `gateway.api.remote`.
    """
    return ServerOptions(
        http=bounded_http(
            max_head_bytes=2 * settings.max_head_bytes,
            head_seconds=settings.head_seconds,
            body_idle_seconds=settings.body_idle_seconds,
            stalled_reader_seconds=settings.stalled_reader_seconds,
        ),
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        backlog=2048,
    )
