"""One WebSocket to a gateway: the sans-I/O protocol of `websockets` driven by callbacks.

What arrives is handled where it arrives, and everything that is ready to go leaves in one write:
with a task, a queue and a lock per direction each frame costs several turns of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Protocol

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from agent import __version__

PING_SECONDS = 20.0
"""Between two pings, and how long the answer to one may take."""
CLOSE_SECONDS = 2.0
_MOST_AT_ONCE = 256 * 1024
_PROTOCOL_ERROR = 1002


class Peer(Protocol):
    """Who speaks over a wire."""

    def heard(self, frame: str | bytes) -> None:
        """A whole message arrived; what is raised ends the connection and `closed` raises it."""

    def next_frame(self) -> str | bytes | None:
        """The next message to send, None if there is none now."""

    def turn_ends(self) -> None:
        """Everything that arrived together was heard, and what was ready left."""


class Wire(asyncio.Protocol):
    """Bytes on one side, whole messages on the other.

    `max_size` bounds a message however it is cut into frames. Sending stops while the transport
    holds more than it likes, and goes on by itself.
    """

    def __init__(self, address: str, subprotocol: str, peer: Peer, *, max_size: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._uri = parse_uri(address)
        self._peer = peer
        self._ws = ClientProtocol(
            self._uri, subprotocols=[Subprotocol(subprotocol)], max_size=max_size
        )
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] = loop.create_future()
        self._closed: asyncio.Future[None] = loop.create_future()
        for future in (self._opened, self._closed):
            future.add_done_callback(_look_at)
        self._fragments: list[bytes] = []
        self._is_text = True
        self._may_write = True
        self._is_pumping = False
        self._is_pinged = False
        self._timer: asyncio.TimerHandle | None = None
        self.feeds = False
        """Whether the peer is asked for messages; off during the handshake."""

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Connect and shake hands. Raises OSError, InvalidHandshake or ConnectionClosed."""
        uri = self._uri
        await self._loop.create_connection(
            lambda: self, uri.host, uri.port, ssl=tls if uri.secure else None
        )
        await self._opened
        self._ping_later()

    async def closed(self) -> None:
        """Until the connection is gone; raises what the peer raised."""
        await asyncio.shield(self._closed)

    def wake(self) -> None:
        """The peer has something to send; all that it has in this turn goes together."""
        if not self._is_pumping:
            self._is_pumping = True
            self._loop.call_soon(self._pump)

    def pump(self) -> None:
        """The same at once, for who is in a turn of the loop of its own."""
        if not self._is_pumping:
            self._pump()

    def send(self, frame: str | bytes) -> None:
        """Send one message now; does nothing on a connection that is over."""
        if self._ws.state is State.OPEN:
            self._put(frame)
            self._flush()

    def close(self, code: int = 1000) -> None:
        """Begin the closing handshake; whoever does not answer is cut off."""
        if self._ws.state is State.OPEN:
            self._ws.send_close(code)
            self._flush()
        elif self._transport is not None:
            self._transport.abort()

    # ---- asyncio's side ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        request = self._ws.connect()
        request.headers["User-Agent"] = f"opsjob-agent/{__version__}"
        self._ws.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._is_pumping = True  # what the peer wants to say goes at the end of this turn
        try:
            self._ws.receive_data(data)
            for event in self._ws.events_received():
                if isinstance(event, Frame):
                    self._take(event)
                elif isinstance(event, Response):
                    self._shake(event)
        except Exception as error:  # passed on to whoever waits for the end
            self._end(error)
        if self._ws.handshake_exc is not None and not self._opened.done():
            self._opened.set_exception(self._ws.handshake_exc)
        self._pump()

    def eof_received(self) -> None:
        self._ws.receive_eof()
        self._ws.events_received()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ws.receive_eof()
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if not self._opened.done():
            self._opened.set_exception(exc or ConnectionResetError("closed in the handshake"))
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        self.wake()

    # ---- inside -----------------------------------------------------------------------------

    def _shake(self, response: Response) -> None:
        if self._ws.state is State.OPEN and not self._opened.done():
            self._opened.set_result(None)

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.PONG:
            self._is_pinged = False
        elif opcode is Opcode.TEXT or opcode is Opcode.BINARY:
            self._is_text = opcode is Opcode.TEXT
            if frame.fin:
                self._deliver(bytes(frame.data))
            else:
                self._fragments = [bytes(frame.data)]
        elif opcode is Opcode.CONT:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                whole, self._fragments = b"".join(self._fragments), []
                self._deliver(whole)

    def _deliver(self, data: bytes) -> None:
        if self._closed.done() or self._ws.state is not State.OPEN:
            return
        try:
            frame: str | bytes = data.decode() if self._is_text else data
        except UnicodeDecodeError:
            self._ws.fail(_PROTOCOL_ERROR)
            return
        self._peer.heard(frame)

    def _pump(self) -> None:
        """Everything that may go now, in one write."""
        self._is_pumping = False
        if self.feeds and self._may_write and self._ws.state is State.OPEN:
            try:
                self._take_frames()
            except Exception as error:  # passed on to whoever waits for the end
                self._end(error)
        self._flush()
        self._peer.turn_ends()

    def _take_frames(self) -> None:
        size = 0
        while size < _MOST_AT_ONCE:
            frame = self._peer.next_frame()
            if frame is None:
                return
            self._put(frame)
            size += len(frame)
        self.wake()

    def _put(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            self._ws.send_text(frame.encode())
        else:
            self._ws.send_binary(frame)

    def _flush(self) -> None:
        transport = self._transport
        pieces = self._ws.data_to_send()
        if transport is None:
            return
        if pieces:
            transport.write(b"".join(pieces))
            if not pieces[-1]:  # the protocol's sign for our end of the stream
                with contextlib.suppress(NotImplementedError, RuntimeError, OSError):
                    transport.write_eof()
        if self._ws.close_expected():
            self._loop.call_later(CLOSE_SECONDS, transport.abort)

    def _end(self, error: Exception) -> None:
        if not self._closed.done():
            self._closed.set_exception(error)
        self.close()

    def _ping_later(self) -> None:
        self._timer = self._loop.call_later(PING_SECONDS, self._ping)

    def _ping(self) -> None:
        if self._is_pinged and self._transport is not None:
            self._transport.abort()
            return
        if self._ws.state is State.OPEN:
            self._is_pinged = True
            self._ws.send_ping(b"alive")
            self._flush()
        self._ping_later()


def _look_at(future: asyncio.Future[None]) -> None:
    """An end that nobody waits for any more is no error of ours."""
    if not future.cancelled():
        future.exception()
