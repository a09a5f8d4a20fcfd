"""The shape of a fact: something that happened and that other services may want to know."""

from datetime import datetime
from typing import ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict

from libs.kit import clock
from libs.kit.ids import new_id

_UNTIL_READ: Final[set[str]] = set()


def topics_until_read() -> frozenset[str]:
    """The topics of which no fact may be lost unread, as the facts that this process knows say."""
    return frozenset(_UNTIL_READ)


class Event(BaseModel):
    """A fact in the past tense. Carries ids and what a listener needs, never a secret.

    Fields are only ever added, with defaults. ``event_id``, ``occurred_at`` and ``trace_id`` are
    set when the fact is emitted.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]
    type: ClassVar[str]
    until_read: ClassVar[bool] = False
    """Whether facts of the topic wait in the outbox rather than push out what nobody read yet."""

    event_id: str = ""
    occurred_at: datetime | None = None
    trace_id: str = ""

    def __init_subclass__(cls, **more: object) -> None:
        super().__init_subclass__(**more)  # type: ignore[arg-type]  # pydantic's own settings
        if cls.until_read:
            _UNTIL_READ.add(cls.topic)

    def stamped(self, trace_id: str) -> Self:
        """The same fact with an identity; one that already has it stays as it is."""
        if self.event_id:
            return self
        return self.model_copy(
            update={"event_id": new_id(), "occurred_at": clock.now(), "trace_id": trace_id}
        )
