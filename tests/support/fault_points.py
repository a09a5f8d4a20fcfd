"""What happens at the named fault points of a process that was started with OPSJOB_FAULTS.

The variable names a folder. A file in it that bears a point's name arms that point; its content
says what to do: `exit`, `stop`, `raise`, `delay 0.5`, `drop` or `duplicate`, and after that
`skip=3` to let that many passings of a process go by. Whoever passes first takes the file away
(`<point>.fired`), so that a point strikes once, also across restarts and processes. A file
`<point>.always` strikes each time and stays.

Loaded by path into processes of the platform and of agents: standard library only, Python 3.9.
"""

from __future__ import annotations

import os
import signal
import time


class FaultInjected(RuntimeError):
    """What `raise` raises: a bug that the code around it did not expect."""


class FaultPoints:
    """The points of one process."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._passed: dict[str, int] = {}

    def at(self, point: str) -> str:
        """Strike if the point is armed; answers `drop`, `duplicate` or nothing."""
        path = os.path.join(self._folder, point)
        words = _read(path) or _read(path + ".always")
        if not words:
            return ""
        skip = [int(word[5:]) for word in words if word.startswith("skip=")]
        if skip:
            self._passed[point] = self._passed.get(point, 0) + 1
            if self._passed[point] <= skip[0]:
                return ""
        if not self._is_ours(path):
            return ""
        return _strike(words, point)

    @staticmethod
    def _is_ours(path: str) -> bool:
        """Whether this process is the one that strikes: renaming succeeds for one alone."""
        try:
            os.rename(path, path + ".fired")
        except FileNotFoundError:
            return os.path.exists(path + ".always")
        return True


def _read(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().split()
    except (FileNotFoundError, NotADirectoryError):
        return []


def _strike(words: list[str], point: str) -> str:
    action = words[0]
    if action == "exit":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "raise":
        raise FaultInjected(point)
    elif action == "delay":
        time.sleep(float(words[1]))
    elif action in ("drop", "duplicate"):
        return action
    return ""
