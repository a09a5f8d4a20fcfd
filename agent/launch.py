"""Starts a script's first process: by posix_spawn as ourselves, by fork as somebody else.

Transfers are forks as well: their program is in memory already.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from dataclasses import dataclass
from functools import lru_cache

from agent.cgroups import Cgroup
from agent.kernel import die_with_parent, fork_into_cgroup
from agent.limits import limit_process
from agent.transfer_start import become_transfer
from agent.work import Launch

_OOM_SCORE = b"500"
"""The kernel ends scripts before it ends the agent."""
_FILES, _MOST_FILES = 1024, 65_536


class LaunchFailed(Exception):
    """A step before the interpreter failed; `reason` is a word for the result."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Started:
    """The script's first process and our ends of its pipes."""

    pid: int
    stdout: int
    stderr: int


def start_script(order: Launch, script: str, cgroup: Cgroup | None) -> Started:
    """Start the script; raises LaunchFailed.

    posix_spawn copies no page tables, which is half of the cost of a short task, but it can
    neither change the user nor set limits nor enter a cgroup; orders that need this are forked.
    """
    stdout, stderr = os.pipe(), os.pipe()
    try:
        if is_plain(order) and not order.is_transfer:
            pid = _spawn(order, script, (stdout[1], stderr[1]))
        else:
            pid = _fork(order, script, (stdout[1], stderr[1]), cgroup)
    except LaunchFailed:
        os.close(stdout[0])
        os.close(stderr[0])
        raise
    finally:
        os.close(stdout[1])
        os.close(stderr[1])
    return Started(pid, stdout[0], stderr[0])


def is_plain(order: Launch) -> bool:
    """Whether the script runs as our own user and without a limit of its own."""
    limits = (order.max_processes, order.memory_bytes, order.cpu_percent, order.open_files)
    return order.uid == os.geteuid() and limits == (None, None, None, None)


def _spawn(order: Launch, script: str, streams: tuple[int, int]) -> int:
    argv = [*order.command, script, *order.args]
    try:
        os.chdir(order.folder or os.path.dirname(script))
    except OSError:
        raise LaunchFailed("cwd_failed") from None
    try:
        pid = os.posix_spawn(
            argv[0],
            argv,
            order.environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, streams[0], 1),
                (os.POSIX_SPAWN_DUP2, streams[1], 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=_changed_signals(),
        )
    except (OSError, ValueError):
        raise LaunchFailed("exec_failed") from None
    finally:
        os.chdir("/")
    _prefer_for_oom(f"/proc/{pid}/oom_score_adj")
    return pid


def _fork(order: Launch, script: str, streams: tuple[int, int], cgroup: Cgroup | None) -> int:
    """The child reports through a pipe why it could not become the script."""
    failure_read, failure_write = os.pipe()
    pid = os.fork() if cgroup is None else _fork_inside(cgroup, may_clone=not order.is_transfer)
    if pid == 0:
        _become_script(order, script, streams, failure_write, cgroup)
    os.close(failure_write)
    reason = os.read(failure_read, 256).decode()
    os.close(failure_read)
    if reason:
        os.waitpid(pid, 0)
        raise LaunchFailed(reason)
    return pid


def _fork_inside(cgroup: Cgroup, *, may_clone: bool) -> int:
    pid = fork_into_cgroup(cgroup.path) if cgroup.is_v2 and may_clone else -1
    if pid < 0:
        pid = os.fork()
        if pid == 0:
            cgroup.enter()
    return pid


def _become_script(
    order: Launch, script: str, streams: tuple[int, int], failure: int, cgroup: Cgroup | None
) -> None:
    """In the child: never returns."""
    reason = b"exec_failed"
    try:
        if cgroup is not None:
            cgroup.enter_limits()
        limit_process(order, frozenset() if cgroup is None else cgroup.limits)
        _replace_process(order, script, streams)
    except LaunchFailed as error:
        reason = error.reason.encode()
    finally:
        os.write(failure, reason)
        os._exit(127)


def _replace_process(order: Launch, script: str, streams: tuple[int, int]) -> None:
    os.setsid()
    for number in _changed_signals():
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(streams[0], 1)
    os.dup2(streams[1], 2)
    _prefer_for_oom("/proc/self/oom_score_adj")
    if not order.is_transfer:  # it first reads what only the agent's own user may read
        _drop_privileges(order)
    die_with_parent()
    try:
        os.chdir(order.folder or os.path.dirname(script))
    except OSError:
        raise LaunchFailed("cwd_failed") from None
    if order.is_transfer:
        close_descriptors(set())
        become_transfer(order, script)
    os.execve(order.command[0], [*order.command, script, *order.args], order.environment)


@lru_cache(maxsize=1)
def _changed_signals() -> list[int]:
    """Signals that are ignored or handled here; exec would pass on that they are ignored.

    Looked up once: a shim sets its handlers before its first script.
    """
    default = (signal.SIG_DFL, None)
    return [n for n in signal.valid_signals() if signal.getsignal(n) not in default]


def _prefer_for_oom(path: str) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.write(descriptor, _OOM_SCORE)
        finally:
            os.close(descriptor)


def _drop_privileges(order: Launch) -> None:
    """Groups, then gid, then uid, real, effective and saved, and a look whether it held."""
    if order.uid == os.geteuid() and os.geteuid() != 0:
        return
    try:
        os.setgroups(order.groups)
        os.setresgid(order.gid, order.gid, order.gid)
        os.setresuid(order.uid, order.uid, order.uid)
    except OSError:
        raise LaunchFailed("run_as_failed") from None
    held = (
        os.getresuid() == (order.uid,) * 3
        and os.getresgid() == (order.gid,) * 3
        and sorted(os.getgroups()) == sorted(set(order.groups))
    )
    if not held:
        raise LaunchFailed("run_as_failed")


def limit_files() -> None:
    """What a shim and all its scripts may open, the usual 1024 unless they ask; no core dumps."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, most), most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def close_descriptors(kept: set[int]) -> None:
    """Close everything but standard streams and these."""
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2 and descriptor not in kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)
