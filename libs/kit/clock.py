"""What time it is, in one place, so that tests can hold it still."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A source of time; the process has one, and tests may put a standing one in its place."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        return time.monotonic()


class StandingClock(Clock):
    """A clock that moves only when told to."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._passed = 0.0

    def now(self) -> datetime:
        return self._at

    def monotonic(self) -> float:
        return self._passed

    def advance(self, by: timedelta) -> None:
        """Let time pass, on both scales."""
        self._at += by
        self._passed += by.total_seconds()


_clock = Clock()


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _clock.now()


def monotonic() -> float:
    """Seconds for measuring durations; unrelated to the time of day."""
    return _clock.monotonic()


def use(clock: Clock) -> Clock:
    """Put another clock in place and return the one before; for tests."""
    global _clock
    before, _clock = _clock, clock
    return before
