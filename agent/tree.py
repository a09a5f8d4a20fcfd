"""Ends the process tree of a task: finds everything that belongs to it, signals, counts."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from typing import Callable

from agent.cgroups import Cgroup, groups_of
from agent.processes import children, descendants, marked, send_signal
from agent.secret_files import clear_secrets

_PAUSE = 0.02
_MOST_LOOKS = 20
_CHASE_SECONDS, _QUIET_LOOKS = 0.5, 3


@dataclass
class ProcessTree:
    """What belongs to one task: its cgroup, the shim's descendants, carriers of its mark.

    `found` are the processes seen when the tree had to be ended or the main process was gone;
    `reap` collects ended children of this process.
    """

    mark: str
    cgroup: Cgroup | None
    root: int | None = None
    found: set[int] = field(default_factory=set)
    signalled: set[int] = field(default_factory=set)
    left: int = 0
    reap: Callable[[], None] = lambda: None

    def members(self) -> set[int]:
        """Everything alive now."""
        members = marked(self.mark)
        if self.cgroup is not None:
            members |= self.cgroup.pids()
        if self.root is not None:
            members |= descendants(self.root)
        members -= {os.getpid()}
        self.found |= members
        return members

    def terminate(self) -> None:
        """Ask everything to end; nothing can fork away between the look and the signal."""
        if self.cgroup is not None:
            self.cgroup.freeze(frozen=True)
        self._signal(self.members(), signal.SIGTERM)
        if self.cgroup is not None:
            self.cgroup.freeze(frozen=False)
        self._signal(self.members() - self.signalled, signal.SIGTERM)
        self._signal(self.signalled, signal.SIGCONT)

    def kill(self, *, is_first: bool = False) -> bool:
        """Kill everything that is alive now; call again until `members` is empty twice.

        False if something was still forking away at the end.

        What survived the first time forks faster than we look: stop it all before the next.
        """
        if self.cgroup is not None and not self.cgroup.is_v2:
            self.cgroup.freeze(frozen=True)
        members = self.members()
        if not is_first:
            members = self._stop(members)
        if self.cgroup is not None:
            self.cgroup.kill()
        self._signal(members, signal.SIGKILL)
        if self.cgroup is not None:
            self.cgroup.freeze(frozen=False)
        elif self.root == os.getpid():
            return self._chase(self.root)
        return True

    def _chase(self, root: int) -> bool:
        """Race with processes that fork and end faster than all of /proc can be read.

        The parent of each is gone, so each is our child for a moment; a signal that arrives
        before it forks ends the chain.
        """
        deadline = time.monotonic() + _CHASE_SECONDS
        quiet = 0
        while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
            self.reap()
            pids = children(root)
            quiet = 0 if pids else quiet + 1
            self._signal(set(pids), signal.SIGKILL)
            self.found.update(pids)
        return quiet >= _QUIET_LOOKS

    def _stop(self, members: set[int]) -> set[int]:
        """STOP again and again until nobody new appears; everybody seen."""
        seen: set[int] = set()
        for _ in range(_MOST_LOOKS):
            send_signal(members - seen, signal.SIGSTOP)
            seen |= members
            members = self.members()
            if members <= seen:
                break
        return seen | members

    def _signal(self, pids: set[int], number: int) -> None:
        send_signal(pids, number)
        self.signalled |= pids

    def end(self, seconds: float) -> int:
        """Kill until two looks find nothing; the number of processes left when time is up."""
        deadline = time.monotonic() + seconds
        empty, is_first = 0, True
        while empty < 2:
            is_quiet = self.kill(is_first=is_first)
            is_first = False
            left = self.members()
            empty = empty + 1 if is_quiet and not left else 0
            if time.monotonic() >= deadline:
                return len(left) or int(not is_quiet)
            if left:
                time.sleep(_PAUSE)
        return 0


def sweep(mark: str, seconds: float) -> ProcessTree:
    """End what a dead shim left behind; blocks for at most `seconds`."""
    groups = groups_of(mark)
    tree = ProcessTree(mark, groups[0] if groups else None)
    tree.left = tree.end(seconds)
    for group in groups:
        group.remove()
    clear_secrets(mark)
    return tree
