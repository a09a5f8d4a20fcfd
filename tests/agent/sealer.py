"""Seals values as the platform does, with every choice in the caller's hand."""

import base64
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from libs.protocol.sealing import KEY_BYTES, NONCE_BYTES, PURPOSE, VERSION, sealed_place


def seal(
    text: str,
    public_key: str,
    *,
    task_id: str,
    attempt: int = 1,
    name: str,
    ephemeral: bytes | None = None,
    nonce: bytes | None = None,
) -> str:
    """A sealed value; `public_key` is base64 of the agent's raw sealing key."""
    recipient = base64.b64decode(public_key)
    private = (
        X25519PrivateKey.from_private_bytes(ephemeral) if ephemeral else X25519PrivateKey.generate()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    shared = private.exchange(X25519PublicKey.from_public_bytes(recipient))
    key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=public + recipient, info=PURPOSE).derive(
        shared
    )
    used = nonce or os.urandom(NONCE_BYTES)
    content = AESGCM(key).encrypt(used, text.encode(), sealed_place(task_id, attempt, name))
    return base64.b64encode(bytes([VERSION]) + public + used + content).decode()
