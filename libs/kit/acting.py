"""Who acts at this moment, and from where: set once per request, read wherever it is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Final, Literal

ActorKind = Literal["user", "service", "system", "agent", "anonymous"]

MAX_ADDRESS: Final = 64
MAX_USER_AGENT: Final = 200


@dataclass(slots=True)
class Actor:
    """Somebody who causes something.

    ``id`` is a user's id, or 0 for everybody else; ``name`` is the user's or the service's name.
    ``address`` and ``user_agent`` say where the request came from; both are empty for work that
    no request asked for. ``service`` is the service that serves the request.
    """

    id: int = 0
    name: str = "system"
    kind: ActorKind = "system"
    address: str = ""
    user_agent: str = ""
    service: str = ""


_SYSTEM: Final = Actor()
_acting: ContextVar[Actor] = ContextVar("opsjob_acting", default=_SYSTEM)


def current_actor() -> Actor:
    """Who acts now; ``system`` when nothing else was said."""
    return _acting.get()


def arrived(service: str, address: str, user_agent: str) -> Token[Actor]:
    """A request is here and nobody has been recognised yet; undone by `left`."""
    actor = Actor(0, "", "anonymous", address[:MAX_ADDRESS], user_agent[:MAX_USER_AGENT], service)
    return _acting.set(actor)


def left(token: Token[Actor]) -> None:
    """The request is answered."""
    _acting.reset(token)


def recognised(actor_id: int, name: str, kind: ActorKind) -> None:
    """The request turned out to be somebody's; without a request this changes nothing."""
    actor = _acting.get()
    if actor is not _SYSTEM:
        actor.id, actor.name, actor.kind = actor_id, name, kind


@contextmanager
def acting_as(
    actor_id: int, name: str, kind: ActorKind = "user", *, address: str = "", user_agent: str = ""
) -> Iterator[None]:
    """Within this block, work is done for somebody: a schedule's owner, an agent, a service."""
    actor = Actor(actor_id, name, kind, address[:MAX_ADDRESS], user_agent[:MAX_USER_AGENT])
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)
