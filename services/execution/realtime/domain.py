"""Where a watcher stands, and how an event is written (WHATWG HTML, server-sent events)."""

import re
from dataclasses import dataclass
from typing import Literal

import msgspec

Kinds = Literal["logs", "status", "combined"]

_ID = re.compile(r"(?:(\d{1,18})-)?(\d{1,18})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a watcher has come: the version of the states and the position in the log."""

    version: int = 0
    position: int = 0

    def named(self, kind: str) -> str:
        """The id of an event that leaves its reader at this place."""
        if kind == "combined":
            return f"{self.version}-{self.position}"
        return str(self.version if kind == "status" else self.position)


def place_of(kind: str, event_id: str | None) -> Place | None:
    """The place that an event id stands for; None when it is none of this kind of stream."""
    if not event_id:
        return Place()
    match = _ID.match(event_id)
    if match is None or (match[1] is not None) != (kind == "combined"):
        return None
    if kind == "combined":
        return Place(int(match[1]), int(match[2]))
    number = int(match[2])
    return Place(version=number) if kind == "status" else Place(position=number)


def event(name: str, event_id: str, data: object) -> bytes:
    """One event; JSON has no line breaks, so no text can end it or begin another (B112)."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        event_id.encode(),
        name.encode(),
        msgspec.json.encode(data),
    )
