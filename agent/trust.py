"""Whose orders count: the root key, once known, never changes; lists of revoked keys never age.

Only the signer process imports this, because it needs cryptography.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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


class TrustStore:
    """The bundle of this agent. Without one nothing counts; the first one is believed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._bundle: Bundle | None = None
        self._keys: dict[str, tuple[Certificate, Ed25519PublicKey]] = {}
        self._revocation: Revocation | None = None
        self._is_damaged = False
        content = read_if_there(path)
        if content is not None:
            try:
                self._accept(content.decode("utf-8", "replace"))
            except Untrusted:
                self._is_damaged = True  # whoever can damage it must not choose the next root key

    def update(self, text: str) -> None:
        """Replace the bundle by a newer one, durably; raises Untrusted.

        Its root key must be the one that is known, and its list of revoked keys not older.
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
        if bundle == before:
            return
        self._accept(text)
        write_durably(self._path, text.encode())

    def _accept(self, text: str) -> None:
        try:
            bundle = read_bundle(text)
            revocation = read_revocation(_vouched(bundle, bundle.revocation, REVOCATION))
            found = [
                read_certificate(_vouched(bundle, one, CERTIFICATE)) for one in bundle.certificates
            ]
            keys = {one.kid: (one, _key(one.public_key)) for one in found}
        except ProtocolError:
            raise Untrusted("bundle_unreadable") from None
        self._bundle, self._revocation, self._keys = bundle, revocation, keys

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
        certificate, key = self._keys[kid]
        if purpose not in certificate.purposes:
            raise Untrusted("purpose_not_allowed")
        begin, end = instant(certificate.not_before), instant(certificate.expires)
        if not begin - SKEW_SECONDS <= now < end + SKEW_SECONDS:
            raise Untrusted("key_expired")
        _verify(key, sig, purpose, payload)


def _vouched(bundle: Bundle, vouched: Vouched, purpose: str) -> bytes:
    """A payload that the root key of this bundle signed for this purpose."""
    return _verify(_key(bundle.root), vouched.sig, purpose, vouched.payload)


def _verify(key: Ed25519PublicKey, sig: str, purpose: str, payload: str) -> bytes:
    try:
        raw = exact(payload)
        key.verify(exact(sig), statement(purpose, raw))
    except (ProtocolError, InvalidSignature):
        raise Untrusted("bad_signature") from None
    return raw


def _key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(exact(text))
    except ValueError:
        raise Untrusted("bundle_unreadable") from None
