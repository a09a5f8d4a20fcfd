"""Output in flight: windows, floors, resends, and what the spool may free."""

import os
from pathlib import Path

import pytest

from agent.capture import Capture
from agent.flow import STALL_SECONDS, Flow, Piece
from agent.spool import SEGMENT_BYTES, segments
from libs.protocol.messages import Ack, Gap, Output, Want

CHUNK = 64 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def write(folder: str, count: int, *, size: int = CHUNK) -> bytes:
    capture = Capture(folder, spool_bytes=2**30, output_bytes=2**30)
    content = os.urandom(count * size // 2).hex().encode()
    for number in range(count):
        capture.add(0, content[number * size : (number + 1) * size], float(number))
    return content


def drain(flow: Flow, room: int = 2**30, now: float = 0.0) -> list[Piece]:
    pieces = []
    while (piece := flow.next(room - flow.in_flight, now)) is not None:
        pieces.append(piece)
    return pieces


def ack(seq: int, offset: int) -> Ack:
    return Ack("t", 1, "stdout", seq, offset)


def make_flow(folder: str) -> Flow:
    return Flow(("t", 1), "e", folder)


def test_everything_is_sent_once_in_order(folder: str) -> None:
    content = write(folder, 20)
    flow = make_flow(folder)

    pieces = drain(flow)

    assert b"".join(piece.content for piece in pieces) == content
    assert [piece.message.seq for piece in pieces] == list(range(20))
    assert drain(flow) == []


def test_the_window_bounds_what_is_in_flight(folder: str) -> None:
    write(folder, 40)
    flow = make_flow(folder)

    assert len(drain(flow, room=1024 * 1024)) == 15
    flow.ack(ack(4, 4 * CHUNK), 0)
    assert len(drain(flow, room=1024 * 1024)) == 4


def test_a_chunk_larger_than_the_window_still_goes_alone(folder: str) -> None:
    write(folder, 2)
    flow = make_flow(folder)

    assert len(drain(flow, room=1000)) == 1


def test_segments_below_the_floor_are_deleted_and_no_others(folder: str) -> None:
    write(folder, 60)
    flow = make_flow(folder)
    pieces = drain(flow)
    assert segments(folder) == [0, 1, 2, 3]

    flow.ack(ack(30, 30 * CHUNK), 0)

    assert segments(folder) == [1, 2, 3]
    flow.rewind()
    assert [p.message.seq for p in drain(flow)] == [p.message.seq for p in pieces[30:]]


def test_a_restarted_agent_cuts_the_same_chunks_again(folder: str) -> None:
    write(folder, 60)
    before = drain(make_flow(folder))

    flow = make_flow(folder)
    flow.ack(ack(20, 20 * CHUNK), 0)

    assert drain(flow) == before[20:]


def test_a_floor_that_goes_backwards_or_fits_no_offset_changes_nothing(folder: str) -> None:
    write(folder, 10)
    flow = make_flow(folder)
    drain(flow)
    flow.ack(ack(5, 5 * CHUNK), 0)
    in_flight = flow.in_flight

    flow.ack(ack(2, 2 * CHUNK), 0)
    flow.ack(ack(9, 5 * CHUNK), 0)

    assert flow.in_flight == in_flight


def test_want_sends_again_from_there(folder: str) -> None:
    write(folder, 10)
    flow = make_flow(folder)
    drain(flow)

    flow.want(Want("t", 1, "stdout", 7, 7 * CHUNK))

    assert [piece.message.seq for piece in drain(flow)] == [7, 8, 9]
    flow.want(Want("t", 1, "stdout", 99, 0))
    assert drain(flow) == []


def test_a_floor_that_stands_still_makes_it_send_again_ever_more_slowly(folder: str) -> None:
    write(folder, 3)
    flow = make_flow(folder)
    drain(flow, now=100.0)

    assert not flow.check_stall(100.0 + STALL_SECONDS - 0.1)
    assert flow.check_stall(100.0 + STALL_SECONDS)
    assert len(drain(flow, now=105.0)) == 3
    assert not flow.check_stall(105.0 + STALL_SECONDS)
    assert flow.check_stall(105.0 + 2 * STALL_SECONDS)


def test_it_is_complete_when_all_is_written_and_acknowledged(folder: str) -> None:
    content = write(folder, 3)
    flow = make_flow(folder)
    drain(flow)
    flow.ack(ack(3, len(content)), 0)
    assert not flow.is_complete

    flow.finish({"stdout": len(content), "stderr": 0})

    assert flow.is_complete


def test_bytes_that_the_spool_lost_become_a_gap_at_the_end(folder: str) -> None:
    content = write(folder, 2)
    flow = make_flow(folder)
    flow.finish({"stdout": len(content) + 1000, "stderr": 50})

    messages = [piece.message for piece in drain(flow)]

    assert messages[2:] == [
        Gap("e", "t", 1, "stdout", 2, len(content), 1000, "spool_lost"),
        Gap("e", "t", 1, "stderr", 0, 0, 50, "spool_lost"),
    ]
    assert not flow.is_complete


def test_a_chunk_whose_file_vanished_becomes_a_gap(folder: str) -> None:
    write(folder, SEGMENT_BYTES // CHUNK + 4)
    flow = make_flow(folder)
    first = drain(flow)[0].message
    assert isinstance(first, Output)
    os.unlink(os.path.join(folder, "spool.000000"))
    flow.close()

    flow.rewind()

    assert isinstance(drain(flow)[0].message, Gap)
