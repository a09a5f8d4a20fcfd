"""What an example request of a route is made of; the tables are in the modules beside this."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.matrix.policies import Rule


@dataclass(frozen=True)
class Entry:
    """An example request and what it answers to those who are let in.

    `things` names the object for each parameter of the path. In `body` a text that begins with @
    stands for the id of an object, one that begins with # for a fresh name. `uses_up`: an allowed
    request changes or ends its object, so each gets a new one. `once`: an allowed request ends the
    caller's own login or the like, so a throw-away member makes it, and nobody else.
    """

    rule: Rule = field(default_factory=Rule)
    things: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: object = None
    answers: tuple[int, ...] = (200,)
    uses_up: bool = False
    once: bool = False
