"""The connection to a gateway: challenge, hello, welcome, then frames both ways until it breaks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import ssl
import time
from dataclasses import dataclass
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from agent import __version__
from agent.identity import Identity, socket_address
from libs.protocol.codec import MAX_MESSAGE_BYTES, decode, encode
from libs.protocol.errors import ProtocolError
from libs.protocol.messages import Bye, Challenge, Hello, Message, Reject, Welcome
from libs.protocol.version import SUBPROTOCOL

_logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_HANDSHAKE_SECONDS = 10.0
_PING_SECONDS = 20.0
_STABLE_SECONDS = 10.0


class Handler(Protocol):
    """What the link needs from the rest of the agent."""

    async def hello(self, challenge: Challenge) -> Hello:
        """The signed answer to a challenge."""

    def opened(self, welcome: Welcome) -> None:
        """A session is open; what must be said again goes into `next_frame`."""

    def receive(self, message: Message) -> None:
        """A message of the gateway."""

    def say(self, message: Message) -> None:
        """Send a message before any output."""

    def next_frame(self) -> str | bytes | None:
        """The next frame to send, None if there is none; `wake` says when to ask again."""

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
        self._wake = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._tls = _tls_context(identity)

    def wake(self) -> None:
        """There is something to send."""
        self._wake.set()

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
        async with connect(
            address,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            ssl=self._tls if address.startswith("wss:") else None,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            proxy=None,
            open_timeout=_HANDSHAKE_SECONDS,
            ping_interval=_PING_SECONDS,
            ping_timeout=_PING_SECONDS,
            close_timeout=2,
            user_agent_header=f"opsjob-agent/{__version__}",
        ) as socket:
            welcome = await asyncio.wait_for(self._handshake(socket), _HANDSHAKE_SECONDS)
            _logger.info("Session open at %s.", gateway)
            self._socket = socket
            self._handler.opened(welcome)
            try:
                await self._work(socket)
            finally:
                self._socket = None
                self._handler.closed()

    async def _handshake(self, socket: ClientConnection) -> Welcome:
        challenge = decode(await socket.recv())
        if not isinstance(challenge, Challenge):
            raise SessionRefused(_farewell(challenge))
        await socket.send(encode(await self._handler.hello(challenge)))
        welcome = decode(await socket.recv())
        if not isinstance(welcome, Welcome):
            raise SessionRefused(_farewell(welcome))
        return welcome

    async def _work(self, socket: ClientConnection) -> None:
        writer = asyncio.ensure_future(self._write(socket))
        try:
            await self._read(socket)
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                await writer

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            frame = self._handler.next_frame()
            if frame is None:
                self._wake.clear()
                await self._wake.wait()
            else:
                await socket.send(frame)

    async def _read(self, socket: ClientConnection) -> None:
        """Until the gateway says bye; frames that are no messages are counted and left out."""
        while True:
            frame = await socket.recv()
            try:
                if isinstance(frame, bytes):
                    raise ProtocolError("unknown_type", "a gateway sends no binary frames")
                message = decode(frame)
            except ProtocolError as error:
                _logger.warning("A frame was refused: %s", error)
                self._refuse_order(frame)
                continue
            if isinstance(message, Bye):
                raise SessionRefused(_farewell(message))
            self._handler.receive(message)

    def _refuse_order(self, frame: str | bytes) -> None:
        """If the frame is an offer whose ids can be read, reject it, so that nobody waits."""
        try:
            order = json.loads(frame)["order"]
            reject = Reject(order["task_id"], order["attempt"], "order_invalid", "unreadable")
            encode(reject)
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        self._handler.say(reject)

    async def say_goodbye(self) -> None:
        """Tell the gateway that this agent stops; scripts go on."""
        if self._socket is None:
            return
        with contextlib.suppress(ConnectionClosed, asyncio.TimeoutError):
            await asyncio.wait_for(self._socket.send(encode(Bye(1001, "agent stops"))), 1)
            await asyncio.wait_for(self._socket.close(1001), 2)


def _farewell(message: Message) -> str:
    if isinstance(message, Bye):
        return f"the gateway says {message.code} {message.reason}"
    return f"unexpected {message.type}"


def _tls_context(identity: Identity) -> ssl.SSLContext | None:
    if not any(gateway.startswith("https:") for gateway in identity.gateways):
        return None
    return ssl.create_default_context(cafile=identity.ca_file or None)
