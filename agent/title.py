"""How our processes are called in `ps`."""

from __future__ import annotations

import contextlib
import importlib


def title(text: str) -> None:
    """Name this process, fully where setproctitle is installed, by 15 letters elsewhere."""
    try:
        importlib.import_module("setproctitle").setproctitle(text)
    except ImportError:
        with contextlib.suppress(OSError), open("/proc/self/comm", "wb", buffering=0) as file:
            file.write(text.encode()[:15])
