"""Frames that the agent cuts and packs itself, against the library that does everything else."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, SERVER, Protocol

from agent.frames import WHOLE_BINARY, WHOLE_TEXT, Cutter, packed

LIMIT = 70_000
SIZES = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536, LIMIT])
PLAIN = (Opcode.TEXT, True)
KINDS = st.sampled_from(
    [PLAIN, PLAIN, (Opcode.TEXT, False), (Opcode.CONT, True), (Opcode.PING, True)]
)


def sent(opcode: Opcode, size: int, *, fin: bool = True) -> bytes:
    """A frame as a gateway sends it."""
    content = bytes(range(97, 123)) * (size // 26 + 1)
    return Frame(opcode, content[: 125 if opcode is Opcode.PING else size][:size], fin).serialize(
        mask=False
    )


@given(st.lists(st.tuples(KINDS, SIZES), max_size=5), st.lists(st.integers(1, 70_000), max_size=9))
def test_however_bytes_arrive_each_frame_is_heard_once_and_in_order(
    frames: list[tuple[tuple[Opcode, bool], int]], cuts: list[int]
) -> None:
    heard: list[tuple[bool, bytes]] = []
    cutter = Cutter(LIMIT, lambda c: heard.append((True, c)), lambda c: heard.append((False, c)))
    whole = [(kind, sent(kind[0], size, fin=kind[1])) for kind, size in frames]
    stream = b"".join(frame for _, frame in whole)

    for size in [*cuts, len(stream)]:
        cutter.feed(stream[:size])
        stream = stream[size:]

    assert [is_plain for is_plain, _ in heard] == [kind == PLAIN for kind, _ in whole]
    for (is_plain, content), (_, frame) in zip(heard, whole, strict=True):
        assert frame.endswith(content) if is_plain else frame == content
        assert not is_plain or len(frame) - len(content) in (2, 4, 10)
    assert cutter.rest() == b""


def test_slices_of_one_byte_are_put_together() -> None:
    heard: list[bytes] = []
    cutter = Cutter(LIMIT, heard.append, heard.append)

    for byte in sent(Opcode.TEXT, 300) + sent(Opcode.TEXT, 5):
        cutter.feed(bytes([byte]))

    assert [len(content) for content in heard] == [300, 5]


def test_a_frame_beyond_the_limit_is_left_to_the_library_before_it_is_here() -> None:
    heard: list[bytes] = []
    cutter = Cutter(LIMIT, heard.append, heard.append)
    begun = sent(Opcode.TEXT, LIMIT + 1)[:20]

    cutter.feed(begun)

    assert heard == [begun]


@given(SIZES, st.sampled_from([WHOLE_TEXT, WHOLE_BINARY]))
def test_the_library_reads_what_was_packed(size: int, first: int) -> None:
    content = b"x" * size
    library = Protocol(SERVER, state=OPEN, max_size=LIMIT)

    library.receive_data(packed(first, content))

    (frame,) = library.events_received()
    assert isinstance(frame, Frame)
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode(first & 15), True, content)
    assert library.parser_exc is None


def test_no_two_masks_are_equal() -> None:
    assert len({packed(WHOLE_TEXT, b"hello")[2:6] for _ in range(50)}) > 45
