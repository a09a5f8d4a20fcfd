"""What a batch of messages from the agent gateways says about who is there."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from libs.contracts.agents import MISSED_HEARTBEATS
from services.hosts.domain import known_metrics

MAX_INVENTORY_BYTES = 16 * 1024
SLOWEST_HEARTBEAT = 3_600.0
"""Seconds; the protocol knows none slower."""
_INVENTORY = (
    "hostname", "os_type", "os_version", "arch", "cpu_count", "memory_bytes", "interpreters",
    "concurrency", "agent_version", "protocol",
)  # fmt: skip


@dataclass(frozen=True)
class Hello:
    """What an agent said when it connected; `inventory` is JSON."""

    connected_at: datetime
    boot_id: str | None
    version: str | None
    inventory: str
    is_again: bool = False
    """Announced once more, because Redis was away; it may be over already."""


@dataclass(frozen=True)
class Sighting:
    """The latest that a batch says about an agent that is there; `metrics` is JSON.

    `hello` is given when the agent connected within the batch.
    """

    agent_id: str
    at: datetime
    gateway_id: str | None
    session_id: str | None
    metrics: str | None = None
    hello: Hello | None = None
    patience: timedelta = timedelta(0)
    """How long it may be silent after this: three of its heartbeats, which large fleets slow."""


@dataclass(frozen=True)
class Departure:
    """The end of one session; a newer session of the same agent stays untouched."""

    agent_id: str
    session_id: str
    at: datetime


@dataclass(frozen=True)
class Presence:
    """A batch boiled down to at most one sighting and some departures of each agent."""

    sightings: list[Sighting]
    departures: list[Departure]


def boiled_down(messages: Iterable[Mapping[str, object]], now: datetime) -> Presence:
    """What is left of a batch: later messages of an agent replace its earlier ones.

    A message that cannot be understood is left out: the next heartbeat says it again. Moments in
    the future count as now.
    """
    sightings: dict[str, Sighting] = {}
    departures: list[Departure] = []
    for message in messages:
        agent_id, at = _text(message.get("agent_id")), _moment(message.get("at"), now)
        if agent_id is None or at is None:
            continue
        kind, session_id = message.get("t"), _text(message.get("session_id"))
        if kind == "disconnected":
            if session_id is not None:
                departures.append(Departure(agent_id, session_id, at))
        elif kind in ("connected", "heartbeat"):
            seen = Sighting(
                agent_id,
                at,
                _text(message.get("gateway_id")),
                session_id,
                patience=_patience(message.get("heartbeat_seconds")),
            )
            before = sightings.get(agent_id)
            if before is not None and before.at <= at:
                seen = replace(seen, metrics=before.metrics, hello=before.hello)
            elif before is not None:
                continue
            sightings[agent_id] = _with_content(seen, message)
    return Presence(list(sightings.values()), departures)


def _with_content(seen: Sighting, message: Mapping[str, object]) -> Sighting:
    if message.get("t") == "connected":
        return replace(seen, hello=_hello(message, seen.at))
    figures = known_metrics(message.get("metrics"))
    return replace(seen, metrics=json.dumps(figures)) if figures else seen


def _hello(message: Mapping[str, object], at: datetime) -> Hello:
    said = message.get("hello")
    told = said if isinstance(said, Mapping) else {}
    inventory = json.dumps({name: told[name] for name in _INVENTORY if name in told}, default=str)
    if len(inventory.encode()) > MAX_INVENTORY_BYTES:
        inventory = "{}"
    return Hello(
        connected_at=at,
        boot_id=_text(message.get("boot_id")),
        version=_text(told.get("agent_version")),
        inventory=inventory,
        is_again=message.get("again") is True,
    )


def _patience(seconds: object) -> timedelta:
    """Three heartbeats, or nothing where it is not told or makes no sense."""
    if isinstance(seconds, int | float) and 0 < seconds <= SLOWEST_HEARTBEAT:
        return MISSED_HEARTBEATS * timedelta(seconds=seconds)
    return timedelta(0)


def _text(value: object) -> str | None:
    """A short text without NUL, or nothing; these come from other machines."""
    if isinstance(value, str) and 0 < len(value) <= 128 and "\0" not in value:
        return value
    return None


def _moment(value: object, now: datetime) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return min(at.astimezone(UTC), now)


def is_fresh(at: datetime, now: datetime, within: timedelta) -> bool:
    """Whether a sign of life still means that the agent is there."""
    return now - at <= within
