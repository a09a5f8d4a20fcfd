"""Envelopes: the golden vectors that tie the platform's form to the one agents read."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from libs.contracts import trust
from libs.protocol import envelope
from libs.protocol.codec import decode
from libs.protocol.errors import ProtocolError
from libs.protocol.signed import Signed

VECTORS = json.loads((Path(__file__).parent / "envelopes.json").read_text())
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def key(name: str) -> Ed25519PrivateKey:
    """The private key of a vector."""
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(VECTORS[name]))


@pytest.mark.parametrize("vector", VECTORS["orders"], ids=lambda one: one["purpose"])
def test_an_order_is_signed_as_its_vector_says_and_read_back(vector: dict[str, str]) -> None:
    signer = key("signer")
    kid = trust.key_id(trust.public_text(signer))
    payload = vector["payload"].encode()

    frame = trust.signed_frame(signer, kid, vector["purpose"], payload)

    assert frame.decode() == vector["frame"]
    signed = decode(frame)
    assert isinstance(signed, Signed)
    raw = envelope.exact(signed.payload)
    signer.public_key().verify(envelope.exact(signed.sig), envelope.statement(signed.purpose, raw))
    assert envelope.read_order(signed.purpose, raw).message().type == vector["message"]


def test_a_bundle_is_made_as_its_vector_says_and_read_back() -> None:
    root, signer = key("root"), key("signer")
    certificate = trust.certified(root, trust.public_text(signer), now=AT, life=timedelta(days=30))
    listed = trust.revoked(root, ["0123456789abcdef"], number=7, now=AT)
    text = trust.Bundle(
        root=trust.public_text(root), certificates=[certificate], revocation=listed
    ).text()

    assert text == VECTORS["bundle"]
    bundle = envelope.read_bundle(text)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(bundle.root))
    for vouched, purpose in (
        (bundle.certificates[0], envelope.CERTIFICATE),
        (bundle.revocation, envelope.REVOCATION),
    ):
        raw = envelope.exact(vouched.payload)
        public.verify(envelope.exact(vouched.sig), envelope.statement(purpose, raw))
    first = envelope.read_certificate(envelope.exact(bundle.certificates[0].payload))
    assert first.public_key == trust.public_text(signer)
    assert envelope.read_revocation(envelope.exact(bundle.revocation.payload)).number == 7
    said = trust.checked(text)
    assert said.certificate(first.kid) is not None
    assert said.certificate("0123456789abcdef") is None


@pytest.mark.parametrize("purpose", sorted(trust.PURPOSES))
def test_every_purpose_has_its_own_prefix_on_both_sides(purpose: str) -> None:
    assert envelope.statement(purpose, b"x") == trust.statement(purpose, b"x")
    assert envelope.statement(purpose, b"x") == (
        b"opsjob/" + purpose.encode() + b"/v1\0" + b"\0\0\0\0\0\0\0\x01" + b"x"
    )


def test_both_sides_know_the_same_purposes() -> None:
    assert set(envelope.PURPOSES) == trust.PURPOSES
    assert envelope.ORDER_PURPOSES == trust.ORDER_PURPOSES


@pytest.mark.parametrize("purpose", ["", "task.runs", "Task.run", "certificate "])
def test_nothing_is_signed_or_read_for_a_purpose_that_nobody_knows(purpose: str) -> None:
    with pytest.raises(ProtocolError):
        envelope.statement(purpose, b"")
    with pytest.raises(ValueError, match=f"^{purpose}$"):
        trust.statement(purpose, b"")
    with pytest.raises(ProtocolError):
        envelope.read_order(purpose, b"{}")


@pytest.mark.parametrize("text", ["AB==\n", "AB", "AB=", "A===", "AC==", "AAF=", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(ProtocolError):
        envelope.exact(text)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"root": trust.public_text(Ed25519PrivateKey.generate())}, "not_vouched_for"),
        ({"v": 2}, "no_bundle"),
        ({"more": 1}, "no_bundle"),
        ({"certificates": [{"payload": "AAAA", "sig": "AAAA"}]}, "not_vouched_for"),
    ],
)
def test_a_bundle_that_its_root_does_not_vouch_for_is_refused(
    change: dict[str, object], why: str
) -> None:
    changed = json.dumps(json.loads(VECTORS["bundle"]) | change)

    with pytest.raises(trust.TrustInvalid, match=why):
        trust.checked(changed)
