"""Identifiers and secrets: sortable ids for executions and facts, random strings for tokens."""

import os
import re
import secrets
import threading
import time
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

_LARGEST: Final = 2**31 - 1

_DECIMAL: Final = re.compile(r"[1-9][0-9]*", re.ASCII)


def _one_spelling(value: object) -> object:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        message = "an id in an address is a decimal number without sign, zeros in front or fraction"
        raise ValueError(message)
    return value


Id = Annotated[int, Field(ge=1, le=_LARGEST), BeforeValidator(_one_spelling)]
"""The integer id of a catalogue object as it may arrive from outside (fits both databases).

In an address it has one spelling; `1.0`, `+1` and `01` are not the id 1.
"""

SortableId = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
]
"""A UUIDv7 as it may arrive from outside, in canonical form only."""

_lock = threading.Lock()
_last = 0


def _renew_lock() -> None:
    """A fork may happen while another thread holds the lock; the child starts with a free one."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


def new_id() -> str:
    """A UUIDv7 as 36 characters: sorts by creation time, strictly so within a process."""
    global _last
    stamp = time.time_ns()
    with _lock:
        # 48 bits of milliseconds, then 12 bits for the fraction of the millisecond (244 ns each).
        milliseconds, fraction = divmod(stamp, 1_000_000)
        ticks = (milliseconds << 12) | (fraction * 4096 // 1_000_000)
        _last = ticks = max(ticks, _last + 1)
    value = (ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64
    value |= 0b10 << 62 | (int.from_bytes(os.urandom(8), "big") >> 2)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_secret(size: int = 32) -> str:
    """A URL-safe random string made of ``size`` bytes."""
    return secrets.token_urlsafe(size)
