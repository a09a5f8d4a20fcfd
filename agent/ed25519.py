"""Public keys that check: by Python's own OpenSSL, elsewhere by the library `cryptography`."""

from __future__ import annotations

import importlib
from typing import Protocol, cast

from agent import openssl


class PublicKey(Protocol):
    """An Ed25519 key that checks what its private half signed."""

    def has_signed(self, signature: bytes, statement: bytes) -> bool:
        """Whether exactly this was signed."""


def public_key(raw: bytes) -> PublicKey:
    """The key of these 32 bytes; raises ValueError for bytes that are none."""
    if openssl.is_there():
        return openssl.PublicKey(raw)
    keys = importlib.import_module("agent.keys")  # 9 MB, which the agent itself never needs
    return cast(PublicKey, keys.AnybodysKey(raw))
