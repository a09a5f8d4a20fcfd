"""One request's answer on its way out: security headers, request id, errors, what was sent."""

import os
from collections.abc import Sequence
from itertools import count
from typing import Final

from starlette.types import Message, Send

from gateway.api.heads import Header
from libs.kit.errors import AppError, render_error

PAGE_POLICY: Final = (
    b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    b"font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'"
)
"""Styles may be inline because Element Plus and CodeMirror set them; scripts never are."""

DATA_POLICY: Final = (
    b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
)
"""For answers that no browser shows as a page; one that does all the same can do nothing."""

PERMISSIONS: Final = (
    b"accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), "
    b"geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), "
    b"serial=(), usb=(), xr-spatial-tracking=()"
)
"""What no page of ours ever asks a browser for."""

_SHARED: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", PERMISSIONS),
)
PAGE_HEADERS: Final[tuple[Header, ...]] = ((b"content-security-policy", PAGE_POLICY), *_SHARED)
DATA_HEADERS: Final[tuple[Header, ...]] = ((b"content-security-policy", DATA_POLICY), *_SHARED)
NO_STORE: Final[Header] = (b"cache-control", b"no-store")
JSON: Final[Header] = (b"content-type", b"application/json")

_REPLACED: Final = frozenset(
    {
        b"cache-control",
        b"connection",
        b"cross-origin-opener-policy",
        b"cross-origin-resource-policy",
        b"keep-alive",
        b"permissions-policy",
        b"referrer-policy",
        b"server",
        b"strict-transport-security",
        b"transfer-encoding",
        b"x-content-type-options",
        b"x-frame-options",
        b"x-request-id",
    }
)


_numbers = count(1)
_process = b""


def new_request_id() -> bytes:
    """A short id, unique across processes: a random prefix of the process and a number."""
    return b"%b-%08x" % (_process, next(_numbers))


def _name_process() -> None:
    """A fork is a process of its own; its ids begin with another prefix."""
    global _process
    _process = os.urandom(9).hex().encode("ascii")


_name_process()
os.register_at_fork(after_in_child=_name_process)


class Dressing:
    """The headers that every answer gets, made once per process."""

    def __init__(self, *, hsts_seconds: int) -> None:
        hsts = (b"strict-transport-security", b"max-age=%d; includeSubDomains" % hsts_seconds)
        extra = (hsts,) if hsts_seconds else ()
        self.page = PAGE_HEADERS
        self.secure_page = (*PAGE_HEADERS, *extra)
        self.data = (*DATA_HEADERS, NO_STORE)
        self.secure_data = (*DATA_HEADERS, *extra, NO_STORE)


class Exchange:
    """Wraps `send`; knows what went out, so that an error can still be told if nothing did."""

    __slots__ = (
        "_muted",
        "_said",
        "_send",
        "address",
        "body_unread",
        "complete",
        "dressed",
        "head_only",
        "is_stream",
        "request_id",
        "route",
        "status",
    )

    def __init__(self, send: Send, *, head_only: bool, dressed: Sequence[Header]) -> None:
        self._send = send
        self._muted = False
        self._said = b""
        self.address = ""
        self.dressed = dressed
        self.head_only = head_only
        self.body_unread = False
        self.is_stream = False
        self.request_id = b""
        self.route = "refused"
        self.status = 0
        self.complete = False

    @property
    def started(self) -> bool:
        """Whether the status line is out, so that nothing else can be said any more."""
        return self.status != 0

    def mute(self) -> None:
        """Drops whatever the service still says; the gateway answers in its place."""
        self._muted = not self.started

    async def send(self, message: Message) -> None:
        """What a service calls; adds our headers to its own."""
        if self._muted:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [pair for pair in message["headers"] if pair[0] not in _REPLACED]
            headers += self.dressed
            headers.append((b"x-request-id", self.request_id))
            message = {"type": "http.response.start", "status": self.status, "headers": headers}
        elif not message.get("more_body", False):
            self.complete = True
        elif self.is_stream:
            self._said = message["body"][-2:]
        await self._send(message)

    async def answer(
        self, status: int, body: bytes, headers: Sequence[Header], *, length: int | None = None
    ) -> None:
        """A complete answer of the gateway's own; `headers` are sent as they are.

        `length` is given where the body of a HEAD request was not even made.
        """
        self.status = status
        size = len(body) if length is None else length
        head = [*headers, (b"content-length", b"%d" % size), (b"x-request-id", self.request_id)]
        await self._send({"type": "http.response.start", "status": status, "headers": head})
        self.complete = True
        await self._send({"type": "http.response.body", "body": b"" if self.head_only else body})

    async def answer_json(self, status: int, body: bytes, *extra: Header) -> None:
        """A JSON answer with the headers of this exchange."""
        await self.answer(status, body, (JSON, *self.dressed, *extra))

    async def refuse(self, error: AppError, language: str | None, *extra: Header) -> None:
        """The error as envelope; the connection ends if a body is still on its way."""
        request_id = self.request_id.decode("latin-1")
        status, headers, body = render_error(error, request_id=request_id, language=language)
        rendered = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        own = [pair for pair in rendered if pair[0] not in (b"x-request-id", b"cache-control")]
        dressed = [pair for pair in self.dressed if pair[0] != b"cache-control"]
        if self.body_unread:
            own.append((b"connection", b"close"))
        await self.answer(status, body, [*own, *dressed, NO_STORE, *extra])

    async def finish(self, *, last_event: bytes = b"") -> None:
        """Ends an answer that was begun and not completed.

        A last event goes out only where a whole one ended before, so that none is ever mixed up.
        """
        if self.started and not self.complete:
            self.complete = True
            body = last_event if self._said.endswith(b"\n\n") else b""
            await self._send({"type": "http.response.body", "body": body, "more_body": False})
