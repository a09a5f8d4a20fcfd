"""Whether a library that checks signatures can be believed, by an answer that is known."""

from __future__ import annotations

from typing import Callable, Protocol

_KEY, _SIGNATURE = (
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
)
"""A public key and its signature of the one byte 0x72: RFC 8032, 7.1, test 2."""


class PublicKey(Protocol):
    """An Ed25519 key that checks what its private half signed."""

    def has_signed(self, signature: bytes, statement: bytes) -> bool:
        """Whether exactly this was signed."""


def agrees(public_key: Callable[[bytes], PublicKey]) -> bool:
    """Whether it believes the signature of the standard, and no other statement under it."""
    key, signature = public_key(bytes.fromhex(_KEY)), bytes.fromhex(_SIGNATURE)
    return key.has_signed(signature, b"\x72") and not key.has_signed(signature, b"\x73")
