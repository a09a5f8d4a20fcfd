"""One agent's WebSocket: the sans-I/O protocol of `websockets` driven by callbacks.

No task, queue or future per agent: what arrives is handled where it arrives, and reading stops
when the session says so. That is what keeps an idle agent at a few kilobytes.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from gateway.agents.closing import INVALID_TEXT, TOO_LARGE, TOO_MANY, Closing

MAX_FRAGMENTS = 256
"""Of one message. An honest agent sends none; one message of 1 MiB needs far fewer."""
WRITE_HIGH_BYTES = 256 * 1024
CLOSE_SECONDS = 5.0
"""How long the other side has to close its half after a close frame."""


class Listener(Protocol):
    """What a socket tells whoever speaks for the agent."""

    def on_request(self, request: Request) -> Response | None:
        """The opening handshake; None accepts it, a response refuses it."""

    def on_open(self) -> None:
        """The socket is open for messages."""

    def on_text(self, text: str) -> None:
        """A whole text message."""

    def on_binary(self, data: bytes) -> None:
        """A whole binary message."""

    def on_control(self) -> bool:
        """A ping or pong arrived; whether that is still within what is allowed."""

    def on_lost(self) -> None:
        """The connection is gone; nothing follows."""


class AgentSocket(asyncio.Protocol):
    """Bytes on one side, whole messages on the other; owns every bound of one connection.

    `max_size` bounds a message however it is cut into frames; `write_limit` bounds what may wait
    for a peer that does not read, and passing it ends the connection.
    """

    __slots__ = (
        "_fragments",
        "_is_text",
        "_listener",
        "_on_pong",
        "_transport",
        "_write_limit",
        "_ws",
        "is_reading",
    )

    def __init__(
        self, ws: ServerProtocol, listener: Listener | None = None, *, write_limit: int
    ) -> None:
        self._ws = ws
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._write_limit = write_limit
        self._fragments: list[bytes] | None = None
        self._is_text = True
        self._on_pong: Callable[[], None] | None = None
        self.is_reading = True

    def listen(self, listener: Listener) -> None:
        """Names who speaks for the agent; once, before the first byte."""
        self._listener = listener

    # ---- what the session may do ----------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._ws.state is State.OPEN and self._transport is not None

    @property
    def peer(self) -> str:
        """The address of the other end, for logs."""
        name = self._transport.get_extra_info("peername") if self._transport else None
        return str(name[0]) if isinstance(name, tuple) else "unix"

    def send_text(self, data: bytes) -> bool:
        """Sends one text message; False when the socket is not open or its buffer is full."""
        return self.send_texts((data,)) == 1

    def send_texts(self, messages: Sequence[bytes]) -> int:
        """Sends text messages in few writes; how many of them the buffer of an open socket took."""
        if not self.is_open:
            return 0
        transport = cast(asyncio.Transport, self._transport)
        sent = unwritten = 0
        for data in messages:
            if transport.get_write_buffer_size() + unwritten > self._write_limit:
                self._flush()
                unwritten = 0
                if transport.is_closing() or transport.get_write_buffer_size() > self._write_limit:
                    return sent
            self._ws.send_text(data)
            unwritten += len(data)
            sent += 1
        self._flush()
        return sent

    def ping(self, on_pong: Callable[[], None]) -> None:
        """Asks for a sign of life; `on_pong` is called for the next pong, if one comes."""
        if self.is_open:
            self._on_pong = on_pong
            self._ws.send_ping(b"alive")
            self._flush()

    def close(self, closing: Closing) -> None:
        """Starts the closing handshake; whoever does not answer it in time is cut off."""
        if self.is_open:
            self._ws.send_close(closing.code, closing.reason)
            self._cut_later()
            self._flush()
        self.resume_reading()

    def abort(self) -> None:
        """Cuts the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Stops taking bytes; the peer's window fills and it has to wait."""
        if self.is_reading and self._transport is not None:
            self.is_reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Goes on after `pause_reading`."""
        if not self.is_reading and self._transport is not None:
            self.is_reading = True
            if not self._transport.is_closing():
                self._transport.resume_reading()

    # ---- asyncio's side -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(WRITE_HIGH_BYTES)

    def data_received(self, data: bytes) -> None:
        self._ws.receive_data(data)
        for event in self._ws.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Request):
                self._answer(event)
        self._flush()

    def eof_received(self) -> None:
        self._ws.receive_eof()
        self._ws.events_received()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ws.receive_eof()
        self._transport = None
        self._fragments = None
        self._on_pong = None
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_lost()

    # ---- inside ---------------------------------------------------------------------------

    def _answer(self, request: Request) -> None:
        assert self._listener is not None
        if self._ws.state is not State.CONNECTING or self._ws.eof_sent:
            return
        response = self._listener.on_request(request) or self._ws.accept(request)
        self._ws.send_response(response)
        if response.status_code == 101:
            self._listener.on_open()

    def _take_frame(self, frame: Frame) -> None:
        if self._ws.state is not State.OPEN or self._listener is None:
            return
        opcode = frame.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            self._is_text = opcode is Opcode.TEXT
            if frame.fin:
                self._deliver(bytes(frame.data))
            else:
                self._fragments = [bytes(frame.data)]
        elif opcode is Opcode.CONT:
            self._continue(frame)
        elif opcode is Opcode.PING or opcode is Opcode.PONG:
            self._take_control(opcode)

    def _continue(self, frame: Frame) -> None:
        fragments = self._fragments
        if fragments is None:
            return
        fragments.append(bytes(frame.data))
        if len(fragments) > MAX_FRAGMENTS:
            self._fail(TOO_LARGE)
        elif frame.fin:
            self._fragments = None
            self._deliver(b"".join(fragments))

    def _take_control(self, opcode: Opcode) -> None:
        assert self._listener is not None
        if not self._listener.on_control():
            self.close(TOO_MANY)
        elif opcode is Opcode.PONG and self._on_pong is not None:
            heard, self._on_pong = self._on_pong, None
            heard()

    def _deliver(self, data: bytes) -> None:
        assert self._listener is not None
        if not self._is_text:
            self._listener.on_binary(data)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._fail(INVALID_TEXT)
            return
        self._listener.on_text(text)

    def _fail(self, closing: Closing) -> None:
        self._fragments = None
        self._ws.fail(closing.code, closing.reason)
        self._flush()

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        pieces = self._ws.data_to_send()
        if not pieces or transport.is_closing():
            return
        is_last = not pieces[-1]  # the protocol's sign for our end of the stream
        transport.write(b"".join(pieces))
        if is_last:
            self._half_close(transport)
        if transport.get_write_buffer_size() > 2 * self._write_limit:
            transport.abort()

    def _half_close(self, transport: asyncio.Transport) -> None:
        """Sends our end after the close frame; the peer's end, or the deadline, finishes it."""
        self._cut_later()
        try:
            transport.write_eof()
        except (NotImplementedError, RuntimeError, OSError):
            transport.close()

    def _cut_later(self) -> None:
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.abort)
