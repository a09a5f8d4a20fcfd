"""Plain HTTP on the agents' port: one small request, one answer, then the connection closes."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Final, cast

import h11

from gateway.agents.admission import Lobby
from libs.kit.errors import (
    AppError,
    Malformed,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    render_error,
)
from libs.kit.ids import new_id

MAX_BODY_BYTES: Final = 64 * 1024
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_PATH_BYTES: Final = 1024


@dataclass(frozen=True)
class WebRequest:
    """A complete request; header names are lower case, the last of several wins."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: str
    request_id: str


@dataclass(frozen=True)
class WebAnswer:
    """A complete answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Responder = Callable[[WebRequest], Awaitable[WebAnswer]]
Spawn = Callable[[Coroutine[None, None, None]], object]
Routes = dict[str, dict[str, Responder]]


def failure(error: AppError, request: WebRequest | None = None) -> WebAnswer:
    """The envelope of an error."""
    status, headers, body = render_error(
        error,
        request_id=request.request_id if request else new_id(),
        language=request.headers.get("accept-language") if request else None,
    )
    return WebAnswer(status, headers, body)


def find(routes: Routes, method: str, path: str) -> Responder:
    """Who answers this path; with or without a slash at the end. Raises NotFound, 405."""
    methods = routes.get(path.rstrip("/") or "/")
    if methods is None:
        raise NotFound
    responder = methods.get(method)
    if responder is None:
        raise MethodNotAllowed(allow=", ".join(sorted(methods)))
    return responder


class WebExchange(asyncio.Protocol):
    """Reads one request with h11, strictly and within bounds, and answers it."""

    __slots__ = ("_answered", "_body", "_http", "_lobby", "_request", "_routes", "_spawn", "_wire")

    def __init__(self, routes: Routes, *, lobby: Lobby, spawn: Spawn) -> None:
        self._routes = routes
        self._lobby = lobby
        self._spawn = spawn
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._answered = False
        self._wire: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._answered:
            return  # one request per connection; what follows is never read as another
        try:
            self._http.receive_data(data)
            self._read()
        except h11.RemoteProtocolError:
            self._answer(failure(Malformed("This is not a well-formed HTTP request.")))
        except AppError as error:
            self._answer(failure(error))

    def eof_received(self) -> None:
        if not self._answered:
            self.expire()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wire = None
        self._lobby.leave(self)

    def expire(self) -> None:
        """Cuts the connection: the request did not arrive, or the answer was not read, in time."""
        if self._wire is not None:
            self._wire.abort()

    def _read(self) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._invite_body()
                return
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MAX_BODY_BYTES:
                    raise TooLarge
            elif isinstance(event, h11.EndOfMessage):
                self._answered = True
                self._spawn(self._respond())
                return
            else:
                return

    def _begin(self, request: h11.Request) -> None:
        self._request = request
        if len(request.target) > MAX_PATH_BYTES:
            raise NotFound
        for name, value in request.headers:
            if name == b"content-length" and int(value) > MAX_BODY_BYTES:
                raise TooLarge

    def _invite_body(self) -> None:
        if self._http.they_are_waiting_for_100_continue and self._wire is not None:
            go_on = self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
            self._wire.write(go_on or b"")

    async def _respond(self) -> None:
        request = self._complete()
        try:
            responder = find(self._routes, request.method, request.path)
            answer = await responder(request)
        except AppError as error:
            answer = failure(error, request)
        self._answer(answer)

    def _complete(self) -> WebRequest:
        raw = cast(h11.Request, self._request)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in raw.headers}
        name = self._wire.get_extra_info("peername") if self._wire is not None else None
        return WebRequest(
            method=raw.method.decode("ascii"),
            path=raw.target.decode("latin-1").partition("?")[0],
            headers=headers,
            body=bytes(self._body),
            peer=str(name[0]) if isinstance(name, tuple) else "unix",
            request_id=new_id(),
        )

    def _answer(self, answer: WebAnswer) -> None:
        self._answered = True
        wire = self._wire
        if wire is None or wire.is_closing():
            return
        wire.write(self._head(answer) + answer.body)
        wire.close()

    def _head(self, answer: WebAnswer) -> bytes:
        headers: Iterable[tuple[str, str]] = [
            *answer.headers,
            ("content-length", str(len(answer.body))),
            ("connection", "close"),
            *SAFETY,
        ]
        lines = [f"HTTP/1.1 {answer.status} {PHRASES.get(answer.status, 'Answer')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


SAFETY: Final = (
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
)
"""Nobody looks at these answers with a browser; one that does all the same can do nothing."""

PHRASES: Final = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
