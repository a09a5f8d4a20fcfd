"""What an agent may say on its socket, and when; read from the protocol and the gateway's table."""

from dataclasses import dataclass
from typing import Final, get_args

from gateway.agents.packing import STREAM_OF
from libs.protocol.messages import Bye, FromAgent, FromGateway, Heartbeat, Hello, Message

HANDLED: Final = frozenset((*STREAM_OF, Heartbeat, Bye))
"""What a proven agent may send; everything else ends the session unhandled."""


@dataclass(frozen=True)
class Spoken:
    """One type of message and what becomes of it when somebody sends it to the gateway."""

    name: str
    by_agent: bool
    before_proof: str
    by_proven: str


def spoken() -> list[Spoken]:
    """All types of the protocol, each with its place."""
    agents, all_types = set(get_args(FromAgent)), dict.fromkeys(get_args(Message))
    return [
        Spoken(
            name=kind.type,
            by_agent=kind in agents,
            before_proof="the proof itself" if kind is Hello else "4401",
            by_proven="yes" if kind in HANDLED else "4400",
        )
        for kind in all_types
    ]


def undecided() -> set[str]:
    """Messages of agents that nobody handles, or handled ones that are not of agents."""
    agents, gateway = set(get_args(FromAgent)), set(get_args(FromGateway))
    strange = (agents - {Hello}) ^ HANDLED
    strange |= HANDLED & gateway
    return {str(getattr(kind, "type", kind)) for kind in strange if kind is not Bye}
