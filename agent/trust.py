"""Whose orders count: the root key, once known, never changes; lists of revoked keys never age."""

from __future__ import annotations

from dataclasses import dataclass

from agent.ed25519 import public_key
from agent.known_answer import PublicKey
from agent.state import read_if_there, write_durably
from libs.protocol.envelope import (
    CERTIFICATE,
    REVOCATION,
    Bundle,
    Certificate,
    Revocation,
    Vouched,
    exact,
    read_bundle,
    read_certificate,
    read_revocation,
    statement,
)
from libs.protocol.errors import ProtocolError
from libs.protocol.moments import instant

SKEW_SECONDS = 60.0


class Untrusted(Exception):
    """A bundle or an order that does not count; the text is a word of the protocol."""


@dataclass(frozen=True)
class _Certified:
    """A key for some purposes, from `begin` to `end`, in seconds since 1970."""

    key: PublicKey
    purposes: tuple[str, ...]
    begin: float
    end: float

    @classmethod
    def by(cls, one: Certificate) -> _Certified:
        begin, end = instant(one.not_before), instant(one.expires)
        return cls(_key(one.public_key), one.purposes, begin, end)


class TrustStore:
    """The bundle of this agent. Without one nothing counts; the first one is believed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._bundle: Bundle | None = None
        self._keys: dict[str, _Certified] = {}
        self._revocation: Revocation | None = None
        self._is_damaged = False
        self._is_stored = True
        content = read_if_there(path)
        if content is not None:
            try:
                known = _believed(content.decode("utf-8", "replace"))
                self._bundle, self._revocation, self._keys = known
            except Untrusted:
                self._is_damaged = True  # whoever can damage it must not choose the next root key

    def update(self, text: str) -> None:
        """Replace the bundle by a newer one, durably; raises Untrusted.

        Its root key must be the one that is known, and its list of revoked keys not older. It is
        in force also when the disk refuses it (OSError), and stored when it comes again.
        """
        before = self._bundle
        if self._is_damaged:
            raise Untrusted("trust_damaged")
        try:
            bundle = read_bundle(text)
            if before is not None and bundle.root != before.root:
                raise Untrusted("root_changed")
            revocation = read_revocation(_vouched(bundle, bundle.revocation, REVOCATION))
        except ProtocolError:
            raise Untrusted("bundle_unreadable") from None
        if self._revocation is not None and revocation.number < self._revocation.number:
            raise Untrusted("bundle_outdated")
        if bundle == before and self._is_stored:
            return
        self._bundle, self._revocation, self._keys = _believed(text)
        self._is_stored = False
        write_durably(self._path, text.encode())
        self._is_stored = True

    def check(self, purpose: str, kid: str, payload: str, sig: str, now: float) -> None:
        """Raises Untrusted unless a certified key signed exactly this for exactly this purpose.

        `payload` and `sig` are base64; `now` is seconds since 1970.
        """
        if self._bundle is None or self._revocation is None:
            raise Untrusted("trust_damaged" if self._is_damaged else "no_trust_yet")
        if kid in self._revocation.kids:
            raise Untrusted("key_revoked")
        if kid not in self._keys:
            raise Untrusted("key_unknown")
        certificate = self._keys[kid]
        if purpose not in certificate.purposes:
            raise Untrusted("purpose_not_allowed")
        if not certificate.begin - SKEW_SECONDS <= now < certificate.end + SKEW_SECONDS:
            raise Untrusted("key_expired")
        _verify(certificate.key, sig, purpose, payload)


def _believed(text: str) -> tuple[Bundle, Revocation, dict[str, _Certified]]:
    """A bundle, its list and its keys; raises Untrusted unless its root vouches for all of it."""
    try:
        bundle = read_bundle(text)
        revocation = read_revocation(_vouched(bundle, bundle.revocation, REVOCATION))
        found = [
            read_certificate(_vouched(bundle, one, CERTIFICATE)) for one in bundle.certificates
        ]
        return bundle, revocation, {one.kid: _Certified.by(one) for one in found}
    except (ProtocolError, ValueError):
        raise Untrusted("bundle_unreadable") from None


def _vouched(bundle: Bundle, vouched: Vouched, purpose: str) -> bytes:
    """A payload that the root key of this bundle signed for this purpose."""
    return _verify(_key(bundle.root), vouched.sig, purpose, vouched.payload)


def _verify(key: PublicKey, sig: str, purpose: str, payload: str) -> bytes:
    try:
        raw = exact(payload)
        signature, signed = exact(sig), statement(purpose, raw)
    except ProtocolError:
        raise Untrusted("bad_signature") from None
    if not key.has_signed(signature, signed):
        raise Untrusted("bad_signature")
    return raw


def _key(text: str) -> PublicKey:
    try:
        return public_key(exact(text))
    except ValueError:
        raise Untrusted("bundle_unreadable") from None
