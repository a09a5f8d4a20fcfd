"""Frames keep bytes exactly, and damage is seen wherever it is."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.segments.domain import (
    HEADER,
    Frame,
    FrameDamaged,
    Kind,
    frames,
    gap_data,
    readable,
)

TASK = str(uuid.UUID(int=7))


def make_frame(data: bytes = b"hello\n", *, seq: int = 0, offset: int = 0) -> Frame:
    return Frame(Kind.OUTPUT, TASK, 1, "stdout", seq, offset, data)


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_r23_raw_bytes_come_back_as_they_were(chunks: list[bytes]) -> None:
    written = [make_frame(data, seq=seq) for seq, data in enumerate(chunks)]

    read = [frame for _, frame in frames(b"".join(frame.encode() for frame in written))]

    assert read == written


def _reads(block: bytes) -> bool:
    """Whether the first frame is accepted; a length beyond the block hides it as well."""
    try:
        return any(True for _ in frames(block))
    except FrameDamaged:
        return False


def test_a_frame_that_is_cut_off_is_left_for_later() -> None:
    block = make_frame().encode() + make_frame(seq=1).encode()

    assert [frame.seq for _, frame in frames(block[:-1])] == [0]


@pytest.mark.parametrize("place", range(HEADER.size + 6))
def test_a_changed_byte_is_noticed_wherever_it_is(place: int) -> None:
    block = bytearray(make_frame().encode() + make_frame(seq=1).encode())
    block[place] ^= 0xFF

    assert not _reads(bytes(block))


def test_reading_from_inside_a_frame_is_refused() -> None:
    block = make_frame(b"x" * 200).encode() + make_frame(seq=1).encode()

    with pytest.raises(FrameDamaged):
        list(frames(block[5:]))


def test_a_gap_says_how_much_is_missing_and_why() -> None:
    gap = Frame(Kind.GAP, TASK, 1, "stderr", 3, 90, gap_data(2**40, "spool_full"))

    (_, read), *_ = frames(gap.encode())

    assert read.gap == (2**40, "spool_full")


@pytest.mark.parametrize(
    ("data", "text", "lossy"),
    [
        (b"plain", "plain", False),
        ("größe 中文".encode(), "größe 中文", False),
        (b"a\xff\xfeb", "a\ufffd\ufffdb", True),
        (b"\x00\x1b[31m", "\x00\x1b[31m", False),
    ],
)
def test_r23_text_for_reading_says_when_it_is_not_exact(
    data: bytes, text: str, lossy: bool
) -> None:
    assert readable(data) == (text, lossy)
