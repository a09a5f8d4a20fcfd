"""What an agent signed about its output, and how long the rest of it is waited for; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

DEAF_SECONDS = 30.0
"""A longer pause between two looks means that nothing could have arrived."""
LONGEST = 5
"""So many times its patience a task is waited for while other output of its agent arrives."""


def signed(totals: Mapping[str, object] | None, stream: str) -> tuple[int, str]:
    """Bytes and SHA-256 that a result states of a stream; nothing where it states none."""
    found = (totals or {}).get(stream)
    if not isinstance(found, dict):
        return 0, ""
    return int(found["bytes"]), str(found["sha256"])


@dataclass(frozen=True, slots=True)
class Missing:
    """Output that is waited for: whose it is, and how many bytes of it are durable."""

    agent_id: str
    size: int


@dataclass(frozen=True, slots=True)
class _Wait:
    size: int
    since: float
    first: float


class Patience:
    """How long output may take after its result before its absence is called a gap (R18).

    It is counted by the monotonic clock (R44), anew from everything that arrives of its task, and
    from everything of its agent, behind which it may stand, until `LONGEST` times as much is over.
    It counts only while something could have arrived: not before this process wrote, nor while it
    or the machine stood still (R39).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waits: dict[str, _Wait] = {}
        self._heard: dict[str, float] = {}
        self._looked_at = 0.0

    def begin_again(self) -> None:
        """Until now nothing could arrive, whoever sent it."""
        self._waits.clear()

    def heard(self, agent_ids: Iterable[str], *, at: float) -> None:
        """Output of these agents was stored at monotonic `at`."""
        self._heard.update(dict.fromkeys(agent_ids, at))

    def over(self, missing: Mapping[str, Missing], *, at: float) -> set[str]:
        """One look at monotonic `at`: the tasks whose time is over.

        `missing` has every task that is waited for.
        """
        before = {} if at - self._looked_at > DEAF_SECONDS else self._waits
        self._looked_at = at
        self._waits = {
            task_id: self._goes_on(before.get(task_id), one, at) for task_id, one in missing.items()
        }
        return {task_id for task_id, wait in self._waits.items() if self._is_over(wait, at)}

    def _goes_on(self, before: _Wait | None, one: Missing, at: float) -> _Wait:
        if before is None or before.size != one.size:
            return _Wait(one.size, at, at)
        return replace(before, since=max(before.since, self._heard.get(one.agent_id, 0.0)))

    def _is_over(self, wait: _Wait, at: float) -> bool:
        return at - wait.since >= self._seconds or at - wait.first >= LONGEST * self._seconds
