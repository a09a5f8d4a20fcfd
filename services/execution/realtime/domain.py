"""Where a watcher stands, when it looks again, and how an event is written (WHATWG HTML)."""

import re
from dataclasses import dataclass
from typing import Literal

import msgspec

Kinds = Literal["logs", "status", "combined"]

GATHER_SECONDS = (0.003, 0.1)
LOOK_SHARE = 8
CHEAP_SECONDS = 0.001
"""Between two looks at a watched execution: so many times what the last one and the telling of what
it found took, within these; one that is cheap, in this unit, is followed by another sooner."""
SECONDS_PER_TASK = 0.00005
"""Where very many tasks move, watchers may wait so much longer; else each is told many times."""

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


def pause_after(seconds: float, tasks: int) -> float:
    """Seconds between two looks at an execution with so many tasks, when one took so long."""
    least, most = GATHER_SECONDS
    share = min(LOOK_SHARE, seconds / CHEAP_SECONDS)
    return min(max(most, tasks * SECONDS_PER_TASK), max(least, share * seconds))
