"""The files in which a transfer says how far it is: the program's own, and what stays of it."""

from __future__ import annotations

import contextlib
import os
import stat

from agent.state import write_all

SUFFIX = ".progress"
KEPT = "progress"
_MOST_BYTES = 1024 * 1024


def read_progress(path: str) -> bytes:
    """What a transfer wrote; empty if there is nothing that could be it.

    The folder belongs to the user that the program runs as, so nothing in it is trusted.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            return b""
        return file.read(_MOST_BYTES)


def keep_progress(path: str, folder: str) -> None:
    """Save the last progress into the task's folder, before the program's own one is cleared."""
    content = read_progress(path)
    if not content:
        return
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        descriptor = os.open(os.path.join(folder, KEPT), flags, 0o600)
        try:
            write_all(descriptor, content)
        finally:
            os.close(descriptor)
