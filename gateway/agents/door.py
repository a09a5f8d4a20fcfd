"""The one port: the first bytes of a connection decide who serves it."""

import asyncio
from collections.abc import Callable
from typing import cast

from gateway.agents.admission import Lobby

AGENT_PREFIX = b"GET /ws/"
"""Agents begin like this; everything else is an ordinary HTTP request."""


class Door(asyncio.Protocol):
    """Reads until it knows, then hands the transport over and forgets it."""

    __slots__ = ("_agent", "_lobby", "_received", "_transport", "_web")

    def __init__(
        self,
        lobby: Lobby,
        *,
        agent: Callable[["Door"], asyncio.Protocol],
        web: Callable[["Door"], asyncio.Protocol],
    ) -> None:
        self._lobby = lobby
        self._agent = agent
        self._web = web
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._lobby.enter(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        transport = self._transport
        if transport is None:
            return
        if self._received.startswith(AGENT_PREFIX):
            protocol = self._agent(self)
        elif AGENT_PREFIX.startswith(self._received):
            return
        else:
            protocol = self._web(self)
        received, self._received, self._transport = self._received, b"", None
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(received)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lobby.leave(self)

    def expire(self) -> None:
        """Cuts a connection that says nothing; a TCP connection costs the other side nothing."""
        if self._transport is not None:
            self._transport.abort()
