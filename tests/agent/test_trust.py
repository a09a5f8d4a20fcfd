"""Whose orders count: every byte of them and of the bundle that says so."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.trust import TrustStore, Untrusted
from libs.protocol import messages as m
from libs.protocol.codec import MAX_SIGNED_BYTES, decode
from libs.protocol.envelope import exact, read_order
from libs.protocol.errors import ProtocolError
from libs.protocol.signed import Signed
from tests.agent.authority import Authority
from tests.agent.gateway import AGENT_ID, order

NOW = 1_800_000_000.0


def root_of(bundle: str) -> object:
    """The root key that a bundle names."""
    return json.loads(bundle)["root"]


@pytest.fixture
def authority() -> Authority:
    """The platform."""
    return Authority()


@pytest.fixture
def store(tmp_path: Path, authority: Authority) -> TrustStore:
    """What an agent of that platform believes."""
    store = TrustStore(str(tmp_path / "trust.json"))
    store.update(authority.bundle())
    return store


def accepts(store: TrustStore, frame: bytes) -> bool:
    """Whether an agent would carry out what is in a frame."""
    try:
        signed = decode(frame, limit=MAX_SIGNED_BYTES)
        if not isinstance(signed, Signed):
            return False
        store.check(signed.purpose, signed.kid, signed.payload, signed.sig, NOW)
        read_order(signed.purpose, exact(signed.payload))
    except (ProtocolError, Untrusted):
        return False
    return True


@pytest.mark.parametrize(
    "message",
    [
        m.Offer(order("t1", "true")),
        m.Grant("t1", 1, 1, "boot-1"),
        m.Cancel("t1", 1, "cancelled", 10),
    ],
    ids=["run", "grant", "cancel"],
)
def test_s6_no_byte_of_an_order_can_be_changed(
    store: TrustStore, authority: Authority, message: m.Offer | m.Grant | m.Cancel
) -> None:
    """Every bit of every byte, every byte left out, every byte doubled: none is carried out."""
    frame = authority.frame(message, AGENT_ID).encode()
    assert accepts(store, frame)

    taken = [
        (place, bit)
        for place in range(len(frame))
        for bit in range(8)
        if accepts(store, _flipped(frame, place, bit))
    ]
    cut = [n for n in range(len(frame)) if accepts(store, frame[:n] + frame[n + 1 :])]
    doubled = [n for n in range(len(frame)) if accepts(store, frame[: n + 1] + frame[n:])]

    assert (taken, cut, doubled) == ([], [], [])


def _flipped(frame: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(frame)
    changed[place] ^= 1 << bit
    return bytes(changed)


def test_no_part_of_one_order_serves_in_another(store: TrustStore, authority: Authority) -> None:
    """Signatures, payloads and names of keys of two good orders, exchanged in every way."""
    one = json.loads(authority.frame(m.Offer(order("t1", "true")), AGENT_ID))
    two = json.loads(authority.frame(m.Grant("t1", 1, 1, "boot-1"), AGENT_ID))
    for names in ({"sig"}, {"payload"}, {"purpose"}, {"payload", "purpose"}, {"sig", "payload"}):
        mixed = {name: (two if name in names else one)[name] for name in one}
        assert not accepts(store, json.dumps(mixed).encode()), names


def test_spare_bits_of_base64_are_not_spare(store: TrustStore, authority: Authority) -> None:
    """The same bytes spelled differently would let an order be told from its copy."""
    signed = json.loads(authority.frame(m.Offer(order("t1", "true")), AGENT_ID))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = signed["sig"][-3]
    other = letters[letters.index(last) ^ 1]
    respelled = signed["sig"][:-3] + other + "=="

    assert base64.b64decode(respelled) == base64.b64decode(signed["sig"])
    assert not accepts(store, json.dumps(signed | {"sig": respelled}).encode())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"purposes": ["task.cancel"]}, "purpose_not_allowed"),
        ({"kids": ["self"]}, "key_revoked"),
    ],
)
def test_a_certificate_holds_for_its_purposes_until_it_is_revoked(
    tmp_path: Path, authority: Authority, changes: dict[str, Any], reason: str
) -> None:
    if "kids" in changes:
        changes = {"kids": [authority.kid]}
    store = TrustStore(str(tmp_path / "trust.json"))
    store.update(authority.bundle(**changes))

    with pytest.raises(Untrusted, match=reason):
        _check(store, authority, NOW)


@pytest.mark.parametrize("now", [0.0, 10_000_000_000.0])
def test_a_certificate_holds_for_its_time(
    store: TrustStore, authority: Authority, now: float
) -> None:
    with pytest.raises(Untrusted, match="key_expired"):
        _check(store, authority, now)


def _check(store: TrustStore, authority: Authority, now: float) -> None:
    signed = json.loads(authority.frame(m.Offer(order("t1", "true")), AGENT_ID))
    store.check(signed["purpose"], signed["kid"], signed["payload"], signed["sig"], now)


def test_no_byte_of_a_bundle_can_be_changed(tmp_path: Path, authority: Authority) -> None:
    text = authority.bundle(number=3)
    wrong = [
        place
        for place in range(len(text))
        if _is_believed(tmp_path / f"trust-{place}", authority, _flipped(text.encode(), place, 0))
    ]

    assert wrong == []
    assert _is_believed(tmp_path / "trust", authority, text.encode())


def _is_believed(path: Path, authority: Authority, bundle: bytes) -> bool:
    """Whether an order of the real platform would count with this bundle, or the file exists."""
    store = TrustStore(str(path))
    try:
        store.update(bundle.decode())
        _check(store, authority, NOW)
    except (Untrusted, UnicodeDecodeError):
        return path.exists() and root_of(path.read_text()) == root_of(authority.bundle())
    return True


def test_a_key_of_the_root_signs_no_orders(store: TrustStore, authority: Authority) -> None:
    """Not even the root key may give orders: it has no certificate."""
    as_root = Authority(root=authority.root, signer=authority.root)
    frame = as_root.frame(m.Offer(order("t1", "true")), AGENT_ID)

    assert not accepts(store, frame.encode())
    assert not accepts(store, frame.replace(as_root.kid, authority.kid).encode())
    assert not accepts(store, frame.replace(as_root.kid, "root").encode())


def test_a_gateway_cannot_certify_itself(tmp_path: Path, authority: Authority) -> None:
    mine = Authority(root=Ed25519PrivateKey.generate())
    store = TrustStore(str(tmp_path / "trust.json"))
    store.update(authority.bundle())
    forged = json.loads(authority.bundle(number=5))
    forged["certificates"] = json.loads(mine.bundle())["certificates"]

    with pytest.raises(Untrusted, match="bad_signature"):
        store.update(json.dumps(forged))


def test_what_the_disk_refuses_is_in_force_and_stored_when_it_comes_again(
    tmp_path: Path, authority: Authority
) -> None:
    folder = tmp_path / "later"
    store = TrustStore(str(folder / "trust.json"))
    frame = authority.frame(m.Grant("t1", 1, 1, "boot-1"), AGENT_ID).encode()

    with pytest.raises(OSError, match="No such file"):
        store.update(authority.bundle())
    assert accepts(store, frame)
    folder.mkdir()
    store.update(authority.bundle())

    assert accepts(TrustStore(str(folder / "trust.json")), frame)
