"""Frames that the gateway cuts itself, against the library that does everything else."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from gateway.agents.frames import WHOLE_BINARY, WHOLE_TEXT, Frames, packed

LIMIT = 70_000
SIZES = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536, LIMIT])
KINDS = st.sampled_from(
    [(Opcode.TEXT, True), (Opcode.BINARY, True), (Opcode.TEXT, False), (Opcode.PING, True)]
)
PLAIN = {(Opcode.TEXT, True): WHOLE_TEXT, (Opcode.BINARY, True): WHOLE_BINARY}


def sent(opcode: Opcode, size: int, *, fin: bool = True) -> tuple[bytes, bytes]:
    """A frame as an agent sends it, and its content."""
    content = (bytes(range(97, 123)) * (size // 26 + 1))[:size]
    content = content[:125] if opcode is Opcode.PING else content
    return Frame(opcode, content, fin).serialize(mask=True), content


def taken(frames: Frames, data: bytes, *, is_plain: bool = True) -> list[tuple[int, bytes]]:
    """Everything that is complete after these bytes."""
    frames.add(data)
    found = []
    while (one := frames.next(LIMIT, is_plain=is_plain)) != (0, b""):
        found.append(one)
    return found


@given(st.lists(st.tuples(KINDS, SIZES), max_size=5), st.lists(st.integers(1, 70_000), max_size=9))
def test_however_bytes_arrive_each_frame_is_heard_once_and_in_order(
    wanted: list[tuple[tuple[Opcode, bool], int]], cuts: list[int]
) -> None:
    frames, heard, expected, stream = Frames(), [], [], b""
    for kind, size in wanted:
        raw, content = sent(kind[0], size, fin=kind[1])
        stream += raw
        expected.append((PLAIN[kind], content) if kind in PLAIN else (0, raw))

    for size in [*cuts, len(stream)]:
        heard += taken(frames, stream[:size])
        stream = stream[size:]

    assert heard == expected


def test_slices_of_one_byte_are_put_together() -> None:
    frames, heard = Frames(), []

    for byte in sent(Opcode.TEXT, 300)[0] + sent(Opcode.TEXT, 5)[0]:
        heard += taken(frames, bytes([byte]))

    assert [len(content) for _, content in heard] == [300, 5]


def test_a_frame_beyond_the_limit_is_left_to_the_library_before_it_is_here() -> None:
    begun = sent(Opcode.TEXT, LIMIT + 1)[0][:20]

    assert taken(Frames(), begun) == [(0, begun)]


def test_what_is_not_masked_or_comes_between_pieces_is_left_to_the_library() -> None:
    bare = Frame(Opcode.TEXT, b"{}").serialize(mask=False)
    between = sent(Opcode.TEXT, 10)[0]

    assert taken(Frames(), bare) == [(0, bare)]
    assert taken(Frames(), between, is_plain=False) == [(0, between)]


@given(SIZES)
def test_the_library_reads_what_was_packed(size: int) -> None:
    library = Protocol(CLIENT, state=OPEN, max_size=LIMIT)

    library.receive_data(packed(WHOLE_TEXT, size) + b"x" * size)

    (frame,) = library.events_received()
    assert isinstance(frame, Frame)
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, b"x" * size)
    assert library.parser_exc is None
