"""Ends sessions whose identity is not active any more: at once by facts, by comparison always.

A fact is only a hint to ask hosts again: after Redis lost something, old facts come once more.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, TypeGuard

import msgspec

from gateway.agents.closing import NOT_ACTIVE
from gateway.agents.identity import Identities
from gateway.agents.roster import Roster
from gateway.agents.tail import Fields
from libs.contracts.hosts import (
    AgentDisabled,
    AgentEnabled,
    AgentIdentity,
    AgentQuarantined,
    AgentRetired,
    AgentState,
    HostsFact,
)
from libs.kit import clock
from libs.kit.errors import AppError
from libs.kit.logging import get_logger

log = get_logger(__name__)

FACTS_STREAM: Final = f"facts:{HostsFact.topic}"
REMEMBER_SECONDS: Final = 60.0
"""How long a fact also counts for a handshake that had its answer from hosts just before."""
_CONCERNING: Final = frozenset(
    {AgentDisabled.type, AgentEnabled.type, AgentQuarantined.type, AgentRetired.type}
)


class _Fact(msgspec.Struct):
    agent_id: str = ""


_decode = msgspec.json.Decoder(_Fact).decode


class Revocation:
    """Facts are quick but may be lost; the comparison is slow but misses nothing."""

    def __init__(
        self,
        roster: Roster,
        identities: Identities,
        *,
        seconds: float,
        spawn: Callable[[Coroutine[None, None, None]], object],
    ) -> None:
        self._roster = roster
        self._identities = identities
        self._seconds = seconds
        self._spawn = spawn
        self._revoked: dict[str, float] = {}

    def is_revoked(self, agent_id: str) -> bool:
        """Whether this identity was taken away within the last minute."""
        since = self._revoked.get(agent_id)
        return since is not None and clock.monotonic() - since < REMEMBER_SECONDS

    def heed(self, fields: Fields) -> None:
        """One fact about hosts; most of them concern nobody here."""
        kind = fields.get(b"type", b"").decode("utf-8", "replace")
        if kind not in _CONCERNING:
            return
        try:
            agent_id = _decode(fields.get(b"body", b"")).agent_id
        except msgspec.DecodeError:
            log.error("A fact about an agent is unreadable.", type=kind)
            return
        self._spawn(self._ask_again(agent_id))

    async def run(self) -> None:
        """Compares all sessions with hosts, for ever."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.compare()

    async def compare(self) -> None:
        """Ends every session that hosts would not let in now; none while hosts is silent."""
        self._forget()
        sessions = {session.agent_id: session for session in self._roster}
        try:
            found = await self._identities.of_many(sessions)
        except AppError as error:
            log.warning("Sessions cannot be compared with hosts for now.", error=error.code)
            return
        for agent_id, session in sessions.items():
            identity = found.get(agent_id)
            if not _is_active(identity) or identity.identity_epoch != session.identity_epoch:
                session.end(NOT_ACTIVE)

    async def _ask_again(self, agent_id: str) -> None:
        """Revokes unless hosts vouches for the agent now; silence of hosts is no excuse here."""
        try:
            identity = await self._identities.of(agent_id)
        except AppError:
            identity = None
        if _is_active(identity):
            self._revoked.pop(agent_id, None)
            return
        self._revoked[agent_id] = clock.monotonic()
        session = self._roster.find(agent_id)
        if session is not None:
            session.end(NOT_ACTIVE)

    def _forget(self) -> None:
        oldest = clock.monotonic() - REMEMBER_SECONDS
        self._revoked = {k: at for k, at in self._revoked.items() if at > oldest}


def _is_active(identity: AgentIdentity | None) -> TypeGuard[AgentIdentity]:
    return identity is not None and identity.status is AgentState.ACTIVE
