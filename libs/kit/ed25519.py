"""Ed25519 signatures, which every task needs several of, made and checked by libsodium.

It takes two thirds of OpenSSL's time to sign and half of it to check, and refuses more: keys and
points that anybody could sign for, and second spellings of a signature. Who signs honestly with
another library is believed here, and the other way round.
"""

import base64
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.bindings import crypto_sign, crypto_sign_open
from nacl.exceptions import BadSignatureError

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64


class Pen:
    """A private key, ready to sign; shown nowhere."""

    __slots__ = ("_secret",)

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._secret = key.private_bytes_raw() + key.public_key().public_bytes_raw()

    def sign(self, statement: bytes) -> bytes:
        """The signature, 64 bytes."""
        return crypto_sign(statement, self._secret)[:SIGNATURE_BYTES]


def is_signed(public_key: str, signature: str, statement: bytes) -> bool:
    """Whether the owner of a key signed exactly this; key and signature are strict base64.

    What is no key or no signature at all has signed nothing.
    """
    try:
        key = base64.b64decode(public_key, validate=True)
        sig = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    # The library reads as many bytes as it needs, wherever they come from.
    if len(key) != KEY_BYTES or len(sig) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(sig + statement, key)
    except BadSignatureError:
        return False
    return True
