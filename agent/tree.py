"""Ends the process tree of a task: finds everything that belongs to it, signals, counts."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field

from agent.cgroups import Cgroup, find_root
from agent.processes import descendants, marked, send_signal

_PAUSE = 0.02


@dataclass
class ProcessTree:
    """What belongs to one task: its cgroup, the shim's descendants, carriers of its mark.

    `found` are the processes seen when the tree had to be ended or the main process was gone.
    """

    mark: str
    cgroup: Cgroup | None
    root: int | None = None
    found: set[int] = field(default_factory=set)
    signalled: set[int] = field(default_factory=set)
    left: int = 0

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

    def kill(self) -> None:
        """Kill everything that is alive now; call again until `members` is empty twice."""
        members = self.members()
        if self.cgroup is not None:
            self.cgroup.kill()
        self._signal(members, signal.SIGKILL)

    def _signal(self, pids: set[int], number: int) -> None:
        send_signal(pids, number)
        self.signalled |= pids

    def end(self, seconds: float) -> int:
        """Kill until two looks find nothing; the number of processes left when time is up."""
        deadline = time.monotonic() + seconds
        empty = 0
        while empty < 2:
            self.kill()
            left = self.members()
            empty = 0 if left else empty + 1
            if time.monotonic() >= deadline:
                return len(left)
            if left:
                time.sleep(_PAUSE)
        return 0


def sweep(mark: str, seconds: float) -> ProcessTree:
    """End what a dead shim left behind; blocks for at most `seconds`."""
    root = find_root()
    group = Cgroup(root, mark) if root is not None else None
    tree = ProcessTree(mark, group)
    tree.left = tree.end(seconds)
    if group is not None:
        group.remove()
    return tree
