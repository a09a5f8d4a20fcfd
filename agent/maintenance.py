"""The lock for maintenance: while it is set, this host takes on nothing new; what runs goes on."""

from __future__ import annotations

import contextlib
import json
import os
import time

from agent.state import StateFolder, read_if_there, sync_folder, write_durably
from libs.protocol.moments import moment

MAX_REASON = 300


def lock(state: StateFolder, reason: str) -> None:
    """Set the lock, or give another reason for it; durable, and heeded from the next order on."""
    content = {"reason": reason[:MAX_REASON], "since": moment(time.time())}
    write_durably(state.maintenance, json.dumps(content).encode() + b"\n")


def unlock(state: StateFolder) -> None:
    """Take the lock away; that there is none is no error."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(state.maintenance)
    sync_folder(state.root)


def locked(state: StateFolder) -> dict[str, str] | None:
    """`reason` and `since` of the lock, None without one; a damaged lock still locks."""
    content = read_if_there(state.maintenance)
    if content is None:
        return None
    try:
        raw = json.loads(content)
        return {"reason": str(raw["reason"])[:MAX_REASON], "since": str(raw["since"])[:40]}
    except (ValueError, KeyError, TypeError):
        return {"reason": "", "since": ""}
