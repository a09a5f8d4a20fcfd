"""Watches a script from start to end and outlives the agent: pipes, time, kill, exit record."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Callable

from agent.cgroups import CgroupRoot
from agent.kernel import become_subreaper
from agent.launch import LaunchFailed, is_plain, start_script
from agent.limits import Guard
from agent.outputs import Outputs
from agent.pokes import Poke
from agent.processes import code_and_signal, descendants, start_time
from agent.provisions import Provisions
from agent.questions import Inbox
from agent.records import (
    ExitRecord,
    StartRecord,
    packed,
    read_cancel,
    sync_exit,
    write_record,
)
from agent.script import Workplace
from agent.title import title
from agent.tree import ProcessTree
from agent.wakeups import drain, listen_for_signals
from agent.work import Launch
from libs.protocol.moments import moment

_TITLE = "opsjob-agent: shim"
GRACE_SECONDS = 10.0
LINGER_SECONDS = 1.0
"""How long descendants may outlive the main process before they get TERM."""
LEFTOVER_GRACE_SECONDS = 2.0
_KILL_SECONDS = 4.0
_REAP_SECONDS, _REAP_PAUSE_SECONDS = 1.0, 0.005
_READ_BYTES = 64 * 1024
_MOST_SCRIPTS = 200
_MOST_OUTPUT = 32 * 1024 * 1024
_DISK_PAUSE_SECONDS = 2.0
_START_SECONDS = 0.02
"""When the start of a script that prints nothing is told; what ends before is told as one."""
_FIRST_NEWS_SECONDS, _NEWS_SECONDS = 0.01, 0.002
"""How long output waits for the end of its script, so that a short one wakes the agent once: until
its start was told, and later. With many at once the end of a process comes late."""


@dataclass(frozen=True)
class Surroundings:
    """What a shim inherits from the spawner; `state_folder` is an open descriptor."""

    tasks_folder: str
    state_folder: int
    cgroup_root: CgroupRoot | None


def serve_scripts(connection: socket.socket, around: Surroundings) -> None:
    """The life of a shim's process: one script after the other, as the spawner hands them over.

    It ends when the spawner is gone, when a script left something behind, and after many scripts
    or much output, so that nothing can pile up in it.
    """
    become_subreaper()
    os.umask(0o022)
    wake = listen_for_signals()
    place, pokes = Workplace(), Poke(around.state_folder)
    output = 0
    title(_TITLE)
    for _ in range(_MOST_SCRIPTS):
        received = _next_script(connection)
        if received is None:
            break
        order, lock = received
        shim = Shim(order, around, place, pokes)
        shim.run(wake)
        os.close(lock)
        output += shim.output
        if shim.left_something or output > _MOST_OUTPUT or not _say_idle(connection):
            break
        if shim.is_start_told:
            title(_TITLE)
    place.close()


def _next_script(connection: socket.socket) -> tuple[Launch, int] | None:
    """What comes next, with the lock of its folder; None once the spawner is gone."""
    inbox = Inbox()
    try:
        data, descriptors, _, _ = socket.recv_fds(connection, _READ_BYTES, 1)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)  # else scripts would hold the lock, too
        found = inbox.feed(data)
        while data and not found:
            data = connection.recv(_READ_BYTES)
            found = inbox.feed(data)
    except OSError:
        return None
    if not found or not descriptors:
        return None
    return Launch.unpacked(found[0][1]), descriptors[0]


def _say_idle(connection: socket.socket) -> bool:
    try:
        connection.sendall(b".")
    except OSError:
        return False
    return True


class Shim:
    """One script's supervisor, from the order to the exit record."""

    def __init__(self, order: Launch, around: Surroundings, place: Workplace, pokes: Poke) -> None:
        self._order = order
        self._place = place
        self._folder = os.path.join(around.tasks_folder, order.name)
        self._pokes = pokes
        self._guard = Guard(order, around.cgroup_root, is_plain=is_plain(order))
        self._tree = ProcessTree(order.mark, self._guard.cgroup, root=os.getpid())
        self._tree.reap = self._reap
        self._provisions = Provisions(order)
        self._capture = self._provisions.capture(self._folder)
        self._pipes: dict[int, int] = {}
        self._poll = select.poll()
        self._pid = 0
        self._status: int | None = None
        self._began = self._ended = time.monotonic()
        self._began_at = time.time()
        self._outcome, self._reason = "exited", ""
        self._kill_at: float | None = None
        self._is_killed = False
        self._left = 0
        self.is_start_told = False
        self._tell_at: float | None = None

    @property
    def output(self) -> int:
        """Bytes that the script wrote."""
        return self._capture.total

    @property
    def left_something(self) -> bool:
        """Whether a process of the script may still live."""
        return self._is_killed or _has_children()

    def run(self, wake: int) -> None:
        """Start the script, keep its output, end its tree, write the exit record.

        `wake` is readable after SIGCHLD and SIGUSR1.
        """
        try:
            script = self._place.write(self._order)
            self._provisions.lay_out(os.path.dirname(script))
            self._start(script)
            self._watch(wake)
        except LaunchFailed as failure:
            self._outcome, self._reason = "failed_to_start", failure.reason
        outputs = self._provisions.collect()
        self._provisions.clear()
        self._place.clear()
        self._conclude(outputs)

    def _start(self, script: str) -> None:
        started = start_script(self._order, script, self._guard.cgroup)
        self._pid = started.pid
        for stream, descriptor in enumerate((started.stdout, started.stderr)):
            os.set_blocking(descriptor, False)
            self._pipes[descriptor] = stream
            self._poll.register(descriptor, select.POLLIN)
        now = time.monotonic()
        self._tell_at = now + (0 if self._provisions.progress else _START_SECONDS)
        self._guard.begin(now)

    def _watch(self, wake: int) -> None:
        """Until the main process, its descendants and the pipes are done, or all were killed."""
        self._poll.register(wake, select.POLLIN)
        self._take_cancel()
        while not self._is_over():
            for descriptor, _ in self._poll.poll(self._wait_milliseconds()):
                if descriptor != wake:
                    self._read(descriptor)
                elif signal.SIGUSR1 in drain(wake):
                    self._take_cancel()
            now = time.monotonic()
            self._reap()
            if self._capture.flush_due(now):
                self._tell_soon(now)
            if self._tell_at is not None and now >= self._tell_at and not self._is_over():
                self._tell()
            if now >= self._next_step():
                self._advance(now)
            if self._guard.look_at is not None and now >= self._guard.look_at:
                self._end_for(self._guard.look(now), now)

    def _tell_soon(self, now: float) -> None:
        """There is output for the agent; give the script a moment to end first."""
        due = now + (_NEWS_SECONDS if self.is_start_told else _FIRST_NEWS_SECONDS)
        self._tell_at = due if self._tell_at is None else min(due, self._tell_at)

    def _tell(self) -> None:
        """Say that the script runs, once the disk takes it, and that there is something to see."""
        self._tell_at = None
        if not self.is_start_told:
            title(f"{_TITLE} {self._order.name}")
            pid = os.getpid()
            at = moment(self._began_at)
            told = self._provisions.progress
            record = StartRecord(self._pid, at, pid, _start_time(pid), told)
            self.is_start_told = _written(self._folder, record)
            if not self.is_start_told:
                self._tell_at = time.monotonic() + _DISK_PAUSE_SECONDS
        self._pokes(self._order.name)

    def _is_over(self) -> bool:
        if self._is_killed:
            return True
        return self._status is not None and not self._pipes and not _has_children()

    def _wait_milliseconds(self) -> float:
        at = self._next_step()
        for due in (self._capture.due(), self._tell_at, self._guard.look_at):
            at = at if due is None else min(due, at)
        return max(0.0, at - time.monotonic()) * 1000 + 0.5

    def _next_step(self) -> float:
        """When the next thing happens by itself: KILL, TERM for leftovers, or the time limit."""
        if self._kill_at is not None:
            return self._kill_at
        if self._status is not None:
            return self._ended + LINGER_SECONDS
        return self._began + self._order.timeout_seconds

    def _advance(self, now: float) -> None:
        if self._kill_at is not None:
            self._kill_all()
        elif self._status is not None:
            self._terminate(now + LEFTOVER_GRACE_SECONDS)
        else:
            self._outcome = "timeout"
            self._terminate(now + GRACE_SECONDS)

    def _end_for(self, reason: str, now: float) -> None:
        """End a task that went beyond a limit; an empty reason means that it did not."""
        if reason and self._kill_at is None and self._outcome == "exited":
            self._reason = reason
            self._terminate(now + LEFTOVER_GRACE_SECONDS if reason == "output_limit" else now)

    def _terminate(self, kill_at: float) -> None:
        self._tree.terminate()
        self._kill_at = kill_at

    def _take_cancel(self) -> None:
        if self._status is not None or self._kill_at is not None:
            return
        request = read_cancel(self._folder)
        if request is not None:
            self._outcome, self._reason = "cancelled", request.reason
            self._terminate(time.monotonic() + request.grace_seconds)

    def _read(self, descriptor: int) -> None:
        try:
            content = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        if not content:
            self._close(descriptor)
            return
        now = time.monotonic()
        if self._capture.add(self._pipes[descriptor], content, now):
            self._tell_soon(now)
        if self._is_too_much():
            self._end_for("output_limit", now)

    def _is_too_much(self) -> bool:
        order = self._order
        return order.ends_at_output_limit and self._capture.total > order.output_bytes

    def _close(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        os.close(descriptor)
        del self._pipes[descriptor]

    def _reap(self) -> None:
        """Collect ended children; note what is left of the tree when the main process ended."""
        now = time.monotonic()
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                break
            if pid == self._pid:
                self._status, self._ended = status, now
        if self._status is not None and self._ended == now:
            self._tree.found |= descendants(os.getpid())

    def _kill_all(self) -> None:
        """KILL until nothing is left, then take what the pipes still hold."""
        self._left = self._tree.end(_KILL_SECONDS)
        self._reap_killed()
        for descriptor in list(self._pipes):
            while descriptor in self._pipes and select.select([descriptor], [], [], 0)[0]:
                self._read(descriptor)
            if descriptor in self._pipes:
                self._close(descriptor)
        self._is_killed = True

    def _reap_killed(self) -> None:
        """Collect what was killed, so that no zombies are left to an init that may be none."""
        deadline = time.monotonic() + _REAP_SECONDS
        self._reap()
        while _has_children() and time.monotonic() < deadline:
            time.sleep(_REAP_PAUSE_SECONDS)
            self._reap()

    def _conclude(self, outputs: Outputs) -> None:
        """Write the exit record, however long the disk refuses, and tell the agent.

        An agent that hears of it makes the end durable in its journal before it sends a result;
        only if none listens the record itself must survive a power cut.
        """
        totals = self._capture.finish(time.monotonic())
        exit_code, number = code_and_signal(
            self._status, is_started=self._outcome != "failed_to_start"
        )
        if self._outcome == "exited" and not self._reason:
            meant = "output_limit" if self._is_too_much() else self._provisions.meaning(exit_code)
            self._reason = self._guard.reason(exit_code) or meant
        cut = [("truncated", stream) for stream in sorted(self._capture.cut)]
        record = ExitRecord(
            outcome=self._outcome,
            exit_code=exit_code,
            signal=number,
            reason=self._reason,
            duration_ms=int((self._ended - self._began) * 1000),
            started_at=moment(self._began_at),
            ended_at=moment(time.time()),
            stdout=totals[0],
            stderr=totals[1],
            found=len(self._tree.found),
            signalled=len(self._tree.signalled),
            left=self._left,
            outputs=outputs.values,
            notices=[*cut, *self._guard.notices(), *outputs.notices],
        )
        sync = self._keep(record)
        if not self._pokes(self._order.name):
            sync()
        self._capture.close()
        self._guard.close()

    def _keep(self, record: ExitRecord) -> Callable[[], None]:
        """Write the record, behind short output or as a file; what makes it durable."""
        with contextlib.suppress(OSError):
            if self._capture.end(packed(record)):
                return self._capture.sync
        while not _written(self._folder, record):
            time.sleep(_DISK_PAUSE_SECONDS)
        return lambda: sync_exit(self._folder)


@lru_cache(maxsize=1)
def _start_time(pid: int) -> int:
    """When this process started; asked for itself only."""
    return start_time(pid) or 0


def _has_children() -> bool:
    """As a subreaper we have children exactly as long as anything of the task is left."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _written(folder: str, record: StartRecord | ExitRecord) -> bool:
    try:
        write_record(folder, record)
    except OSError:
        return False
    return True
