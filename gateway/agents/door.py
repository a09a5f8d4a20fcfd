"""The one port: the first bytes of a connection decide who serves it."""

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

from gateway.agents.admission import Lobby

AGENT_PREFIX = b"GET /ws/"
"""Agents begin like this."""

Serve = Callable[["Door"], asyncio.Protocol]


class Door(asyncio.Protocol):
    """Reads until it knows, then hands the transport over and forgets it."""

    __slots__ = ("_lobby", "_others", "_received", "_transport", "_web")

    def __init__(self, lobby: Lobby, *, others: Mapping[bytes, Serve], web: Serve) -> None:
        """`others` serve connections that begin like their key, `web` all that are left."""
        self._lobby = lobby
        self._others = others
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
        serve = self._web
        for beginning, other in self._others.items():
            if self._received.startswith(beginning):
                serve = other
                break
            if beginning.startswith(self._received):
                return
        protocol = serve(self)
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
