"""Watches one script from start to end and outlives the agent: pipes, time, kill, exit record."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from dataclasses import dataclass

from agent.capture import Capture
from agent.cgroups import Cgroup, CgroupRoot
from agent.launch import LaunchFailed, become_subreaper, replace_process, title
from agent.processes import descendants, start_time
from agent.records import (
    ExitRecord,
    StartRecord,
    read_cancel,
    write_record,
)
from agent.script import PrivateScript
from agent.tree import ProcessTree
from agent.work import Launch
from libs.protocol.moments import moment

GRACE_SECONDS = 10.0
LINGER_SECONDS = 1.0
"""How long descendants may outlive the main process before they get TERM."""
LEFTOVER_GRACE_SECONDS = 2.0
_KILL_SECONDS = 2.0
_READ_BYTES = 64 * 1024
_DISK_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class Surroundings:
    """What a shim inherits from the spawner."""

    tasks_folder: str
    poke_address: str
    cgroup_root: CgroupRoot | None


class Shim:
    """One script's supervisor; `run` is the whole life of its process."""

    def __init__(self, order: Launch, around: Surroundings) -> None:
        self._order = order
        self._poke_address = around.poke_address
        self._folder = os.path.join(around.tasks_folder, order.name)
        self._pokes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._pokes.setblocking(False)
        self._cgroup = _make_cgroup(order, around.cgroup_root)
        self._tree = ProcessTree(order.mark, self._cgroup, root=os.getpid())
        self._capture = Capture(
            self._folder, spool_bytes=order.spool_bytes, output_bytes=order.output_bytes
        )
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

    def run(self) -> None:
        """Start the script, keep its output, end its tree, write the exit record."""
        title(f"opsjob-agent: shim {self._order.name}")
        become_subreaper()
        wake = _listen_for_signals()
        script = PrivateScript(self._order)
        try:
            script.write()
            self._start(script.path)
            self._watch(wake)
        except LaunchFailed as failure:
            self._outcome, self._reason = "failed_to_start", failure.reason
        script.remove()
        self._conclude()

    def _start(self, script: str) -> None:
        """Fork the script; raises LaunchFailed with the reason that the child reports."""
        stdout, stderr, failure = os.pipe(), os.pipe(), os.pipe()
        self._pid = os.fork() if self._cgroup is None else self._cgroup.fork()
        if self._pid == 0:
            self._become_script(script, (stdout[1], stderr[1]), failure[1])
        for stream, (read_end, write_end) in enumerate((stdout, stderr)):
            os.close(write_end)
            os.set_blocking(read_end, False)
            self._pipes[read_end] = stream
            self._poll.register(read_end, select.POLLIN)
        os.close(failure[1])
        reason = os.read(failure[0], 256).decode()
        os.close(failure[0])
        if reason:
            raise LaunchFailed(reason)
        write_record(
            self._folder,
            StartRecord(
                pid=self._pid,
                started_at=moment(self._began_at),
                shim_pid=os.getpid(),
                shim_start=start_time(os.getpid()) or 0,
            ),
        )
        self._poke()

    def _become_script(self, script: str, streams: tuple[int, int], failure: int) -> None:
        """In the child: never returns."""
        reason = b"exec_failed"
        try:
            replace_process(self._order, script, streams)
        except LaunchFailed as error:
            reason = error.reason.encode()
        finally:
            os.write(failure, reason)
            os._exit(127)

    def _watch(self, wake: int) -> None:
        """Until the main process, its descendants and the pipes are done, or all were killed."""
        self._poll.register(wake, select.POLLIN)
        self._take_cancel()
        while not self._is_over():
            for descriptor, _ in self._poll.poll(self._wait_milliseconds()):
                if descriptor == wake:
                    _drain(wake)
                    self._take_cancel()
                else:
                    self._read(descriptor)
            now = time.monotonic()
            self._reap(now)
            if self._capture.flush_due(now):
                self._poke()
            if now >= self._next_step():
                self._advance(now)

    def _is_over(self) -> bool:
        if self._is_killed:
            return True
        return self._status is not None and not self._pipes and not _has_children()

    def _wait_milliseconds(self) -> float:
        due = self._capture.due()
        at = self._next_step() if due is None else min(due, self._next_step())
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
        elif self._capture.add(self._pipes[descriptor], content, time.monotonic()):
            self._poke()

    def _close(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        os.close(descriptor)
        del self._pipes[descriptor]

    def _reap(self, now: float) -> None:
        """Collect ended children; note what is left of the tree when the main process ended."""
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
        self._reap(time.monotonic())
        for descriptor in list(self._pipes):
            while descriptor in self._pipes and select.select([descriptor], [], [], 0)[0]:
                self._read(descriptor)
        self._is_killed = True

    def _conclude(self) -> None:
        """Write the exit record however long the disk refuses; the agent hears of it at once."""
        totals = self._capture.finish(time.monotonic())
        exit_code, number = _code_and_signal(
            self._status, is_started=self._outcome != "failed_to_start"
        )
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
        )
        while not _written(self._folder, record):
            time.sleep(_DISK_PAUSE_SECONDS)
        self._poke()
        if self._cgroup is not None:
            self._cgroup.remove()

    def _poke(self) -> None:
        """Tell the agent to look; if nobody listens, the files wait for the next one."""
        try:
            self._pokes.sendto(self._order.name.encode(), self._poke_address)
        except OSError:
            return


def _make_cgroup(order: Launch, root: CgroupRoot | None) -> Cgroup | None:
    if root is None:
        return None
    group = Cgroup(root, order.mark)
    return group if group.create(order.max_processes) else None


def _listen_for_signals() -> int:
    """A descriptor that becomes readable with each SIGCHLD and SIGUSR1; the rest is ignored."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, _wake_up)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return read_end


def _wake_up(number: int, frame: object) -> None:
    """The descriptor says it all; a handler must exist for it to be written."""


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 512):
            continue
    except BlockingIOError:
        return


def _has_children() -> bool:
    """As a subreaper we have children exactly as long as anything of the task is left."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _code_and_signal(status: int | None, *, is_started: bool) -> tuple[int | None, int | None]:
    """Exit code or signal; a process that could not even be killed counts as killed."""
    if not is_started:
        return None, None
    if status is None:
        return None, int(signal.SIGKILL)
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _written(folder: str, record: ExitRecord) -> bool:
    try:
        write_record(folder, record)
    except OSError:
        return False
    return True
