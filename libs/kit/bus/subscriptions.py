"""Which facts a service listens to, and what it does then."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from libs.kit.events import Event

FactT = TypeVar("FactT", bound=Event)
UseCasesT = TypeVar("UseCasesT")


@dataclass(frozen=True, slots=True)
class Subscription:
    """One consumer: it gets every fact of one type, at least once."""

    name: str
    fact: type[Event]
    use_cases: type
    call: Callable[[Any, Any], Awaitable[None]]
    repeatable: bool


class Subscriptions:
    """The consumers of a service; ``on = Subscriptions()`` and then ``@on(Fact, UseCases)``."""

    def __init__(self) -> None:
        self._all: dict[str, Subscription] = {}

    def __call__(
        self, fact: type[FactT], use_cases: type[UseCasesT], *, repeatable: bool = False
    ) -> Callable[
        [Callable[[FactT, UseCasesT], Awaitable[None]]],
        Callable[[FactT, UseCasesT], Awaitable[None]],
    ]:
        """Declare a consumer.

        Its one write carries the fact's id into the inbox, so a second delivery has no effect. A
        consumer that writes several times must be harmless when repeated and say ``repeatable``;
        nothing is remembered for it.
        """

        def declare(
            call: Callable[[FactT, UseCasesT], Awaitable[None]],
        ) -> Callable[[FactT, UseCasesT], Awaitable[None]]:
            name = getattr(call, "__name__", "")
            if not name or name in self._all:
                message = f"a consumer needs a name of its own, and {name!r} is taken"
                raise ValueError(message)
            self._all[name] = Subscription(name, fact, use_cases, call, repeatable)
            return call

        return declare

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._all.values())

    def __len__(self) -> int:
        return len(self._all)
