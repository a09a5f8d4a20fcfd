"""The supervisor's children: started again when they stop by themselves, stopped in reverse order.

The parent has one thread and no event loop. It blocks the signals it cares for and takes them
one by one from `sigtimedwait`, so nothing happens between two lines of its own.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SHORTEST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
STABLE_SECONDS = 10.0  # a child that ran this long starts again with the shortest delay
_ENDINGS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_WATCHED = _ENDINGS | {signal.SIGCHLD}


@dataclass
class Child:
    """One process that has to run as long as the platform does."""

    name: str
    start: Callable[[], int]
    stop_seconds: float = 10.0
    pid: int = 0
    deaths: int = 0
    last_code: int = 0
    started_at: float = 0.0
    due_at: float = 0.0
    delay: float = SHORTEST_DELAY_SECONDS


@dataclass
class Children:
    """All of them, in the order of their start."""

    say: Callable[[str], None]
    stopping: bool = False
    _running: list[Child] = field(default_factory=list)
    _finished: dict[int, int] = field(default_factory=dict)
    _awaited: set[int] = field(default_factory=set)

    def watch_signals(self) -> None:
        """From here on signals wait until `tick` takes them. Children unblock them again."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)

    def add(self, child: Child) -> None:
        """Starts it and keeps it running."""
        self._running.append(child)
        self._start(child)

    def deaths(self) -> int:
        """The largest number of times one of them stopped by itself since it was stable."""
        return max((child.deaths for child in self._running), default=0)

    def ended_with(self, code: int) -> bool:
        """Whether the latest end of one of them was this exit code."""
        return any(child.deaths and child.last_code == code for child in self._running)

    def tick(self, seconds: float) -> None:
        """Waits up to `seconds` for a signal, then buries and starts what is due."""
        timeout = max(0.0, min(seconds, self._next_due() - time.monotonic()))
        received = signal.sigtimedwait(_WATCHED, timeout)
        if received is not None and received.si_signo in _ENDINGS:
            self.stopping = True
        self._bury()
        if not self.stopping:
            self._start_due()

    def run_to_end(self, pid: int, seconds: float) -> int | None:
        """Exit code of a child that does one thing; None when it took longer and was stopped."""
        self._awaited.add(pid)
        deadline = time.monotonic() + seconds
        while pid not in self._finished:
            if self.stopping or time.monotonic() > deadline:
                self._end(pid, 2.0)
                return None
            self.tick(0.1)
        self._awaited.discard(pid)
        return self._finished.pop(pid)

    def await_in_background(self, pid: int) -> None:
        """`result_of(pid)` will tell how it ended."""
        self._awaited.add(pid)

    def result_of(self, pid: int) -> int | None:
        """Exit code of an awaited child, None as long as it runs."""
        return self._finished.get(pid)

    def stop_all(self) -> None:
        """Asks each to stop, the last started first; kills what does not in its time."""
        self.stopping = True
        for pid in list(self._awaited):
            self._end(pid, 2.0)
        for child in reversed(self._running):
            if child.pid:
                self._end(child.pid, child.stop_seconds)
                child.pid = 0

    def _start(self, child: Child) -> None:
        child.started_at = time.monotonic()
        child.due_at = 0.0
        child.pid = child.start()

    def _next_due(self) -> float:
        due = [child.due_at for child in self._running if not child.pid]
        return min(due, default=float("inf"))

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._running:
            if not child.pid and child.due_at <= now:
                self._start(child)

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._buried(pid, os.waitstatus_to_exitcode(status))

    def _buried(self, pid: int, code: int) -> None:
        if pid in self._awaited:
            self._finished[pid] = code
        for child in self._running:
            if child.pid == pid:
                child.pid = 0
                if not self.stopping:
                    self._plan_restart(child, code)

    def _plan_restart(self, child: Child, code: int) -> None:
        now = time.monotonic()
        if now - child.started_at >= STABLE_SECONDS:
            child.delay, child.deaths = SHORTEST_DELAY_SECONDS, 0
        child.deaths += 1
        child.last_code = code
        child.due_at = now + child.delay
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        self.say(f"{child.name} stopped {how}; it starts again in {child.delay:.1f} s.")
        child.delay = min(child.delay * 2, LONGEST_DELAY_SECONDS)

    def _end(self, pid: int, seconds: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            if not self._gone(pid, seconds):
                os.kill(pid, signal.SIGKILL)
                self._gone(pid, 5.0)

    def _gone(self, pid: int, seconds: float) -> bool:
        """Waits for the death of one child; the others are left for `_bury`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                done, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                return True
            if done:
                self._finished[pid] = os.waitstatus_to_exitcode(status)
                return True
            signal.sigtimedwait(_WATCHED, 0.05)
        return False
