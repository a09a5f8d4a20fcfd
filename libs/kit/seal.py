"""Seals values for the database: what is read from a table opens in its own place only."""

import base64
import binascii
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class WrongSealingKey(Exception):
    """The secret of this installation is not the one that sealed this value, or it was moved."""


class Seal:
    """Seals values for the database (AES-256-GCM); each value only opens in its own place.

    The key comes from the installation's secret by HKDF, one for each purpose (a service). The
    sealed form begins with a version and an id of the key, so that keys can be changed later and
    a wrong one is noticed.
    """

    def __init__(self, secret: str, purpose: str) -> None:
        info = f"opsjob/{purpose}/seal/v1".encode()
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
        self._cipher = AESGCM(key)
        self._marking_key = hmac.digest(key, b"fingerprint", "sha256")
        self._key_id = hmac.digest(key, b"key id", "sha256").hex()[:16]

    def seal(self, plain: str, *, place: str) -> str:
        """The sealed form of a value for one place, such as `hosts/17/password`."""
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, plain.encode(), self._context(place))
        return f"v1:{self._key_id}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, place: str) -> str:
        """The value again; raises WrongSealingKey for another key, another place or a change."""
        version, _, rest = sealed.partition(":")
        key_id, _, text = rest.partition(":")
        if version != "v1" or key_id != self._key_id:
            raise WrongSealingKey(f"sealed with key {key_id[:16]}, this is {self._key_id}")
        try:
            raw = base64.b64decode(text, validate=True)
            return self._cipher.decrypt(raw[:12], raw[12:], self._context(place)).decode()
        except (InvalidTag, ValueError, binascii.Error):
            raise WrongSealingKey(f"the value does not belong to {place}") from None

    def fingerprint(self, data: bytes) -> bytes:
        """32 bytes that are equal for equal data, and from which nobody can guess it.

        A plain hash of a short secret can be found by trying; this needs the installation's secret.
        """
        return hmac.digest(self._marking_key, data, "sha256")

    def _context(self, place: str) -> bytes:
        return f"opsjob/v1/{self._key_id}/{place}".encode()
