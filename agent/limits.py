"""Holds a task to its limits: by its cgroup where there is one, else by rlimits and by looking."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterable

from agent.cgroups import Cgroup, CgroupRoot
from agent.processes import all_pids, descendants
from agent.work import Launch

LOOK_SECONDS = 0.2
"""Between two looks at a tree that no cgroup limits."""
_LEAVE_SECONDS = 5.0
"""So long the kernel may take until it lets the group of a dead task go."""
_PAGE = resource.getpagesize()


def limit_process(order: Launch, held: Iterable[str]) -> None:
    """In the child, before it changes its user: rlimits for what its cgroup does not hold.

    The kernel then counts the processes of all of the user, so those that he has already are
    added; root it does not limit at all. `Guard` looks, too.
    """
    if order.open_files is not None:
        _limit(resource.RLIMIT_NOFILE, order.open_files)
    if order.memory_bytes is not None and "memory" not in held:
        _limit(resource.RLIMIT_DATA, order.memory_bytes)
    if order.max_processes is not None and "pids" not in held and order.uid != 0:
        _limit(resource.RLIMIT_NPROC, order.max_processes + _threads_of(order.uid))


def _limit(what: int, value: int) -> None:
    _, most = resource.getrlimit(what)
    if most != resource.RLIM_INFINITY and os.geteuid() != 0:
        value = min(value, most)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (value, value))


class Guard:
    """Watches one task; `cgroup` is None where the host has none or the task needs none."""

    def __init__(self, order: Launch, root: CgroupRoot | None, *, is_plain: bool) -> None:
        self._order = order
        self.cgroup = None if root is None or is_plain else _make_group(order, root)
        held = self.cgroup.limits if self.cgroup is not None else set()
        self._memory = None if "memory" in held else order.memory_bytes
        self._processes = None if "pids" in held else order.max_processes
        self._is_cpu_loose = order.cpu_percent is not None and "cpu" not in held
        self.look_at: float | None = None

    def begin(self, now: float) -> None:
        """The script runs."""
        if self._memory is not None or self._processes is not None:
            self.look_at = now + LOOK_SECONDS

    def look(self, now: float) -> str:
        """Why the task must end now; empty if it may go on."""
        self.look_at = now + LOOK_SECONDS
        pids = descendants(os.getpid())
        if self._processes is not None and len(pids) > self._processes:
            return "process_limit"
        if self._memory is not None and _resident(pids) > self._memory:
            return "oom" if _shared_once(pids) > self._memory else ""
        return ""

    def reason(self, exit_code: int | None) -> str:
        """Why the task failed, if the kernel ended something of it for want of memory."""
        if self.cgroup is None or not self.cgroup.oom_kills():
            return ""
        return "" if exit_code in (self._order.success_codes or [0]) else "oom"

    def notices(self) -> list[tuple[str, str]]:
        """What people should know although the task may have succeeded."""
        found = [("limit_not_enforced", "cpu_percent")] if self._is_cpu_loose else []
        if self.cgroup is not None and self.cgroup.oom_kills():
            found.append(("oom_kill", ""))
        return found

    def close(self) -> None:
        """The task is over, and nobody waits any more."""
        if self.cgroup is not None:
            self.cgroup.remove(_LEAVE_SECONDS)


def _make_group(order: Launch, root: CgroupRoot) -> Cgroup | None:
    group = Cgroup(root, order.mark)
    made = group.create(
        order.max_processes, memory_bytes=order.memory_bytes, cpu_percent=order.cpu_percent
    )
    return group if made else None


def _resident(pids: Iterable[int]) -> int:
    """Bytes of private memory; pages that forks still share count once for each."""
    total = 0
    for pid in pids:
        for line in _lines(f"/proc/{pid}/statm"):
            fields = line.split()
            total += (int(fields[1]) - int(fields[2])) * _PAGE
    return total


def _shared_once(pids: Iterable[int]) -> int:
    """The same with shared pages divided among those who share them; slower."""
    total = 0
    for pid in pids:
        for line in _lines(f"/proc/{pid}/smaps_rollup"):
            if line.startswith(b"Pss_Anon:"):
                total += int(line.split()[1]) * 1024
    return total


def _threads_of(uid: int) -> int:
    """What a user has running now, as the kernel counts it: threads, zombies included."""
    total = 0
    for pid in all_pids():
        fields = dict(line.split(b":", 1) for line in _lines(f"/proc/{pid}/status"))
        if fields and int(fields[b"Uid"].split()[0]) == uid:
            total += int(fields.get(b"Threads", b"1"))
    return total


def _lines(path: str) -> list[bytes]:
    """The lines of a file of a process, none if it ended meanwhile."""
    try:
        with open(path, "rb") as file:
            return file.readlines()
    except OSError:
        return []
