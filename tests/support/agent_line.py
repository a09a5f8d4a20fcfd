"""A WebSocket client without tasks: thousands of them fit into one test process."""

import asyncio
from collections.abc import Iterable
from typing import Protocol, cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from libs.protocol.version import SUBPROTOCOL


class Refused(Exception):
    """The gateway refused the opening handshake; `status` and `headers` of its answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status_code}: {bytes(response.body or b'')!r}")
        self.status = response.status_code
        self.headers = response.headers
        self.body = bytes(response.body or b"")


class Ended(Exception):
    """The session is over; `code` and `reason` of the close frame, 1006 without one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


class Owner(Protocol):
    """Whoever speaks over a line."""

    def on_message(self, data: bytes) -> None:
        """A text message arrived."""

    def on_gone(self, line: "Line", ended: Ended) -> None:
        """The connection of this line is closed."""


class Line(asyncio.Protocol):
    """One connection to the gateway; `opened` is set once messages can be sent."""

    def __init__(
        self,
        owner: Owner,
        address: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        subprotocol: str | None = SUBPROTOCOL,
    ) -> None:
        wanted = None if subprotocol is None else [Subprotocol(subprotocol)]
        self._ws = ClientProtocol(parse_uri(address), subprotocols=wanted, max_size=2**21)
        self._owner = owner
        self._headers = headers
        self._transport: asyncio.Transport | None = None
        self._is_receiving = False
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        transport = self._transport
        return transport is not None and not transport.is_closing() and self._ws.state is State.OPEN

    def send(self, frame: str | bytes) -> None:
        """One text or binary message; answers to what came together leave together."""
        if isinstance(frame, str):
            self._ws.send_text(frame.encode("utf-8", "surrogatepass"))
        else:
            self._ws.send_binary(frame)
        if not self._is_receiving:
            self._flush()

    def send_fragments(self, parts: Iterable[bytes], *, is_finished: bool = True) -> None:
        """One text message in as many frames as there are parts."""
        for number, part in enumerate(parts):
            if number == 0:
                self._ws.send_text(part, fin=False)
            else:
                self._ws.send_continuation(part, fin=False)
        if is_finished:
            self._ws.send_continuation(b"", fin=True)
        self._flush()

    def ping(self) -> None:
        """A WebSocket ping."""
        self._ws.send_ping(b"?")
        self._flush()

    def pong(self) -> None:
        """A pong that nobody asked for."""
        self._ws.send_pong(b"!")
        self._flush()

    def write(self, data: bytes) -> None:
        """Bytes past the WebSocket protocol."""
        assert self._transport is not None
        self._transport.write(data)

    def stop_reading(self) -> None:
        """Leaves everything in the kernel's buffers from now on."""
        assert self._transport is not None
        self._transport.pause_reading()

    def abort(self) -> None:
        """Cuts the TCP connection."""
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio's side -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        request = self._ws.connect()
        for name, value in self._headers:
            if name in request.headers:
                del request.headers[name]
            if value:
                request.headers[name] = value
        self._ws.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._ws.receive_data(data)
        self._is_receiving = True
        try:
            for event in self._ws.events_received():
                if isinstance(event, Response):
                    self._take_response(event)
                elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                    self._owner.on_message(bytes(event.data))
        finally:
            self._is_receiving = False
            self._flush()

    def eof_received(self) -> None:
        self._ws.receive_eof()
        for event in self._ws.events_received():
            if isinstance(event, Response):
                self._take_response(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ws.receive_eof()
        self._transport = None
        close = self._ws.close_rcvd
        ended = Ended(close.code, close.reason) if close else Ended(1006, str(exc or ""))
        if not self.opened.done():
            self.opened.set_exception(ended)
        if not self.gone.done():
            self.gone.set_result(None)
        self._owner.on_gone(self, ended)

    def _take_response(self, response: Response) -> None:
        if self.opened.done():
            return
        if response.status_code == 101 and self._ws.handshake_exc is None:
            self.opened.set_result(None)
        else:
            self.opened.set_exception(Refused(response))

    def _flush(self) -> None:
        if self._transport is None:
            return
        pieces = self._ws.data_to_send()
        if not pieces:
            return
        self._transport.write(b"".join(pieces))
        if not pieces[-1]:  # the protocol's sign for our end of the stream
            self._transport.close()
