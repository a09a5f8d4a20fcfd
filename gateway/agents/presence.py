"""Tells hosts and execution who is connected, and tells idle agents apart from lost ones."""

import math
import random
from typing import Final

import msgspec

from gateway.agents.closing import SILENT
from gateway.agents.packing import metrics_of, pack_entry
from gateway.agents.roster import Roster
from gateway.agents.session import Session
from gateway.agents.settings import AgentGatewaySettings
from gateway.agents.uplink import Uplink
from libs.contracts.agents import MISSED_HEARTBEATS, SESSION_SECONDS, STATUS, session_key
from libs.kit import clock
from libs.protocol.messages import Heartbeat
from libs.protocol.version import TEMPO_SINCE

JITTER: Final = 0.2
TOO_OFTEN: Final = 0.7
"""A session whose pause is below this part of the one wanted by now is told a longer one."""
TOO_SELDOM: Final = 2.0
"""One whose pause is above so many times the one wanted by now is told a shorter one. That takes a
fleet of 60 % or less of before, so sessions of a fleet that wavers are not told all the time."""
SWEEPS: Final = 4
"""How often the sweep looks at all sessions, per heartbeat of a small fleet."""
SLOWEST_SECONDS: Final = 60.0
"""However large a fleet, three missed heartbeats are over before a host counts as lost (300 s)."""

_HELLO: Final = msgspec.msgpack.Decoder(tuple[msgspec.Raw, msgspec.Raw])


class Presence:
    """Writes `agent_status` and the session keys; owns nothing that cannot be rebuilt.

    Every heartbeat carries enough for a reader that lost everything to rebuild who is where.
    """

    def __init__(
        self, uplink: Uplink, roster: Roster, *, gateway_id: str, settings: AgentGatewaySettings
    ) -> None:
        self._uplink = uplink
        self._roster = roster
        self._gateway_id = gateway_id
        self._settings = settings
        self._next_sweep = 0.0

    def interval(self) -> float:
        """Seconds between the heartbeats of a session that begins now.

        Grows with the fleet so that all agents together stay within the budget, and differs by
        20 % from agent to agent so that they do not beat together.
        """
        spread = 1 + JITTER * (2 * random.random() - 1)  # noqa: S311 - spreads load
        return round(self._wanted() * spread, 3)

    def _wanted(self) -> float:
        fleet = max(len(self._roster), self._settings.expected_agents)
        wanted = fleet / self._settings.heartbeats_per_second
        return max(self._settings.heartbeat_seconds, min(SLOWEST_SECONDS, wanted))

    def connected(self, session: Session, *, again: bool = False) -> None:
        """Announces a session; `again` when Redis may have forgotten an earlier announcement."""
        inventory, tasks = _HELLO.decode(session.hello)
        entry = self._sign_of_life("connected", session)
        entry |= {"hello": inventory, "tasks": tasks}
        if again:
            entry["again"] = True
        self._uplink.put(STATUS, pack_entry(entry), session)
        self._hold(session)

    def heartbeat(self, session: Session, beat: Heartbeat) -> None:
        """Passes a heartbeat on. While Redis is away it is not kept: the next one says it all."""
        if not self._uplink.is_healthy:
            return
        self._fit(session)
        entry = self._sign_of_life("heartbeat", session)
        entry["metrics"] = metrics_of(beat)
        self._uplink.put_later(STATUS, pack_entry(entry), session)
        self._hold(session)

    def disconnected(self, session: Session) -> None:
        """Announces the end of a session; says nothing about tasks on the host."""
        self._uplink.put(STATUS, pack_entry(self._entry("disconnected", session)), session)
        if self._roster.find(session.agent_id) is None:
            self._uplink.forget(session_key(session.agent_id))

    def announce_all(self) -> None:
        """Redis was away or emptied: says again who is here."""
        for session in self._roster:
            self.connected(session, again=True)

    def sweep(self) -> None:
        """Ends the sessions of agents that missed three heartbeats, such as half-open sockets."""
        now = clock.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + self._settings.heartbeat_seconds / SWEEPS
        for session in self._roster:
            if now - session.last_heard <= _patience(session):
                continue
            if session.is_live and not session.is_paused:
                session.cut(SILENT)

    def _fit(self, session: Session) -> None:
        """Tells another pause to a session that began when the fleet was of another size.

        Of a longer one the very heartbeat at which it is told tells the readers, too: so they, and
        we, are patient before the agent is slow. Of a shorter one the next heartbeat tells them.
        """
        wanted = self._wanted()
        fits = TOO_OFTEN * wanted <= session.heartbeat_seconds <= TOO_SELDOM * wanted
        if not fits and session.protocol >= TEMPO_SINCE:
            session.set_tempo(self.interval())

    def _hold(self, session: Session) -> None:
        seconds = max(SESSION_SECONDS, math.ceil(_patience(session)))
        self._uplink.touch(session_key(session.agent_id), seconds)

    def _sign_of_life(self, kind: str, session: Session) -> dict[str, object]:
        """With the time until the next one, by which readers know when to call it missing."""
        return self._entry(kind, session) | {
            "boot_id": session.boot_id,
            "heartbeat_seconds": session.heartbeat_seconds,
        }

    def _entry(self, kind: str, session: Session) -> dict[str, object]:
        return {
            "t": kind,
            "agent_id": session.agent_id,
            "gateway_id": self._gateway_id,
            "session_id": session.session_id,
            "at": clock.now().isoformat(timespec="milliseconds"),
        }


def _patience(session: Session) -> float:
    return MISSED_HEARTBEATS * session.heartbeat_seconds
