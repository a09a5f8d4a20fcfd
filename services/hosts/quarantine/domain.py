"""Who takes turns: two living sessions of one agent at different gateways, also of one boot."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

SWITCHES: Final = 10
"""So often two sessions speak one after the other before they count as living at once."""
SWITCHES_KEPT: Final = 30


@dataclass(slots=True)
class _Spoke:
    session_id: str
    at: datetime
    switches: list[frozenset[str]] = field(default_factory=list)
    """The latest pairs of sessions of which one spoke after the other."""


class Turns:
    """Which session of each agent spoke last, and which ones speak in turn.

    An agent has one session at a time: it begins a new one when the old one is over for it. What
    was on its way when a line broke may arrive late, and a gateway ends a session that is silent
    for three heartbeats; so an old session and the new one speak in turn a few times (seven at
    most, for three late heartbeats), and never again. Two that go on doing so are two machines.
    """

    def __init__(self) -> None:
        self._agents: dict[str, _Spoke] = {}

    def spoke(self, agent_id: str, session_id: str, at: datetime) -> bool:
        """Notes a sign of life in a session; whether it takes turns with another one.

        What is older than the latest one says nothing: Redis may bring it twice.
        """
        last = self._agents.get(agent_id)
        if last is None:
            self._agents[agent_id] = _Spoke(session_id, at)
            return False
        if at <= last.at:
            return False
        last.at = at
        if session_id == last.session_id:
            return False
        pair = frozenset((last.session_id, session_id))
        last.session_id = session_id
        last.switches = [*last.switches[1 - SWITCHES_KEPT :], pair]
        return last.switches.count(pair) >= SWITCHES
