"""Keys by the library `cryptography`. Only the signer and `enrol` import this: it costs 9 MB."""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.state import read_if_there, write_durably


class KeyMissing(Exception):
    """The state folder has no usable private key; the agent must be enrolled again."""


class AgentKey:
    """Signs with the agent's Ed25519 key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def create(cls, path: str) -> AgentKey:
        """A new key, stored durably and readable by its owner only."""
        private = Ed25519PrivateKey.generate()
        raw = private.private_bytes(
            serialization.Encoding.Raw,
            serialization.PrivateFormat.Raw,
            serialization.NoEncryption(),
        )
        write_durably(path, base64.b64encode(raw) + b"\n")
        return cls(private)

    @classmethod
    def load(cls, path: str) -> AgentKey:
        """The stored key; raises KeyMissing."""
        try:
            raw = base64.b64decode(read_if_there(path) or b"", validate=False)
            return cls(Ed25519PrivateKey.from_private_bytes(raw))
        except ValueError:
            raise KeyMissing(f"No private key in {path}.") from None

    @property
    def public_text(self) -> str:
        """The raw public key in base64."""
        public = self._private.public_key()
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(self, statement: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._private.sign(statement)).decode()


class AnybodysKey:
    """Checks with an Ed25519 key, where Python's own OpenSSL cannot be reached."""

    def __init__(self, raw: bytes) -> None:
        self._public = Ed25519PublicKey.from_public_bytes(raw)

    def has_signed(self, signature: bytes, statement: bytes) -> bool:
        """Whether exactly this was signed with the private half."""
        try:
            self._public.verify(signature, statement)
        except InvalidSignature:
            return False
        return True
