"""Checks Ed25519 signatures by libsodium where it is installed, in half the time of OpenSSL.

The library comes with the package `pynacl`, whose Python half stays out of memory. It refuses more
than OpenSSL: keys for which anybody can sign, and second spellings of a signature.
"""

from __future__ import annotations

import ctypes
import importlib
import os
from functools import lru_cache

from agent.known_answer import agrees

_KEY_BYTES, _SIGNATURE_BYTES = 32, 64


class PublicKey:
    """A key of 32 bytes; raises ValueError for bytes that are none."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != _KEY_BYTES:
            raise ValueError("An Ed25519 key has 32 bytes.")
        self._raw = raw
        self._verify = _library().crypto_sign_ed25519_verify_detached

    def has_signed(self, signature: bytes, statement: bytes) -> bool:
        """Whether exactly this was signed with the private half."""
        if len(signature) != _SIGNATURE_BYTES:  # the library would read on behind a shorter one
            return False
        return bool(self._verify(signature, statement, len(statement), self._raw) == 0)


@lru_cache(maxsize=1)
def is_there() -> bool:
    """Whether keys can be used here: the library was found and knows what a standard says."""
    try:
        return agrees(PublicKey)
    except (ImportError, OSError, ValueError, AttributeError):
        return False


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """libsodium, made ready.

    Raises ImportError, OSError, ValueError or AttributeError where it is not, or is another one.
    """
    [folder] = importlib.import_module("nacl").__path__
    [name] = [name for name in os.listdir(folder) if name.startswith("_sodium.")]
    library = ctypes.CDLL(os.path.join(folder, name))
    verify = library.crypto_sign_ed25519_verify_detached
    verify.restype = ctypes.c_int
    verify.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulonglong, ctypes.c_char_p)
    if library.sodium_init() < 0:
        raise OSError("libsodium cannot be used.")
    return library
