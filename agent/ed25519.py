"""Public keys that check: by libsodium, Python's own OpenSSL, or the library `cryptography`."""

from __future__ import annotations

import importlib
from typing import cast

from agent import openssl, sodium
from agent.known_answer import PublicKey


def is_light() -> bool:
    """Whether keys work in this process without the 9 MB of `cryptography`."""
    return sodium.is_there() or openssl.is_there()


def public_key(raw: bytes) -> PublicKey:
    """The key of these 32 bytes; raises ValueError for bytes that are none."""
    if sodium.is_there():
        return sodium.PublicKey(raw)
    if openssl.is_there():
        return openssl.PublicKey(raw)
    keys = importlib.import_module("agent.keys")  # 9 MB, which the agent itself never needs
    return cast(PublicKey, keys.AnybodysKey(raw))
