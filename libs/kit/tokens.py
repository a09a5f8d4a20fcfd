"""Signed compact tokens (JWS): one type for each purpose, with keys that change every day.

The only module that uses python-jose. ES256 only. A key is derived from the platform's secret,
the purpose and the day, so that a token for one purpose is noise for every other, and a key that
leaked is worth nothing soon. A token names its key by an id that we made; nothing in a token
says where a key could be fetched.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jose import jws
from jose.exceptions import JOSEError
from pydantic import SecretStr

from libs.kit.errors import Unauthenticated

ISSUER: Final = "opsjob"
ALGORITHM: Final = "ES256"
MAX_TOKEN: Final = 16 * 1024
KEY_SECONDS: Final = 86_400
"""How long one key signs; the one before and the one after it are accepted, too."""

_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}", re.ASCII)
_KEY_ID: Final = re.compile(r"([0-9a-f]{8})\.([0-9]{1,6})", re.ASCII)
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_MOST_KEYS: Final = 64


class Claims(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The claims of all kinds of token; types are strict, nothing is optional that guards."""

    iss: str
    aud: str
    exp: int
    iat: int
    jti: str
    sub: str
    sid: str | None = None
    name: str = ""
    roles: tuple[str, ...] = ()
    perms: tuple[str, ...] = ()
    kind: Literal["user", "service"] = "user"
    svc: str = ""
    prv: int | msgspec.UnsetType = msgspec.UNSET
    """Until when (Unix time) the person counts as proved; never in an access token."""
    scopes: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Absent where it says nothing, so that services of before understand the token."""


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    private: str = field(repr=False)
    public: str


class TokenSigner:
    """Signs and verifies tokens of one type.

    It signs with the first secret; tokens of the others count too, while the secret changes.
    """

    def __init__(self, secrets: Sequence[SecretStr], purpose: str) -> None:
        self._type = f"opsjob-{purpose}"
        self._secrets = [one.get_secret_value().encode() for one in secrets]
        info = f"opsjob/{purpose}/key id".encode()
        self._ids = [hmac.digest(one, info, "sha256").hex()[:8] for one in self._secrets]
        self._info = f"opsjob/{purpose}/v2/"
        self._keys: dict[str, _Key] = {}

    def sign(self, claims: Claims, at: float) -> str:
        """The token of these claims, with the key of now."""
        key = self._key(0, int(at) // KEY_SECONDS)
        headers = {"typ": self._type, "kid": key.id}
        return jws.sign(msgspec.json.encode(claims), key.private, headers, ALGORITHM)

    def verify(self, token: str, at: float) -> Claims:
        """The claims of a good token; Unauthenticated for any other, without saying why."""
        if len(token) > MAX_TOKEN or not _SHAPE.fullmatch(token):
            raise Unauthenticated
        header, _, signature = token.split(".")
        if urlsafe_b64encode(urlsafe_b64decode(signature + "==")).decode().rstrip("=") != signature:
            raise Unauthenticated  # a second spelling of the same signature
        try:
            facts = msgspec.json.decode(urlsafe_b64decode(header + "=="), type=dict[str, str])
            key = self._named(facts.get("kid", ""), at)
            payload = jws.verify(token, key.public, [ALGORITHM])
            claims = msgspec.json.decode(payload, type=Claims)
        except (JOSEError, ValueError) as error:
            raise Unauthenticated from error
        good = facts == {"alg": ALGORITHM, "typ": self._type, "kid": key.id}
        if not good or claims.iss != ISSUER or claims.exp <= at:
            raise Unauthenticated
        return claims

    def _named(self, key_id: str, at: float) -> _Key:
        found = _KEY_ID.fullmatch(key_id)
        if found is None or found[1] not in self._ids:
            raise Unauthenticated
        day = int(found[2])
        if abs(day - int(at) // KEY_SECONDS) > 1 or str(day) != found[2]:
            raise Unauthenticated
        return self._key(self._ids.index(found[1]), day)

    def _key(self, number: int, day: int) -> _Key:
        key_id = f"{self._ids[number]}.{day}"
        key = self._keys.get(key_id)
        if key is None:
            if len(self._keys) >= _MOST_KEYS:
                self._keys.clear()
            key = self._keys[key_id] = _derived(self._secrets[number], f"{self._info}{day}", key_id)
        return key


def _derived(secret: bytes, info: str, key_id: str) -> _Key:
    seed = HKDF(SHA256(), 48, salt=None, info=info.encode()).derive(secret)
    key = ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return _Key(key_id, private.decode(), public.decode())
