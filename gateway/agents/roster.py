"""Who is connected here: one live session per agent."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from gateway.agents.closing import CLONED, SUPERSEDED, Closing
from gateway.agents.counting import BOOT_CONFLICTS, SESSIONS
from gateway.agents.session import Session
from libs.kit import clock
from libs.kit.logging import get_logger

log = get_logger(__name__)

PROBE_SECONDS: Final = 2.0
"""How long a session on another boot has to show that it is alive."""


TURNS: Final = 3
"""After so many replaced sessions in `TURNS_SECONDS` the older one is asked whether it lives."""
TURNS_SECONDS: Final = 120.0
TURNS_KEPT: Final = 20_000


class Roster:
    """Sessions by agent id."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._replaced: dict[str, list[float]] = {}
        self.on_clone: Callable[[str, list[str], str], None] = lambda *_: None
        """Told of an identity that two living machines hold: agent, boots, evidence."""

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
            boots = [older.boot_id, session.boot_id]
            self.on_clone(session.agent_id, boots, "two living boots at one gateway")
            return CLONED
        if (
            older is not None
            and older.boot_id == session.boot_id
            and await self._takes_turns(older)
        ):
            BOOT_CONFLICTS.inc()
            boots = [session.boot_id]
            self.on_clone(session.agent_id, boots, "two living sessions of one boot take turns")
            return CLONED
        if session.is_ended:
            return None
        older = self._sessions.get(session.agent_id)
        if older is not None:
            older.end(SUPERSEDED)
        self._sessions[session.agent_id] = session
        SESSIONS.set(len(self._sessions))
        return None

    async def _takes_turns(self, older: Session) -> bool:
        """Whether this agent replaces its own living session again and again: a copied key.

        One whose link breaks does so too, but its older session is dead then.
        """
        now = clock.monotonic()
        recent = [at for at in self._replaced.get(older.agent_id, ()) if now - at < TURNS_SECONDS]
        if len(self._replaced) > TURNS_KEPT:
            self._replaced.clear()
        self._replaced[older.agent_id] = [*recent[-TURNS:], now]
        return len(recent) >= TURNS and await _is_alive(older)

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
