"""What an agent signed about its output, and how long the rest of it is waited for; pure."""

from collections.abc import Mapping

DEAF_SECONDS = 30.0
"""A longer pause between two looks means that nothing could have arrived."""


def signed(totals: Mapping[str, object] | None, stream: str) -> tuple[int, str]:
    """Bytes and SHA-256 that a result states of a stream; nothing where it states none."""
    found = (totals or {}).get(stream)
    if not isinstance(found, dict):
        return 0, ""
    return int(found["bytes"]), str(found["sha256"])


class Patience:
    """How long output may take after its result before its absence is called a gap (R18).

    It is counted by the monotonic clock (R44), anew from everything that arrives, and only while
    something could have arrived: not before this process wrote, nor while it or the machine stood
    still (R39).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: dict[str, tuple[int, float]] = {}
        self._looked_at = 0.0

    def begin_again(self) -> None:
        """Until now nothing could arrive, whoever sent it."""
        self._waits.clear()

    def over(self, sizes: Mapping[str, int], *, at: float) -> set[str]:
        """One look at monotonic `at`: the tasks whose time is over.

        `sizes` has every task that is waited for, and how many bytes of it are durable.
        """
        before = {} if at - self._looked_at > DEAF_SECONDS else self._waits
        self._looked_at = at
        self._waits = {
            task_id: before[task_id] if before.get(task_id, (-1, 0))[0] == size else (size, at)
            for task_id, size in sizes.items()
        }
        return {
            task_id for task_id, (_, since) in self._waits.items() if at - since >= self._seconds
        }
