"""How a shim hears of ended children and of requests: a descriptor that polls with the pipes."""

from __future__ import annotations

import contextlib
import os
import signal


def listen_for_signals() -> int:
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


def drain(descriptor: int) -> bytes:
    """The numbers of the signals that came."""
    numbers = b""
    with contextlib.suppress(BlockingIOError):
        while True:
            part = os.read(descriptor, 512)
            numbers += part
            if len(part) < 512:
                break
    return numbers
