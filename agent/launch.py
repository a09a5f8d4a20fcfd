"""The last steps of a script's first process: from a fork of the shim to the interpreter."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

from agent.work import Launch

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_OOM_SCORE = b"500"
"""The kernel ends scripts before it ends the agent."""
_MAX_FILES = 65_536

_libc = ctypes.CDLL(None, use_errno=True)


class LaunchFailed(Exception):
    """A step before the interpreter failed; `reason` is a word for the result."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def become_subreaper() -> None:
    """Orphaned descendants become children of this process instead of init's."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def set_name(name: str) -> None:
    """The short name of this process in `ps` and `top`, 15 bytes at most."""
    _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def replace_process(order: Launch, script: str, streams: tuple[int, int]) -> None:
    """Turn the calling process into the script; returns only by raising LaunchFailed."""
    os.setsid()
    _reset_signals()
    _connect(streams)
    _limit(order)
    _drop_privileges(order)
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.umask(0o022)
    try:
        os.chdir(order.folder or os.path.dirname(script))
    except OSError:
        raise LaunchFailed("cwd_failed") from None
    argv = [*order.command, script, *order.args]
    try:
        os.execve(argv[0], argv, order.environment)
    except (OSError, ValueError):
        raise LaunchFailed("exec_failed") from None


def _reset_signals() -> None:
    """Python ignores some signals and exec would keep that; scripts get the defaults."""
    for number in signal.valid_signals():
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _connect(streams: tuple[int, int]) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(streams[0], 1)
    os.dup2(streams[1], 2)


def _limit(order: Launch) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ceiling = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, ceiling), ceiling))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if order.max_processes is not None and order.uid != 0:
        resource.setrlimit(resource.RLIMIT_NPROC, (order.max_processes, order.max_processes))
    try:
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(descriptor, _OOM_SCORE)
    except OSError:
        return


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


def close_descriptors(kept: set[int]) -> None:
    """Close everything but standard streams and these."""
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2 and descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:
                continue


def title(text: str) -> None:
    """Name this process, fully where setproctitle is installed, shortly elsewhere."""
    module = sys.modules.get("setproctitle")
    if module is not None:
        module.setproctitle(text)
    else:
        set_name(text)
