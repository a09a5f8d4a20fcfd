"""How much one agent may say: counters over windows of ten seconds, a few bytes per agent."""

from collections.abc import Callable

WINDOW_SECONDS = 10.0


class Pace:
    """Counts messages, heartbeats and control frames of one peer.

    An honest agent stays far below the limits, so crossing one ends the session.
    """

    __slots__ = ("_control", "_heartbeats", "_messages", "_now", "_since")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since = now()
        self._messages = 0
        self._heartbeats = 0
        self._control = 0

    def message(self, limit: int) -> bool:
        """Whether one more message is within `limit` per window."""
        self._turn()
        self._messages += 1
        return self._messages <= limit

    def heartbeat(self, limit: int) -> bool:
        """Whether one more heartbeat is within `limit` per window."""
        self._heartbeats += 1
        return self._heartbeats <= limit

    def control(self, limit: int) -> bool:
        """Whether one more ping or pong is within `limit` per window."""
        self._turn()
        self._control += 1
        return self._control <= limit

    def _turn(self) -> None:
        now = self._now()
        if now - self._since >= WINDOW_SECONDS:
            self._since = now
            self._messages = self._heartbeats = self._control = 0
