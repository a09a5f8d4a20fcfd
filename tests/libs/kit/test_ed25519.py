"""Signatures are believed from any honest library, and nothing else is: no second spelling, no key
for which anybody can sign."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.kit.ed25519 import Pen, is_signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAW = KEY.public_key().public_bytes_raw()
PUBLIC = base64.b64encode(RAW).decode()
SAID = b"opsjob/result/v1\0{}"
SIG = KEY.sign(SAID)

ORDER = 2**252 + 27742317777372353535851937790883648493
PRIME = 2**255 - 19
SIGN_BIT = 1 << 255

# The y of all points whose order divides eight, as the curve has them and as they can be
# written besides.
OF_ORDER_EIGHT = (
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
)
WEAK = [y | bit for y in (0, 1, PRIME - 1, *OF_ORDER_EIGHT) for bit in (0, SIGN_BIT)]
SPELT_OTHERWISE = [y | bit for y in (PRIME, PRIME + 1) for bit in (0, SIGN_BIT)]


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def point(y: int) -> bytes:
    return y.to_bytes(32, "little")


def test_a_pen_writes_what_the_rfc_says_and_what_other_libraries_write() -> None:
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    written = Pen(Ed25519PrivateKey.from_private_bytes(seed)).sign(b"\x72")

    assert written.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert Pen(KEY).sign(SAID) == SIG
    KEY.public_key().verify(Pen(KEY).sign(b""), b"")


def test_what_was_signed_is_believed_and_nothing_near_it() -> None:
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()

    assert is_signed(PUBLIC, text(SIG), SAID)
    assert is_signed(PUBLIC, text(KEY.sign(b"")), b"")
    assert not is_signed(PUBLIC, text(SIG), SAID + b" ")
    assert not is_signed(text(other), text(SIG), SAID)
    for place in range(64):
        bent = SIG[:place] + bytes([SIG[place] ^ 1]) + SIG[place + 1 :]
        assert not is_signed(PUBLIC, text(bent), SAID)


@pytest.mark.parametrize("more", [1, 2, 15])
def test_a_signature_has_one_spelling(more: int) -> None:
    number = int.from_bytes(SIG[32:], "little") + more * ORDER

    assert not is_signed(PUBLIC, text(SIG[:32] + number.to_bytes(32, "little")), SAID)


@pytest.mark.parametrize("y", [*WEAK, *SPELT_OTHERWISE], ids=hex)
def test_no_key_is_believed_for_which_anybody_can_sign(y: int) -> None:
    """Zero would sign one statement of eight where such keys are let in, as OpenSSL does."""
    for first in (point(1), point(y)):
        forged = text(first + bytes(32))
        assert not any(is_signed(text(point(y)), forged, bytes([one])) for one in range(64))


@pytest.mark.parametrize("y", [*WEAK, *SPELT_OTHERWISE, 2, SIGN_BIT - 1], ids=hex)
def test_no_signature_begins_with_a_weak_point_or_with_none(y: int) -> None:
    assert not is_signed(PUBLIC, text(point(y) + SIG[32:]), SAID)
    assert not is_signed(PUBLIC, text(point(y) + bytes(32)), SAID)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_a_key_of_another_length_is_none(length: int) -> None:
    assert not is_signed(text((RAW + RAW)[:length]), text(SIG), SAID)


@pytest.mark.parametrize("length", [1, 32, 63])
def test_a_signature_cannot_be_continued_by_the_statement(length: int) -> None:
    assert not is_signed(PUBLIC, text(SIG[:length]), SIG[length:] + SAID)
    assert not is_signed(PUBLIC, text(SIG + SAID[:length]), SAID[length:])


@pytest.mark.parametrize(
    "bad", ["", "=", "A", "!", "ä", "\ud800", "\0", PUBLIC + "=", f" {PUBLIC}"]
)
def test_what_is_no_base64_has_signed_nothing(bad: str) -> None:
    assert not is_signed(bad, text(SIG), SAID)
    assert not is_signed(PUBLIC, bad, SAID)
    assert not is_signed(PUBLIC, f"?{text(SIG)}", SAID)


def test_a_pen_does_not_show_its_key() -> None:
    shown = repr(Pen(KEY))

    assert KEY.private_bytes_raw().hex() not in shown
    assert text(KEY.private_bytes_raw()) not in shown
    assert "_secret" not in shown
