"""Opens sealed values with the agent's X25519 key. Only the signer and `enrol` import this."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.state import read_if_there, write_durably
from libs.protocol.sealing import (
    KEY_BYTES,
    NONCE_BYTES,
    PUBLIC_BYTES,
    PURPOSE,
    TAG_BYTES,
    VERSION,
    sealed_place,
)

_RAW = serialization.Encoding.Raw
_RAW_PUBLIC = serialization.PublicFormat.Raw


class SecretUnreadable(Exception):
    """The value was not sealed for this agent, or for this variable of this attempt."""


class SealingKey:
    """The agent's X25519 key; the platform seals secrets to its public half."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key().public_bytes(_RAW, _RAW_PUBLIC)

    @classmethod
    def create(cls, path: str) -> SealingKey:
        """A new key, stored durably and readable by its owner only."""
        private = X25519PrivateKey.generate()
        raw = private.private_bytes(
            _RAW, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        write_durably(path, base64.b64encode(raw) + b"\n")
        return cls(private)

    @classmethod
    def load(cls, path: str) -> SealingKey | None:
        """The stored key; None for an agent that was enrolled without one."""
        try:
            raw = base64.b64decode(read_if_there(path) or b"", validate=False)
            return cls(X25519PrivateKey.from_private_bytes(raw))
        except ValueError:
            return None

    @property
    def public_text(self) -> str:
        """The raw public key in base64."""
        return base64.b64encode(self._public).decode()

    def open(self, sealed: str, *, task_id: str, attempt: int, name: str) -> str:
        """The value; raises SecretUnreadable."""
        try:
            text = self._open(base64.b64decode(sealed, validate=True), task_id, attempt, name)
        except (binascii.Error, InvalidTag, ValueError):
            raise SecretUnreadable(name) from None
        if "\0" in text:
            raise SecretUnreadable(name)
        return text

    def _open(self, raw: bytes, task_id: str, attempt: int, name: str) -> str:
        head = 1 + PUBLIC_BYTES
        if len(raw) < head + NONCE_BYTES + TAG_BYTES or raw[0] != VERSION:
            raise ValueError("not a sealed value")
        ephemeral, nonce = raw[1:head], raw[head : head + NONCE_BYTES]
        shared = self._private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        key = HKDF(
            algorithm=SHA256(), length=KEY_BYTES, salt=ephemeral + self._public, info=PURPOSE
        ).derive(shared)
        place = sealed_place(task_id, attempt, name)
        return AESGCM(key).decrypt(nonce, raw[head + NONCE_BYTES :], place).decode("utf-8")
