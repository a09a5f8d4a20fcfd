"""Who may give orders to agents: the root key, the keys that it certifies, those it revoked.

Everything here is public and vouches for itself: whoever carries a bundle can withhold it, not
change it. The same form is read by agents in `libs.protocol.envelope`; golden vectors tie the two
together.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from libs.kit.ed25519 import is_signed

RUN: Final = "task.run"
GRANT: Final = "task.grant"
CANCEL: Final = "task.cancel"
ORDER_PURPOSES: Final = (RUN, GRANT, CANCEL)
CERTIFICATE: Final = "certificate"
REVOCATION: Final = "revocation"
PURPOSES: Final = frozenset((*ORDER_PURPOSES, "control", "config", CERTIFICATE, REVOCATION))

MAX_BUNDLE: Final = 64 * 1024
SKEW: Final = timedelta(minutes=5)
"""How much earlier than now a certificate begins, for clocks that are a little behind."""

_LENGTH = struct.Struct(">Q")
_Kid = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,64}$")]


class TrustInvalid(Exception):
    """A bundle that its root key does not vouch for, or that is no bundle; the text says why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Certificate(_Strict):
    """The root vouches for a key, for these purposes, for this time."""

    purpose: Literal["certificate"] = "certificate"
    kid: _Kid
    public_key: str
    purposes: list[str]
    not_before: datetime
    expires: datetime

    def holds(self, purpose: str, now: datetime) -> bool:
        """Whether what this key signs for a purpose counts now."""
        return purpose in self.purposes and self.not_before <= now < self.expires


class Revocation(_Strict):
    """Keys that count for nothing any more; a list with a lower number is never obeyed."""

    purpose: Literal["revocation"] = "revocation"
    number: Annotated[int, Field(ge=0, le=2**53)]
    kids: list[_Kid]
    issued_at: datetime


class Vouched(_Strict):
    """A payload that the root key signed."""

    payload: str
    sig: str


class Bundle(_Strict):
    """All that an agent needs to check orders; only the root key in it has to be believed."""

    v: Literal[1] = 1
    root: str
    certificates: list[Vouched]
    revocation: Vouched

    def text(self) -> str:
        """As it is sent and stored."""
        return self.model_dump_json()


class Checked(BaseModel):
    """What a bundle says, after the root key's signatures were checked."""

    model_config = ConfigDict(frozen=True)

    root: str
    certificates: list[Certificate]
    revocation: Revocation

    def certificate(self, kid: str) -> Certificate | None:
        """The certificate of a key that is not revoked."""
        if kid in self.revocation.kids:
            return None
        return next((one for one in self.certificates if one.kid == kid), None)


# ---- signing ---------------------------------------------------------------------------------


def statement(purpose: str, payload: bytes) -> bytes:
    """The bytes that are signed: a prefix for one purpose, the length, the payload."""
    if purpose not in PURPOSES:
        raise ValueError(purpose)
    return b"".join((f"opsjob/{purpose}/v1\0".encode(), _LENGTH.pack(len(payload)), payload))


def public_text(key: Ed25519PrivateKey) -> str:
    """The raw public half in base64."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def key_id(public_key: str) -> str:
    """The name of a key, which follows from it."""
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()[:16]


def fingerprint(root: str) -> str:
    """The root key for people to compare."""
    digest = hashlib.sha256(base64.b64decode(root)).hexdigest()
    return ":".join(digest[start : start + 4] for start in range(0, 32, 4))


class Signs(Protocol):
    """A private key, of whatever library."""

    def sign(self, data: bytes, /) -> bytes:
        """The signature."""


def signed_frame(key: Signs, kid: str, purpose: str, payload: bytes) -> bytes:
    """The message that carries an order to an agent."""
    sig = base64.b64encode(key.sign(statement(purpose, payload)))
    head = f'{{"type":"signed","v":1,"purpose":"{purpose}","kid":"{kid}","payload":"'.encode()
    return b"".join((head, base64.b64encode(payload), b'","sig":"', sig, b'"}'))


def certified(
    root: Ed25519PrivateKey,
    public_key: str,
    *,
    purposes: Sequence[str] = ORDER_PURPOSES,
    now: datetime,
    life: timedelta,
) -> Vouched:
    """The root vouches for a key for these purposes from now on, for `life`."""
    certificate = Certificate(
        kid=key_id(public_key),
        public_key=public_key,
        purposes=list(purposes),
        not_before=now - SKEW,
        expires=now + life,
    )
    return _vouched(root, CERTIFICATE, certificate)


def revoked(root: Ed25519PrivateKey, kids: Sequence[str], *, number: int, now: datetime) -> Vouched:
    """The list of all keys that are revoked, with a number above that of the list before."""
    listed = Revocation(number=number, kids=sorted(set(kids)), issued_at=now)
    return _vouched(root, REVOCATION, listed)


def _vouched(root: Ed25519PrivateKey, purpose: str, what: Certificate | Revocation) -> Vouched:
    fields = {
        name: _moment(value) if isinstance(value, datetime) else value for name, value in what
    }
    payload = json.dumps(fields, separators=(",", ":")).encode()
    sig = root.sign(statement(purpose, payload))
    return Vouched(payload=base64.b64encode(payload).decode(), sig=base64.b64encode(sig).decode())


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


# ---- checking --------------------------------------------------------------------------------

_Said = TypeVar("_Said", Certificate, Revocation)


def checked(text: str, *, root: str | None = None) -> Checked:
    """What a bundle says. Raises TrustInvalid unless its root key signed all of it.

    With `root` it must be that key.
    """
    if len(text) > MAX_BUNDLE:
        raise TrustInvalid("too_large")
    try:
        bundle = Bundle.model_validate_json(text)
    except ValidationError:
        raise TrustInvalid("no_bundle") from None
    if root is not None and bundle.root != root:
        raise TrustInvalid("other_root")
    return Checked(
        root=bundle.root,
        certificates=[_said(bundle.root, one, Certificate) for one in bundle.certificates],
        revocation=_said(bundle.root, bundle.revocation, Revocation),
    )


def _said(root: str, vouched: Vouched, kind: type[_Said]) -> _Said:
    purpose = CERTIFICATE if kind is Certificate else REVOCATION
    try:
        payload = base64.b64decode(vouched.payload, validate=True)
        if is_signed(root, vouched.sig, statement(purpose, payload)):
            return kind.model_validate_json(payload)
    except ValueError:
        raise TrustInvalid("not_vouched_for") from None
    raise TrustInvalid("not_vouched_for")
