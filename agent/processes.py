"""Finds the processes of a task through /proc: by descent, by environment mark, by cgroup."""

from __future__ import annotations

import os
import signal

MARK_VARIABLE = "OPSJOB_TASK_MARK"


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks after boot; with the pid it names one process."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _stat(pid: int) -> list[bytes] | None:
    """The fields of /proc/<pid>/stat after the command name; None if the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            content = file.read()
    except OSError:
        return None
    return content[content.rindex(b")") + 2 :].split()


def all_pids() -> list[int]:
    """Every process visible here."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(root: int) -> set[int]:
    """Living processes below `root`; zombies are left out."""
    children: dict[int, list[int]] = {}
    zombies: set[int] = set()
    for pid in all_pids():
        fields = _stat(pid)
        if fields is None:
            continue
        children.setdefault(int(fields[1]), []).append(pid)
        if fields[0] in (b"Z", b"X"):
            zombies.add(pid)
    found: set[int] = set()
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return found - zombies


def children(pid: int) -> list[int]:
    """The children of a process, zombies included; quick enough to race with those that fork."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb", buffering=0) as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def marked(mark: str) -> set[int]:
    """Living processes whose environment carries this mark; our own is never among them."""
    needle = f"{MARK_VARIABLE}={mark}\0".encode()
    found = set()
    for pid in all_pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                content = file.read()
        except OSError:
            continue
        if content.startswith(needle) or b"\0" + needle in content:
            found.add(pid)
    return found - {os.getpid()}


def send_signal(pids: set[int], number: int) -> int:
    """Signal processes; how many were still there and could be signalled."""
    reached = 0
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue
        reached += 1
    return reached


def code_and_signal(status: int | None, *, is_started: bool) -> tuple[int | None, int | None]:
    """Exit code or signal; a process that could not even be killed counts as killed."""
    if not is_started:
        return None, None
    if status is None:
        return None, int(signal.SIGKILL)
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None
