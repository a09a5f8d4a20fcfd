"""Where sessions meet the rest of the gateway: admission, identity, presence, uplink."""

from collections.abc import Callable, Coroutine

from gateway.agents.admission import Admission, Lobby, PeerRates
from gateway.agents.closing import NOT_ACTIVE, TRY_LATER, Closing
from gateway.agents.counting import HANDSHAKE_SECONDS, HANDSHAKES
from gateway.agents.identity import Identities
from gateway.agents.presence import Presence
from gateway.agents.revocation import Revocation
from gateway.agents.roster import Roster
from gateway.agents.session import Session
from gateway.agents.settings import AgentGatewaySettings
from gateway.agents.trust import TrustDesk
from gateway.agents.uplink import Uplink
from libs.contracts.hosts import AgentIdentity
from libs.kit import clock
from libs.kit.errors import Unavailable
from libs.protocol.messages import Heartbeat

RETURNS_PER_SECOND = 0.5
RETURN_BURST = 20
"""How often one agent may open a session; one whose link flaps every four seconds may."""


class FrontDesk:
    """The gateway as one session sees it; see `session.Desk`."""

    def __init__(
        self,
        *,
        gateway_id: str,
        settings: AgentGatewaySettings,
        lobby: Lobby,
        roster: Roster,
        identities: Identities,
        presence: Presence,
        revocation: Revocation,
        uplink: Uplink,
        trust: TrustDesk,
        spawn: Callable[[Coroutine[None, None, None]], object],
    ) -> None:
        self.gateway_id = gateway_id
        self.messages_per_second = settings.messages_per_second
        self.window_bytes = settings.window_bytes
        self.is_open = True
        """False while the gateway stops: nobody is let in any more."""
        self.spawn = spawn
        self._settings = settings
        self._lobby = lobby
        self._roster = roster
        self._identities = identities
        self._presence = presence
        self._revocation = revocation
        self._uplink = uplink
        self._trust = trust
        self._admission = Admission(
            settings.handshakes_per_second, settings.handshake_burst, clock.monotonic
        )
        self._returns = PeerRates(RETURNS_PER_SECOND, RETURN_BURST, clock.monotonic)

    @property
    def bundle(self) -> str:
        """The present trust bundle; empty while there is none."""
        return self._trust.bundle

    def let_in(self) -> None:
        """Raises Unavailable with Retry-After when no handshake fits in now."""
        if not self.is_open or not self._uplink.is_healthy:
            wait: float | None = self.hint()
        elif len(self._roster) >= self._settings.max_sessions:
            wait = 30 + self.hint()
        else:
            wait = self._admission.admit()
        HANDSHAKES.labels("begun" if wait is None else "held_back").inc()
        if wait is not None:
            raise Unavailable(retry_after=max(1, round(wait)))

    def hint(self) -> float:
        """Seconds after which an agent should try again; random, so that they spread."""
        return self._admission.hint()

    async def identity(self, agent_id: str) -> AgentIdentity | None:
        """Asks hosts; nothing is cached."""
        return await self._identities.of(agent_id)

    async def admit(self, session: Session) -> Closing | None:
        """Makes a proven session the one of its agent; or says why not."""
        if not self.is_open or not self._returns.take(session.agent_id):
            return TRY_LATER.because(f"retry_after={self.hint():.1f}")
        closing = await self._roster.enter(session)
        if closing is None and self._revocation.is_revoked(session.agent_id):
            self._roster.leave(session)
            return NOT_ACTIVE
        return closing

    def welcome(self, session: Session) -> None:
        """Announces a session that is live from now on and sets its heartbeat."""
        self._lobby.leave(session)
        session.heartbeat_seconds = self._presence.interval()
        self._presence.connected(session)
        HANDSHAKES.labels("completed").inc()
        HANDSHAKE_SECONDS.observe(clock.monotonic() - session.began_at)

    def put(self, stream: str, data: bytes, session: Session) -> None:
        """Hands a message to the uplink, which may pause the session."""
        self._uplink.put(stream, data, session)

    def has_room(self, session: Session) -> bool:
        """Whether a message that may be lost should be handed on now."""
        return self._uplink.has_room(session)

    def heartbeat(self, session: Session, beat: Heartbeat) -> None:
        """A sign of life with the host's load."""
        self._presence.heartbeat(session, beat)

    def left(self, session: Session, *, was_live: bool) -> None:
        """The session ended; announced only if it had been."""
        self._lobby.leave(session)
        if was_live:
            self._roster.leave(session)
            self._presence.disconnected(session)
            self._uplink.drop(session)
