"""Checks Ed25519 signatures by the OpenSSL that Python's own hashes use, where it can be reached.

It is in memory already, while the library `cryptography` would add 9 MB to the agent. Only public
keys come here: what signs and opens lives in the signer process alone.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
from functools import lru_cache

from agent.known_answer import agrees

_ED25519 = 1087
_KEY_BYTES = 32

_P, _Z, _I, _B = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p
_FUNCTIONS: dict[str, tuple[object, tuple[object, ...]]] = {
    "EVP_PKEY_new_raw_public_key": (_P, (_I, _P, _B, _Z)),
    "EVP_PKEY_free": (None, (_P,)),
    "EVP_MD_CTX_new": (_P, ()),
    "EVP_MD_CTX_free": (None, (_P,)),
    "EVP_DigestVerifyInit": (_I, (_P, _P, _P, _P, _P)),
    "EVP_DigestVerify": (_I, (_P, _B, _Z, _B, _Z)),
}


class PublicKey:
    """A key inside of OpenSSL, from its 32 bytes; raises ValueError for bytes that are none."""

    def __init__(self, raw: bytes) -> None:
        self._pointer = None
        if len(raw) != _KEY_BYTES:
            raise ValueError("An Ed25519 key has 32 bytes.")
        self._lib = _library()
        self._pointer = self._lib.EVP_PKEY_new_raw_public_key(_ED25519, None, raw, _KEY_BYTES)
        if not self._pointer:
            raise ValueError("OpenSSL takes no such key.")

    def __del__(self) -> None:
        if self._pointer:
            self._lib.EVP_PKEY_free(self._pointer)

    def has_signed(self, signature: bytes, statement: bytes) -> bool:
        """Whether exactly this was signed with the private half."""
        lib = self._lib
        context = lib.EVP_MD_CTX_new()
        try:
            return bool(
                lib.EVP_DigestVerifyInit(context, None, None, None, self._pointer) == 1
                and lib.EVP_DigestVerify(
                    context, signature, len(signature), statement, len(statement)
                )
                == 1
            )
        finally:
            lib.EVP_MD_CTX_free(context)


@lru_cache(maxsize=1)
def is_there() -> bool:
    """Whether keys can be used here: the library was found and knows what a standard says."""
    try:
        return agrees(PublicKey)
    except (OSError, ValueError, AttributeError):
        return False


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """Python's module of hashes, which brings the functions of the OpenSSL it was linked with.

    Raises OSError or AttributeError where hashes are made without OpenSSL, or hide it.
    """
    hashlib.sha256()
    path = getattr(sys.modules.get("_hashlib"), "__file__", None)
    if path is None:
        raise OSError("Hashes are made without OpenSSL.")
    library = ctypes.CDLL(path)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
