"""Who may come in, and how fast: rates, and a bounded lobby for those who proved nothing yet."""

import random
from collections.abc import Callable
from typing import Protocol


class Bucket:
    """A token bucket: `rate` per second on average, `burst` at once."""

    __slots__ = ("_burst", "_now", "_rate", "_seen", "_tokens")

    def __init__(self, rate: float, burst: float, now: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._tokens = burst
        self._seen = now()

    def take(self) -> bool:
        """Whether one more fits now; takes the token if so."""
        self._refill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    @property
    def is_full(self) -> bool:
        """Nobody used it for so long that forgetting it changes nothing."""
        self._refill()
        return self._tokens >= self._burst

    def _refill(self) -> None:
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._rate)
        self._seen = now


class Admission:
    """Lets handshakes in at a bounded rate and spreads the refused over the time they will need.

    Ten thousand agents that lost a gateway at once come back at `rate` a second: whoever is
    refused is told a random moment within the time that the crowd so far needs.
    """

    def __init__(self, rate: float, burst: int, now: Callable[[], float]) -> None:
        self._bucket = Bucket(rate, burst, now)
        self._rate = rate
        self._now = now
        self._crowd = 0.0
        self._seen = now()

    def admit(self) -> float | None:
        """None when the handshake may go on, else seconds after which to try again."""
        if self._bucket.take():
            return None
        now = self._now()
        self._crowd = max(0.0, self._crowd - (now - self._seen) * self._rate) + 1
        self._seen = now
        return self.hint()

    def hint(self, least: float = 1.0) -> float:
        """A random wait, at least `least` seconds and wider the more are waiting already."""
        width = max(2.0, 2 * self._crowd / self._rate)
        return least + random.random() * width  # noqa: S311 - spreads load, guards nothing


class PeerRates:
    """One bucket per peer address; addresses that went quiet are forgotten."""

    LIMIT = 10_000

    def __init__(self, rate: float, burst: int, now: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._buckets: dict[str, Bucket] = {}

    def take(self, peer: str) -> bool:
        """Whether this peer may go on now."""
        bucket = self._buckets.get(peer)
        if bucket is None:
            if len(self._buckets) >= self.LIMIT:
                self._buckets = {k: v for k, v in self._buckets.items() if not v.is_full}
            if len(self._buckets) >= self.LIMIT:
                return False
            bucket = self._buckets[peer] = Bucket(self._rate, self._burst, self._now)
        return bucket.take()


class Guest(Protocol):
    """A connection that has not proved anything yet."""

    def expire(self) -> None:
        """Ends it: time is up, or others need the place."""


class Lobby:
    """Everybody unproven, each with a deadline; when it is full the oldest has to leave.

    Honest handshakes take milliseconds, so under a flood of idle sockets the oldest is not one.
    """

    def __init__(self, seconds: float, limit: int, now: Callable[[], float]) -> None:
        self._seconds = seconds
        self._limit = limit
        self._now = now
        self._deadlines: dict[Guest, float] = {}

    def __len__(self) -> int:
        return len(self._deadlines)

    def enter(self, guest: Guest) -> None:
        """Starts the clock of a new connection."""
        if len(self._deadlines) >= self._limit:
            oldest = next(iter(self._deadlines))
            del self._deadlines[oldest]
            oldest.expire()
        self._deadlines[guest] = self._now() + self._seconds

    def hand_over(self, guest: Guest, successor: Guest) -> None:
        """Lets another object speak for the same connection; the clock goes on."""
        deadline = self._deadlines.pop(guest, None)
        if deadline is not None:
            self._deadlines[successor] = deadline

    def leave(self, guest: Guest) -> None:
        """Proved, answered or gone."""
        self._deadlines.pop(guest, None)

    def sweep(self) -> None:
        """Ends everybody whose time is up."""
        now = self._now()
        for guest in [guest for guest, deadline in self._deadlines.items() if deadline <= now]:
            self._deadlines.pop(guest, None)
            guest.expire()
