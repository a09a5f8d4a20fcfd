"""Why the gateway ends a connection: the close codes that agents and operators see."""

from dataclasses import dataclass
from typing import Final

REASON_BYTES: Final = 120
"""A close frame holds at most 123 bytes of reason."""


@dataclass(frozen=True)
class Closing:
    """A WebSocket close code, a stable word that is also the label of the counter, and details."""

    code: int
    word: str
    detail: str = ""

    def because(self, detail: str) -> "Closing":
        """The same end with a more exact reason."""
        return Closing(self.code, self.word, detail)

    @property
    def reason(self) -> str:
        """What the other side gets to read, cut to what a close frame can carry."""
        text = f"{self.word}: {self.detail}" if self.detail else self.word
        return text.encode("utf-8", "replace")[:REASON_BYTES].decode("utf-8", "ignore")


BYE: Final = Closing(1000, "bye")
"""The agent said bye."""
TOO_LARGE: Final = Closing(1009, "too_large")
"""A message above 1 MiB, or one in too many fragments."""
INVALID_TEXT: Final = Closing(1007, "invalid_text")
"""A text frame that is not UTF-8."""
RESTARTING: Final = Closing(1012, "restarting")
"""The gateway stops; the reason carries `retry_after=<seconds>`."""
TRY_LATER: Final = Closing(1013, "try_later")
"""Somebody the gateway needs does not answer; the reason carries `retry_after=<seconds>`."""
REFUSED_MESSAGE: Final = Closing(4400, "refused_message")
"""Malformed, unknown, out of place, or binary where text belongs: one is enough."""
UNAUTHENTICATED: Final = Closing(4401, "unauthenticated")
"""No such identity, a wrong epoch or signature; all look the same from outside."""
HANDSHAKE_TIMEOUT: Final = Closing(4401, "handshake_timeout")
"""No valid hello within the time for handshakes."""
NOT_ACTIVE: Final = Closing(4403, "not_active")
"""The key is right, but the identity is disabled, quarantined or retired."""
SILENT: Final = Closing(4408, "silent")
"""Three heartbeats missed: the other side is gone, or as good as gone."""
SUPERSEDED: Final = Closing(4409, "superseded")
"""The same agent opened a newer session."""
CLONED: Final = Closing(4409, "cloned")
"""A living session has the same identity on another boot: two machines share one key."""
TOO_SLOW: Final = Closing(4413, "too_slow")
"""The agent does not read what is sent to it."""
OTHER_VERSION: Final = Closing(4426, "unsupported_protocol_version")
"""This gateway does not speak that version of the protocol."""
TOO_MANY: Final = Closing(4429, "too_many_messages")
"""More messages, heartbeats or control frames than an honest agent ever sends."""
