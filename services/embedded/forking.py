"""Starts a child that dies with its parent, from a process with one thread and no event loop."""

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import setproctitle

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
COLLECT_AFTER = (20_000, 20, 50)
"""Objects, and rounds among young ones, after which the collector looks; see `gc.set_threshold`."""
_USUAL_UMASK = 0o022  # ours is stricter; programs that are not ours get what they expect


def fork(title: str, body: Callable[[], int | None], *, log: Path | None = None) -> int:
    """Runs `body` in a child of its own session and returns the child's pid.

    The child leaves with the number that `body` returns, 1 when it raised. Its standard streams
    go to `log` if one is given. SIGTERM reaches it when the parent dies, however that happens.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _become_child(title, parent, log)
        code = body() or 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # a child must never run on in its parent's code
        traceback.print_exc()
    finally:
        _leave(code)
    return 0


def execute(title: str, command: Sequence[str], *, env: dict[str, str], log: Path | None) -> int:
    """Like `fork`, for another program: the child becomes `command`."""

    def body() -> int:
        os.umask(_USUAL_UMASK)
        try:
            os.execve(command[0], list(command), env)  # noqa: S606
        except OSError as error:
            sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return 127

    return fork(title, body, log=log)


def _become_child(title: str, parent: int, log: Path | None) -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if log is not None:
        target = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(target, 1)
        os.dup2(target, 2)
    setproctitle.setproctitle(title)


def _leave(code: int) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def pause_collector() -> None:
    """While much is imported: the collector would look through all of it again and again."""
    gc.disable()


def settle_memory() -> None:
    """Before the first fork: what was imported stays out of the collector, so pages stay shared.

    And it looks less often: rows and messages by the thousand live for a moment and hold no cycles.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()
