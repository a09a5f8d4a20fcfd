"""Rates that all hosts of one step share: so many bytes per second through this gateway."""

import threading
from typing import Final

from libs.kit.clock import monotonic

_BURST_SECONDS: Final = 0.1
_FORGET_SECONDS: Final = 60.0


class Lane:
    """A token bucket for threads; `take` says how long to wait when it is empty."""

    def __init__(self, bytes_per_second: int) -> None:
        self.bytes_per_second = bytes_per_second
        self.used_at = monotonic()
        self._tokens = 0.0
        self._guard = threading.Lock()

    def take(self, count: int) -> float:
        """0 if so many bytes may go now, else seconds after which to ask again."""
        with self._guard:
            now = monotonic()
            most = max(float(count), self.bytes_per_second * _BURST_SECONDS)
            earned = (now - self.used_at) * self.bytes_per_second
            self._tokens = min(most, self._tokens + earned)
            self.used_at = now
            if self._tokens >= count:
                self._tokens -= count
                return 0.0
            return max(0.001, (count - self._tokens) / self.bytes_per_second)

    def give_back(self, count: int) -> None:
        """These were taken and not sent."""
        with self._guard:
            self._tokens += count


class Lanes:
    """The lanes in use; one per step and rate."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, int], Lane] = {}

    def of(self, step_id: str, bytes_per_second: int) -> Lane | None:
        """The lane of a step, None where nothing is limited."""
        if not bytes_per_second:
            return None
        key = (step_id, bytes_per_second)
        lane = self._lanes.get(key)
        if lane is None:
            self._forget()
            lane = self._lanes[key] = Lane(bytes_per_second)
        return lane

    def _forget(self) -> None:
        now = monotonic()
        for key, lane in list(self._lanes.items()):
            if now - lane.used_at > _FORGET_SECONDS:
                del self._lanes[key]
