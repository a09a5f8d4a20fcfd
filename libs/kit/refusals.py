"""What was refused, on its way to the audit log: bounded in memory, and equal ones counted.

Noting costs a dictionary look-up and never waits. The first refusal of a kind is due at once;
equal ones within the next minute become one with a count. Somebody who tries many things, and
many who try, fill a bounded number of places; the rest is counted together.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Final

from libs.kit import clock
from libs.kit.acting import Actor, current_actor
from libs.kit.logging import current_request_id

WINDOW_SECONDS: Final = 60.0
PLACES: Final = 500
PLACES_OF_ONE: Final = 20
OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Somebody was refused something.

    ``action`` is dotted, as in the audit log; ``code`` is the error's; ``place`` is method and
    path of the request, or why in words. ``kind``, ``id`` and ``name`` say of which object, where
    that is known.
    """

    action: str
    code: str
    place: str = ""
    kind: str = ""
    id: str = ""
    name: str = ""
    actor: Actor = field(default_factory=current_actor, hash=False, compare=False)
    request_id: str = field(default_factory=current_request_id, hash=False, compare=False)


@dataclass(slots=True)
class _Place:
    first: Refusal
    since: float
    waiting: int = 1
    told: bool = False


class Refusals:
    """The refusals of one process that nobody has recorded yet."""

    def __init__(self) -> None:
        self._places: dict[Hashable, _Place] = {}
        self._of_one: Counter[Hashable] = Counter()

    def note(self, refusal: Refusal) -> None:
        """Remembers that something was refused."""
        actor = refusal.actor
        source = (actor.id, actor.kind, actor.address)
        about = (refusal.action, refusal.code, refusal.kind, refusal.id, refusal.name)
        if self._counted((source, *about)):
            return
        if self._of_one[source] < PLACES_OF_ONE and len(self._places) < PLACES:
            self._add((source, *about), refusal, source)
            return
        several = replace(refusal, id="", name=OTHERS)
        if self._counted((source, refusal.action)):
            return
        if len(self._places) < PLACES:
            self._add((source, refusal.action), several, None)
        elif not self._counted(OTHERS):
            nobody = Actor(0, OTHERS, "anonymous", service=actor.service)
            self._add(OTHERS, replace(several, kind="", place="", actor=nobody), None)

    def due(self) -> list[tuple[Refusal, int]]:
        """What is to be recorded now, each with how often it happened; it is forgotten here."""
        at = clock.monotonic()
        found: list[tuple[Refusal, int]] = []
        for key, place in list(self._places.items()):
            over = at - place.since >= WINDOW_SECONDS
            if place.waiting and (over or not place.told):
                found.append((place.first, place.waiting))
                place.told, place.waiting, place.since = True, 0, at
            elif over:
                self._drop(key)
        return found

    def everything(self) -> list[tuple[Refusal, int]]:
        """All that waits, whatever its time; for the end of the process."""
        found = [(place.first, place.waiting) for place in self._places.values() if place.waiting]
        self._places.clear()
        self._of_one.clear()
        return found

    def _counted(self, key: Hashable) -> bool:
        place = self._places.get(key)
        if place is None:
            return False
        place.waiting += 1
        return True

    def _add(self, key: Hashable, refusal: Refusal, source: Hashable) -> None:
        actor = replace(refusal.actor)  # it goes on changing while the request lives
        self._places[key] = _Place(replace(refusal, actor=actor), clock.monotonic())
        if source is not None:
            self._of_one[source] += 1

    def _drop(self, key: Hashable) -> None:
        del self._places[key]
        source = key[0] if isinstance(key, tuple) and len(key) > 2 else None
        if source is not None:
            self._of_one[source] -= 1
            if not self._of_one[source]:
                del self._of_one[source]
