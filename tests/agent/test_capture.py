"""What a script writes arrives in chunks that join to the same bytes, or with an exact gap."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.capture import CHUNK_BYTES, FLUSH_SECONDS, Capture, Tail, utf8_boundary
from agent.spool import SEGMENT_BYTES, Frame, SpoolReader, SpoolWriter, segments

MIB = 1024 * 1024


def make_capture(folder: Path, *, spool: int = 64 * MIB, output: int = 1024 * MIB) -> Capture:
    folder.mkdir(exist_ok=True)
    return Capture(str(folder), spool_bytes=spool, output_bytes=output)


def frames(folder: Path) -> list[tuple[Frame, bytes]]:
    reader = SpoolReader(str(folder))
    found = []
    while (frame := reader.next()) is not None:
        found.append((frame, b"" if frame.reason else reader.content(frame)))
    reader.close()
    return found


def joined(folder: Path, stream: str) -> tuple[bytes, list[tuple[int, int, str]]]:
    """Bytes and gaps of a stream; checks that seq and offset are contiguous."""
    content, gaps, offset, seq = b"", [], 0, 0
    for frame, chunk in frames(folder):
        if frame.stream != stream:
            continue
        assert (frame.seq, frame.offset) == (seq, offset)
        seq, offset = seq + 1, offset + frame.length
        if frame.reason:
            gaps.append((frame.offset, frame.length, frame.reason))
        content += chunk
    return content, gaps


def test_the_first_bytes_do_not_wait(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "spool")

    assert capture.add(0, b"hello\n", 100.0)
    assert joined(tmp_path / "spool", "stdout")[0] == b"hello\n"
    assert capture.due() is None


def test_a_busy_stream_is_packed(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "spool")
    capture.add(0, b"0", 100.0)

    assert not any(capture.add(0, b"1", 100.0 + n / 10_000) for n in range(1, 200))
    assert capture.due() == 100.0 + FLUSH_SECONDS
    assert capture.flush_due(100.0 + FLUSH_SECONDS)
    assert [frame.length for frame, _ in frames(tmp_path / "spool")] == [1, 199]


def test_characters_are_not_split(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "spool")
    text = "grüße 🙂 " * 20_000
    content = text.encode()
    for position in range(0, len(content), 4099):
        capture.add(0, content[position : position + 4099], position)
    capture.finish(1e9)

    chunks = [chunk for _, chunk in frames(tmp_path / "spool")]

    assert b"".join(chunks) == content
    for chunk in chunks:
        chunk.decode()


def test_an_unfinished_character_waits_without_waking_anybody(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "spool")
    capture.add(0, "é".encode()[:1], 100.0)

    assert capture.due() is None
    capture.finish(101.0)
    assert joined(tmp_path / "spool", "stdout")[0] == "é".encode()[:1]


@given(st.binary(max_size=20))
def test_a_cut_never_splits_a_valid_sequence_nor_waits_for_more_than_three_bytes(
    content: bytes,
) -> None:
    cut = utf8_boundary(content)

    assert len(content) - 3 <= cut <= len(content)
    if content.decode("utf-8", "ignore").encode() == content:
        assert cut == len(content)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=30), st.integers(1, 60))
def test_a_tail_keeps_the_newest_bytes(parts: list[bytes], capacity: int) -> None:
    path = f"/tmp/opsjob-tail-{os.getpid()}"
    tail = Tail(path, capacity)
    for part in parts:
        tail.add(part)
    everything = b"".join(parts)
    tail.start = tail.total - tail.kept
    found = b""
    while tail.start < tail.total:
        part = tail.read(7)
        found += part
        tail.start += len(part)
    tail.clear()

    assert found == everything[max(0, len(everything) - capacity) :]


def test_beyond_the_limit_head_and_tail_stay_and_the_gap_is_exact(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "spool", output=1 * MIB)
    content = os.urandom(3 * MIB)
    for position in range(0, len(content), CHUNK_BYTES):
        capture.add(0, content[position : position + CHUNK_BYTES], position)
    end = capture.finish(1e9)[0]

    kept, gaps = joined(tmp_path / "spool", "stdout")

    ((offset, length, reason),) = gaps
    assert reason == "output_limit"
    assert kept == content[:offset] + content[offset + length :]
    assert len(kept) + length == end.bytes == len(content)
    assert len(kept) <= 1 * MIB
    assert len(content) - offset - length == MIB // 8
    assert end.sha256 == hashlib.sha256(content).hexdigest()


def test_no_output_is_kept_if_none_is_allowed(tmp_path: Path) -> None:
    capture = make_capture(tmp_path / "spool", output=0)
    capture.add(1, b"secret", 1.0)
    end = capture.finish(2.0)[1]

    assert joined(tmp_path / "spool", "stderr") == (b"", [(0, 6, "output_limit")])
    assert (end.seq, end.kept, end.bytes) == (1, 6, 6)


def test_a_full_spool_goes_on_when_the_agent_frees_segments(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    capture = make_capture(folder, spool=8 * MIB)
    content = os.urandom(7 * MIB - CHUNK_BYTES)  # 6 MiB of spool and 1 MiB of tail, and a margin
    for position in range(0, len(content), CHUNK_BYTES):
        capture.add(0, content[position : position + CHUNK_BYTES], float(position))
    before = frames(folder)
    SpoolReader(str(folder)).free_below(segments(str(folder))[-1])
    capture.add(0, b"more", 1e9)
    capture.finish(2e9)

    after = [pair for pair in frames(folder) if pair[0].seq >= len(before)]

    assert not [frame for frame, _ in before + after if frame.reason]
    assert b"".join(chunk for _, chunk in before + after) == content + b"more"


def test_a_spool_that_is_never_freed_keeps_its_bound(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    capture = make_capture(folder, spool=8 * MIB)
    for number in range(40 * MIB // CHUNK_BYTES):
        capture.add(number % 2, os.urandom(CHUNK_BYTES), float(number))
    capture.finish(1e9)

    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8 * MIB + 2 * SEGMENT_BYTES
    for stream in ("stdout", "stderr"):
        content, gaps = joined(folder, stream)
        assert len(content) + sum(length for _, length, _ in gaps) == 20 * MIB


class FullDisk(SpoolWriter):
    """Refuses after some chunks, then works again."""

    refuses = False

    def _append(self, *arguments: object) -> None:
        if self.refuses:
            raise OSError(28, "No space left on device")
        super()._append(*arguments)  # type: ignore[arg-type]


def test_a_full_disk_becomes_a_gap_only_if_the_tail_does_not_hold_it(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    capture = make_capture(folder)
    capture._spool = disk = FullDisk(str(folder))
    capture.add(0, b"before ", 1.0)
    disk.refuses = True
    capture.add(0, b"during ", 2.0)
    disk.refuses = False
    capture.add(0, b"after", 3.0)
    capture.finish(4.0)

    assert joined(folder, "stdout") == (b"before during after", [])


def test_what_the_disk_refused_to_the_end_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    capture = make_capture(folder)
    capture._spool = disk = FullDisk(str(folder))
    capture.add(0, b"before ", 1.0)
    disk.refuses = True
    capture.add(0, b"lost", 2.0)
    end = capture.finish(3.0)[0]

    assert (end.bytes, end.kept, end.seq) == (11, 7, 1)


def test_a_half_written_frame_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    capture = make_capture(folder)
    capture.add(0, b"whole", 1.0)
    capture.add(0, b"torn", 2.0)
    path = folder / "spool.000000"

    for _ in range(1, 30):
        torn = path.read_bytes()[:-1]
        path.write_bytes(torn)
        assert [chunk for _, chunk in frames(folder)] == [b"whole"]


@pytest.mark.parametrize("garbage", [b"\0" * 64, b"x" * 64])
def test_garbage_at_the_end_is_not_read(tmp_path: Path, garbage: bytes) -> None:
    folder = tmp_path / "spool"
    make_capture(folder).add(0, b"whole", 1.0)
    with (folder / "spool.000000").open("ab") as file:
        file.write(garbage)

    assert [chunk for _, chunk in frames(folder)] == [b"whole"]


def exit_record(folder: Path) -> bytes | None:
    reader = SpoolReader(str(folder))
    found = reader.end()
    reader.close()
    return found


@pytest.mark.parametrize("content", [b"", b"hello\n"])
def test_an_exit_record_stands_behind_short_output_and_is_none_of_it(
    tmp_path: Path, content: bytes
) -> None:
    spool = tmp_path / "spool"
    capture = make_capture(spool)
    capture.add(0, content, 1.0)
    capture.finish(2.0)
    assert exit_record(spool) is None

    assert capture.end(b"a record")
    capture.close()

    assert exit_record(spool) == b"a record"
    assert os.listdir(spool) == ["spool.000000"]
    assert joined(spool, "stdout") == (content, [])


def test_an_exit_record_that_one_look_would_not_take_is_not_kept_behind_the_output(
    tmp_path: Path,
) -> None:
    spool = tmp_path / "spool"
    capture = make_capture(spool)
    capture.add(0, b"x" * 4000, 1.0)
    capture.finish(2.0)

    assert not capture.end(b"a record of some length" * 4)
    capture.close()

    assert exit_record(spool) is None
    assert joined(spool, "stdout")[0] == b"x" * 4000


def test_a_torn_exit_record_is_none(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    capture = make_capture(spool)
    capture.add(0, b"hello\n", 1.0)
    capture.finish(2.0)
    capture.end(b"a record")
    capture.close()
    segment = spool / "spool.000000"
    whole = segment.read_bytes()

    for size in range(len(whole)):
        segment.write_bytes(whole[:size])
        assert exit_record(spool) is None
