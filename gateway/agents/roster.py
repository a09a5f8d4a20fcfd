"""Who is connected here: one live session per agent."""

import asyncio
from collections.abc import Iterator
from typing import Final

from gateway.agents.closing import CLONED, SUPERSEDED, Closing
from gateway.agents.counting import BOOT_CONFLICTS, SESSIONS
from gateway.agents.session import Session
from libs.kit.logging import get_logger

log = get_logger(__name__)

PROBE_SECONDS: Final = 2.0
"""How long a session on another boot has to show that it is alive."""


class Roster:
    """Sessions by agent id."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def find(self, agent_id: str) -> Session | None:
        """The live session of an agent."""
        return self._sessions.get(agent_id)

    async def enter(self, session: Session) -> Closing | None:
        """Makes a proven session the one of its agent; the reason to end it if it may not be.

        The newer session wins: on the same boot because it is the same agent again, on another
        boot because the host restarted. Unless the older one still answers: then two machines
        hold the same key, and the newcomer is refused and reported.
        """
        older = self._sessions.get(session.agent_id)
        if older is not None and older.boot_id != session.boot_id and await _is_alive(older):
            BOOT_CONFLICTS.inc()
            log.error(
                "Two living boots share one agent identity.",
                agent_id=session.agent_id,
                boot_ids=[older.boot_id, session.boot_id],
            )
            return CLONED
        if session.is_ended:
            return None
        older = self._sessions.get(session.agent_id)
        if older is not None:
            older.end(SUPERSEDED)
        self._sessions[session.agent_id] = session
        SESSIONS.set(len(self._sessions))
        return None

    def leave(self, session: Session) -> None:
        """Forgets a session, unless a newer one took its place."""
        if self._sessions.get(session.agent_id) is session:
            del self._sessions[session.agent_id]
            SESSIONS.set(len(self._sessions))


async def _is_alive(session: Session) -> bool:
    heard = asyncio.Event()
    session.probe(heard.set)
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await heard.wait()
    except TimeoutError:
        return False
    return not session.is_ended
