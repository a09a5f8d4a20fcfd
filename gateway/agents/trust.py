"""Brings the trust bundle to agents; a gateway can withhold one, not make or change one."""

import asyncio
from typing import Final, Protocol

from gateway.agents.roster import Roster
from gateway.agents.tail import Fields
from libs.contracts.hosts import TrustChanged
from libs.kit.errors import AppError
from libs.kit.logging import get_logger
from libs.protocol.codec import encode
from libs.protocol.signed import Trust
from libs.protocol.version import SIGNED_SINCE

log = get_logger(__name__)

FIRST_SECONDS: Final = 2.0
"""How often hosts is asked until there is a bundle."""


class Keeper(Protocol):
    """The question asked of hosts; HostsClient answers it."""

    async def trust_bundle(self) -> str:
        """The present bundle; empty while there is none. Raises Unavailable."""


class TrustDesk:
    """Knows the present bundle and gives it to every session that can use it."""

    def __init__(self, hosts: Keeper, roster: Roster, *, seconds: float) -> None:
        self._hosts = hosts
        self._roster = roster
        self._seconds = seconds
        self._bell = asyncio.Event()
        self.bundle = ""

    def heed(self, fields: Fields) -> None:
        """One fact about hosts; a new bundle is fetched at once."""
        if fields.get(b"type") == TrustChanged.type.encode():
            self._bell.set()

    async def run(self) -> None:
        """Asks for ever; a session that opens meanwhile gets what is known."""
        while True:
            self._bell.clear()
            await self.refresh()
            pause = self._seconds if self.bundle else FIRST_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def refresh(self) -> None:
        """Asks hosts once and tells all sessions what is new."""
        try:
            bundle = await self._hosts.trust_bundle()
        except AppError as error:
            log.warning("The trust bundle cannot be asked for now.", error=error.code)
            return
        if bundle and bundle != self.bundle:
            self.bundle = bundle
            frame = encode(Trust(bundle)).encode()
            for session in self._roster:
                if session.is_live and session.protocol >= SIGNED_SINCE:
                    session.forward([frame])
