"""Turns a fork of the shim into the transfer program.

An interpreter of its own would take 25 ms of CPU for each transfer, more than a small file does.
"""

from __future__ import annotations

import os
import signal
import sys

from agent import transfer
from agent.kernel import die_with_parent, hide_memory
from agent.title import title

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from agent.work import Launch

_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""What an interpreter ignores from its start, so that a call fails instead."""
_BROKEN = 70
"""Exit code of a program that did not get as far as to choose one."""


def become_transfer(order: Launch, errand: str) -> NoReturn:
    """In the child, with streams, signals and descriptors as a new program has them. Never returns.

    The memory is a copy of the shim's, in which earlier scripts may have left something; so
    nobody but root may look into it, whoever this process becomes. It carries no mark by which it
    could be found if the shim was killed, so it ends with the shim.
    """
    try:
        shim = os.getppid()
        hide_memory()
        signal.set_wakeup_fd(-1)
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        os.environ.clear()
        os.environ.update(order.environment)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
        title(f"opsjob-agent: transfer {order.name}")
        transfer.main(errand, lambda: _stay_with(shim))
    finally:
        os._exit(_BROKEN)


def _stay_with(shim: int) -> None:
    """End when the shim ends; it may have ended before that was said."""
    die_with_parent()
    if os.getppid() != shim:
        os._exit(_BROKEN)
