"""The connection to a gateway: challenge, hello, welcome, then frames both ways until it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
import time
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from agent.identity import Identity, socket_address
from agent.wire import CLOSE_SECONDS, Wire
from libs.protocol.codec import MAX_SIGNED_BYTES, decode, encode
from libs.protocol.errors import ProtocolError
from libs.protocol.messages import Bye, Challenge, Hello, Message, Welcome
from libs.protocol.version import SUBPROTOCOL

_logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_HANDSHAKE_SECONDS = 10.0
_STABLE_SECONDS = 10.0


class Handler(Protocol):
    """What the link needs from the rest of the agent."""

    async def hello(self, challenge: Challenge) -> Hello:
        """The signed answer to a challenge."""

    def opened(self, welcome: Welcome) -> None:
        """A session is open; what must be said again goes into `next_frame`."""

    def receive(self, message: Message) -> None:
        """A message of the gateway."""

    def unreadable(self, error: ProtocolError) -> None:
        """A frame of the gateway that is no message."""

    def next_frame(self) -> str | bytes | None:
        """The next frame to send, None if there is none; `wake` says when to ask again."""

    def turn_ends(self) -> None:
        """All that came together was handled, and all that was ready is on its way."""

    def closed(self) -> None:
        """The session is over."""


@dataclass
class Backoff:
    """Pauses between attempts: doubled each time, up to 30 s, shortened at random by half."""

    pause: float = FIRST_PAUSE_SECONDS

    def next(self) -> float:
        """Seconds to wait now."""
        pause = self.pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        self.pause = min(self.pause * 2, LONGEST_PAUSE_SECONDS)
        return pause

    def reset(self) -> None:
        """The last session was a good one."""
        self.pause = FIRST_PAUSE_SECONDS


class SessionRefused(Exception):
    """The gateway answered, but not with a session."""


class Link:
    """Keeps one session alive, at the gateways in turn."""

    def __init__(self, identity: Identity, handler: Handler) -> None:
        self._identity = identity
        self._handler = handler
        self._wire: Wire | None = None
        self._first: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._tls = _tls_context(identity)

    def wake(self) -> None:
        """There is something to send."""
        if self._wire is not None:
            self._wire.wake()

    def pump(self) -> None:
        """Send it now."""
        if self._wire is not None:
            self._wire.pump()

    async def run(self) -> None:
        """Connect, work, and connect again, until cancelled."""
        backoff = Backoff()
        turn = 0
        while True:
            gateway = self._identity.gateways[turn % len(self._identity.gateways)]
            began = time.monotonic()
            try:
                await self._session(gateway)
            except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed) as error:
                _logger.info("No session: %s", type(error).__name__)
            except (asyncio.TimeoutError, SessionRefused, ProtocolError) as error:
                _logger.warning("No session: %s", error)
            if time.monotonic() - began >= _STABLE_SECONDS:
                backoff.reset()
            turn += 1
            await asyncio.sleep(backoff.next())

    async def _session(self, gateway: str) -> None:
        address = socket_address(gateway, self._identity.agent_id)
        self._first = asyncio.Queue()
        wire = Wire(address, SUBPROTOCOL, self, max_size=MAX_SIGNED_BYTES)
        try:
            await asyncio.wait_for(wire.open(self._tls), _HANDSHAKE_SECONDS)
            welcome = await asyncio.wait_for(self._handshake(wire), _HANDSHAKE_SECONDS)
            _logger.info("Session open at %s.", gateway)
            self._open(wire, welcome)
            await wire.closed()
        finally:
            if self._wire is not None:
                self._wire = None
                self._handler.closed()
            wire.close()

    async def _handshake(self, wire: Wire) -> Welcome:
        challenge = decode(await self._next(wire))
        if not isinstance(challenge, Challenge):
            raise SessionRefused(_farewell(challenge))
        wire.send(encode(await self._handler.hello(challenge)))
        welcome = decode(await self._next(wire))
        if not isinstance(welcome, Welcome):
            raise SessionRefused(_farewell(welcome))
        return welcome

    async def _next(self, wire: Wire) -> str | bytes:
        """A frame of the handshake; raises ConnectionResetError if the connection ends first."""
        frame = asyncio.ensure_future(self._first.get())
        end = asyncio.ensure_future(wire.closed())
        try:
            await asyncio.wait((frame, end), return_when=asyncio.FIRST_COMPLETED)
            if frame.done():
                return frame.result()
            end.result()
            raise ConnectionResetError("closed before the welcome")
        finally:
            frame.cancel()
            end.cancel()

    def _open(self, wire: Wire, welcome: Welcome) -> None:
        """From here on frames are handled where they arrive; first those that came already."""
        self._wire = wire
        wire.feeds = True
        self._handler.opened(welcome)
        while not self._first.empty():
            self.heard(self._first.get_nowait())
        wire.wake()

    def next_frame(self) -> str | bytes | None:
        """The next frame to send."""
        return self._handler.next_frame()

    def turn_ends(self) -> None:
        """All that came together was handled."""
        self._handler.turn_ends()

    def heard(self, frame: str | bytes) -> None:
        """A frame of the gateway; one that is no message is logged and left out."""
        if self._wire is None:
            self._first.put_nowait(frame)
            return
        try:
            if isinstance(frame, bytes):
                raise ProtocolError("unknown_type", "a gateway sends no binary frames")
            message = decode(frame, limit=MAX_SIGNED_BYTES)
        except ProtocolError as error:
            self._handler.unreadable(error)
            return
        if isinstance(message, Bye):
            raise SessionRefused(_farewell(message))
        self._handler.receive(message)

    async def say_goodbye(self) -> None:
        """Tell the gateway that this agent stops; scripts go on."""
        wire = self._wire
        if wire is None:
            return
        with contextlib.suppress(asyncio.TimeoutError, SessionRefused):
            wire.send(encode(Bye(1001, "agent stops")))
            wire.close(1001)
            await asyncio.wait_for(wire.closed(), CLOSE_SECONDS)


def _farewell(message: Message) -> str:
    if isinstance(message, Bye):
        return f"the gateway says {message.code} {message.reason}"
    return f"unexpected {message.type}"


def _tls_context(identity: Identity) -> ssl.SSLContext | None:
    if not any(urlsplit(gateway).scheme == "https" for gateway in identity.gateways):
        return None
    return ssl.create_default_context(cafile=identity.ca_file or None)
