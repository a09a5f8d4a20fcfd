"""Secrets do not show in any usual spelling, however the bytes are cut, and nothing else hides."""

import base64
import json
import random
import re
import time
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.masking import MASK, Mask, MaskedStream, is_maskable, spellings

SECRET = 'p4ss/w\u00f6rd "x" & more?'
KEY = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA7bq\nabc\nzX9vQ2lPq8sT1w==\n-----END KEY-----\n"


def masked(values: Iterable[str], parts: Iterable[bytes]) -> bytes:
    stream = MaskedStream(Mask(spellings(values)))
    return b"".join(stream.feed(part) for part in parts) + stream.finish()


def cut(text: bytes, places: Iterable[int]) -> list[bytes]:
    at = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(at)]


@pytest.mark.parametrize(
    "spelt",
    [
        SECRET,
        json.dumps({"a": SECRET}),
        json.dumps({"a": SECRET}, ensure_ascii=False),
        json.dumps(SECRET).replace("/", "\\/"),
        quote(SECRET),
        quote(SECRET, safe=""),
        re.sub("%..", lambda found: found[0].lower(), quote(SECRET, safe="")),
        quote_plus(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
    ],
)
def test_every_spelling_is_hidden(spelt: str) -> None:
    text = f"before {spelt} after\n".encode()

    out = masked([SECRET], [text])

    assert out.startswith(b"before ")
    assert out.endswith(b" after\n")
    assert out.count(MASK) >= 1
    for word in ("w\u00f6rd", "more", "6d6f7265", "6D6F7265"):
        assert word.encode() not in out


@given(st.binary(max_size=5), st.text(min_size=6, max_size=40), st.binary(max_size=5))
def test_base64_is_hidden_at_every_alignment(before: bytes, value: str, after: bytes) -> None:
    if not is_maskable(value):
        return
    raw = before + value.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert MASK in masked([value], [b"x " + encode(raw) + b" y"])


def test_base64_broken_into_lines_is_hidden() -> None:
    value = random.Random(7).randbytes(199).hex()

    out = masked([value], [base64.encodebytes(value.encode())])

    assert not set(out) - set(b"*\n")


def test_each_line_of_several_is_hidden_and_short_ones_are_not() -> None:
    out = masked([KEY], [b"a MIIEowIBAAKCAQEA7bq b\r\nzX9vQ2lPq8sT1w==\r\nabc\n"])

    assert out == b"a *** b\r\n***\r\nabc\n"
    assert masked([KEY], [KEY.encode()]) == MASK


@pytest.mark.parametrize(("value", "expected"), [("12345", False), ("123456", True), ("", False)])
def test_short_values_are_not_masked(value: str, expected: bool) -> None:
    assert is_maskable(value) is expected
    assert bool(spellings([value])) is expected


def test_a_cut_at_every_offset_changes_nothing() -> None:
    values = [SECRET, KEY, "abcabcabd", "abcabc"]
    text = "".join(
        f"x{spelt}y" for value in values for spelt in (value, json.dumps(value), quote(value))
    ).encode()
    text += base64.b64encode(KEY.encode()) + b"abcabcabcabd p4ss/w"
    whole = masked(values, [text])

    for place in range(len(text)):
        assert masked(values, [text[:place], text[place:]]) == whole
    assert masked(values, (text[at : at + 1] for at in range(len(text)))) == whole


_letters = st.text("ab\n", min_size=6, max_size=12)


@given(
    st.lists(_letters, min_size=1, max_size=4),
    st.lists(st.one_of(st.text("ab\n", max_size=30), _letters), max_size=6),
    st.lists(st.integers(0, 10_000), max_size=8),
)
def test_no_cut_changes_the_output_and_no_value_shows(
    values: list[str], pieces: list[str], places: list[int]
) -> None:
    text = "".join([*pieces, *values[:1]]).encode()

    whole = masked(values, [text])

    assert masked(values, cut(text, places)) == whole
    for form in spellings(values):
        assert form not in whole


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_bytes_without_a_secret_pass_unchanged(text: bytes, places: list[int]) -> None:
    assert masked(["never in there \u2603"], cut(text, places)) == text


def test_only_what_may_become_a_secret_waits() -> None:
    stream = MaskedStream(Mask(spellings(["hunter2-secret"])))

    assert stream.feed(b"say hun") == b"say "
    assert stream.feed(b"ger") == b"hunger"
    assert stream.feed(b"hunter2-secre") == b""
    assert not stream.can_release
    assert stream.feed(b"t!") == b"***!"


def test_the_start_of_a_secret_at_the_very_end_is_hidden_from_six_bytes_on() -> None:
    assert masked(["hunter2-secret"], [b"x hunter2-sec"]) == b"x ***"
    assert masked(["hunter2-secret"], [b"x hunt"]) == b"x hunt"


def test_a_pause_shows_a_few_held_bytes_and_still_hides_the_rest() -> None:
    stream = MaskedStream(Mask(spellings(["hunter2-secret"])))

    assert stream.feed(b"run h") == b"run "
    assert stream.can_release
    assert stream.release() == b"h"
    assert not stream.can_release
    assert stream.release() == b""
    assert stream.feed(b"unter2-secret.") == b"***."
    assert stream.feed(b"hu") == b""
    assert stream.release() == b"hu"
    assert stream.feed(b"rry hunt") == b"rry "
    assert not stream.can_release


@given(
    st.lists(st.sampled_from([b"a", b"b", b"ab", b"abaaba", b"c"]), max_size=20),
    st.sets(st.integers(0, 20)),
)
def test_pauses_at_any_place_show_no_secret_and_lose_no_byte(
    parts: list[bytes], pauses: set[int]
) -> None:
    stream = MaskedStream(Mask(spellings(["abaaba"])))
    out = b""
    for number, part in enumerate(parts):
        out += stream.feed(part)
        if number in pauses:
            out += stream.release()
    out += stream.finish()

    assert b"abaaba" not in out
    if b"abaaba" not in b"".join(parts):
        assert out.replace(MASK, b"") in b"".join(parts)


def test_values_for_later_steps_can_be_checked() -> None:
    mask = Mask(spellings([SECRET]))

    assert mask.hides_in(f"x{SECRET}")
    assert mask.hides_in(base64.b64encode(SECRET.encode()).decode())
    assert not mask.hides_in("harmless")


def test_hundreds_of_long_secrets_do_not_stop_the_output() -> None:
    generator = random.Random(3)
    values = ["\n".join(generator.randbytes(30).hex() for _ in range(40)) for _ in range(20)]
    text = b"2026-01-02 INFO a line of a log with words and numbers 12345\n" * 20_000
    stream = MaskedStream(Mask(spellings(values)))

    began = time.process_time()
    assert stream.feed(text) + stream.finish() == text

    assert time.process_time() - began < 2
