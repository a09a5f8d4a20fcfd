"""Segment files on the disk: one appends to them, all read them, packed when they are closed."""

import hashlib
import os
import struct
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from libs.kit.objects import Shelf, ShelvedFolder
from services.execution.segments.domain import (
    RECORD,
    Frame,
    FrameDamaged,
    Index,
    Key,
    Kind,
    Recent,
    frames,
    gap_data,
)
from services.execution.segments.schemas import (
    MAGIC,
    TRAILER,
    Block,
    Damaged,
    Directory,
    Part,
    Total,
    blocks_of,
    compressed,
    directory_bytes,
    directory_from,
    expanded,
    index_bytes,
    index_from,
)

SCAN_BYTES: Final = 4 * 1024 * 1024
INDEXED_FROM: Final = 128 * 1024
"""A segment gets a file of records beside it only from this length on; below it is soon scanned."""
MOST_RECORDS: Final = 32_768
"""A segment with so many frames is full: its index must stay small, too."""

PACKED_SUFFIX: Final = ".olz"

_OPEN_AT_ONCE: Final = 128
_REMEMBERED_INDEXES: Final = 48
_REMEMBERED_BLOCKS: Final = 48
_LARGEST_INDEX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an execution's output: `length` valid bytes, from `position` on.

    `sha256` is that of the directory of a packed file, None while the file grows. `is_removed`
    says that retention has taken the bytes away.
    """

    execution_id: str
    ordinal: int
    file: str
    position: int
    length: int
    sha256: str | None = None
    is_removed: bool = False

    @property
    def end(self) -> int:
        """The position behind it."""
        return self.position + self.length


class SegmentFiles:
    """The segment files below one folder. Used from threads; one of them writes at a time.

    Packed ones that lie there no longer are read from the `shelf`; while that does not answer,
    reading raises StoreUnavailable, and nothing is called damaged for it.
    """

    def __init__(self, folder: Path, shelf: Shelf | None = None) -> None:
        self._folder = folder
        self._files = ShelvedFolder(folder, shelf, suffix=PACKED_SUFFIX)
        self._open: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        self._indexes = Recent(_REMEMBERED_INDEXES)
        self._directories = Recent(_REMEMBERED_INDEXES)
        self._blocks = Recent(_REMEMBERED_BLOCKS)

    @staticmethod
    def name(execution_id: str, ordinal: int, epoch: int) -> str:
        """Where a segment lies; the epoch keeps writers apart that follow one another (R30)."""
        return f"{execution_id[:6]}/{execution_id}/{ordinal:06d}-{epoch}.log"

    # ---- writing ------------------------------------------------------------------------

    def append(
        self, parts: Sequence[tuple[str, int, bytes]], records: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Write each (file, offset, bytes) and return when all of it is on the disk.

        `records` go beside their files without waiting for the disk: they can be made again.
        Raises OSError, for example on a full disk; then nothing of it counts as written.
        """
        for file, offset, data in parts:
            descriptor = self._descriptor(file)
            done = 0
            while done < len(data):
                done += os.pwrite(descriptor, memoryview(data)[done:], offset + done)
        for file in {file for file, _, _ in parts}:
            os.fdatasync(self._descriptor(file))
        for file, block in records:
            with (self._folder / f"{file}.idx").open("ab", buffering=0) as beside:
                beside.write(block)

    def let_go(self, file: str) -> None:
        """Nothing more will be written to this file."""
        descriptor = self._open.pop(file, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of all files."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _descriptor(self, file: str) -> int:
        descriptor = self._open.pop(file, None)
        if descriptor is None:
            path = self._folder / file
            new = not path.exists()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if new:
                _sync_folder(path.parent)
        self._open[file] = descriptor
        while len(self._open) > _OPEN_AT_ONCE:
            os.close(self._open.popitem(last=False)[1])
        return descriptor

    # ---- reading ------------------------------------------------------------------------

    def read(self, segment: Segment, offset: int, size: int) -> bytes:
        """At most `size` bytes of a segment, more if the last frame would be cut otherwise.

        Raises FrameDamaged with the offset at which there is nothing to read any more.
        """
        if segment.is_removed:
            raise FrameDamaged(offset)
        size = min(size, segment.length - offset)
        if segment.sha256 is not None:
            return self._read_packed(segment, offset, size)
        try:
            return self._bytes(segment.file, offset, size)
        except FileNotFoundError:
            # Packed since the reader looked up where it lies: a long download, a slow watcher.
            return self._read_packed(replace(segment, file=packed_name(segment.file)), offset, size)
        except OSError:
            raise FrameDamaged(offset) from None

    def path(self, segment: Segment) -> Path:
        """Where a segment lies, as long as it is on this disk."""
        return self._folder / segment.file

    def _bytes(self, file: str, offset: int, size: int) -> bytes:
        with self._files.open(file) as stream:
            return os.pread(stream.fileno(), size, offset)

    def _read_packed(self, segment: Segment, offset: int, size: int) -> bytes:
        blocks = self.directory(segment).blocks
        number = bisect_right(blocks, offset, key=lambda block: block.place) - 1
        pieces: list[bytes] = []
        while number < len(blocks) and blocks[number].place < offset + size:
            block = blocks[number]
            try:
                pieces.append(self._block(segment, block)[max(0, offset - block.place) :])
            except FrameDamaged:
                if not pieces:
                    raise
                break  # first what can be read; whoever goes on from there is told
            number += 1
        return b"".join(pieces)

    def _block(self, segment: Segment, block: Block) -> bytes:
        self._files.bring(segment.file)

        def expand() -> bytes:
            try:
                packed = self._bytes(segment.file, block.part.start, block.part.size)
                data = expanded(packed, block.part, limit=block.length)
            except (OSError, Damaged):
                raise FrameDamaged(block.place) from None
            if len(data) != block.length:
                raise FrameDamaged(block.place)
            return data

        with self._lock:
            return self._blocks.make((segment.file, block.place), expand)

    def directory(self, segment: Segment) -> Directory:
        """What a packed segment holds; raises FrameDamaged when that cannot be told."""
        self._files.bring(segment.file)

        def load() -> Directory:
            try:
                with self._files.open(segment.file) as stream:
                    end = os.fstat(stream.fileno()).st_size - TRAILER.size
                    start, size, _ = TRAILER.unpack(os.pread(stream.fileno(), TRAILER.size, end))
                    data = os.pread(stream.fileno(), min(size, end), start)
                return directory_from(data, segment.sha256)
            except (OSError, ValueError, struct.error, Damaged, OverflowError):
                raise FrameDamaged(0) from None

        with self._lock:
            return self._directories.make((segment.file, segment.sha256), load)

    # ---- the index ----------------------------------------------------------------------

    def index(self, segment: Segment) -> Index:
        """Where the frames of a segment lie; covers all of it unless something is damaged."""
        if segment.is_removed:
            return Index()
        if segment.sha256 is None:
            with self._lock:
                index = self._indexes.make(segment.file, Index)
                if index.until < segment.length:
                    self._extend(index, segment)
                return index
        directory = self.directory(segment)
        with self._lock:
            return self._indexes.make(
                segment.file, lambda: self._stored_index(segment, directory.index)
            )

    def _stored_index(self, segment: Segment, part: Part) -> Index:
        try:
            packed = self._bytes(segment.file, part.start, part.size)
            return index_from(expanded(packed, part, limit=_LARGEST_INDEX))
        except (OSError, Damaged):
            return Index()

    def _extend(self, index: Index, segment: Segment) -> None:
        """From the records beside the segment where there are some, else from its frames."""
        try:
            beside = (self._folder / f"{segment.file}.idx").read_bytes()
        except OSError:
            beside = b""
        first = RECORD.unpack_from(beside)[2] if len(beside) >= RECORD.size else segment.length
        self._extend_by_frames(index, segment, min(first, segment.length))
        index.add_records(beside, segment.length)
        self._extend_by_frames(index, segment, segment.length)

    def _extend_by_frames(self, index: Index, segment: Segment, until: int) -> None:
        try:
            while index.until < until:
                start = index.until
                for _, frame in frames(self.read(segment, start, SCAN_BYTES)):
                    index.add(frame)
                if index.until == start:
                    return
        except FrameDamaged:
            return

    # ---- closed segments ----------------------------------------------------------------

    def pack(self, segment: Segment) -> tuple[Segment, int]:
        """A compressed copy that is on the disk when this returns, and its size in bytes.

        Raises FrameDamaged when the segment cannot be read as a whole; OSError on a full disk.
        """
        index = Index()
        self._extend_by_frames(index, segment, segment.length)
        if index.until < segment.length:
            raise FrameDamaged(index.until)
        packed = packed_name(segment.file)
        path, temporary = self._folder / packed, self._folder / f"{packed}.new"
        with temporary.open("wb") as out:
            os.fchmod(out.fileno(), 0o600)
            sha256 = self._write_packed(out, segment, index)
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        temporary.replace(path)
        _sync_folder(path.parent)
        closed = Segment(
            segment.execution_id, segment.ordinal, packed, segment.position, segment.length, sha256
        )
        return closed, size

    def _write_packed(self, out: BinaryIO, segment: Segment, index: Index) -> str:
        out.write(MAGIC)
        blocks: list[Block] = []
        for place, length in blocks_of(index):
            data, part = compressed(self.read(segment, place, length), out.tell())
            out.write(data)
            blocks.append(Block(place, length, part))
        data, part = compressed(index_bytes(index), out.tell())
        out.write(data)
        totals = [Total(*key, lines, end) for key, lines, end in index.totals()]
        lines = index.select(None).lines
        data, sha256 = directory_bytes(Directory(segment.length, lines, blocks, part, totals))
        start = out.tell()
        out.write(data + TRAILER.pack(start, len(data), MAGIC))
        return sha256

    def remove(self, file: str) -> None:
        """Delete a file, the records beside it and its folder once that is empty."""
        path = self._folder / file
        for each in (path, path.with_name(f"{path.name}.idx"), path.with_name(f"{path.name}.new")):
            each.unlink(missing_ok=True)
        with self._lock:
            self._indexes.pop(file, None)
        for folder in (path.parent, path.parent.parent):
            try:
                folder.rmdir()
            except OSError:
                return


def packed_name(file: str) -> str:
    """Where the packed copy of a segment lies."""
    return file.removesuffix(".log") + PACKED_SUFFIX


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def scan(
    files: SegmentFiles, segments: Sequence[Segment], position: int, *, block: int = SCAN_BYTES
) -> Iterator[tuple[int, Frame]]:
    """Frames from a position on, with the position behind each; in a thread, not in the loop.

    About `block` bytes are read at a time. What was written and cannot be read any more comes as
    a frame of the kind DAMAGED; R18 wants it named, never left out. Raises FrameDamaged when the
    position is inside a frame.
    """
    block = max(block, SCAN_BYTES // 16)
    for segment in segments:
        while segment.position <= position < segment.end:
            begun = position
            try:
                data = files.read(segment, position - segment.position, block)
                for place, frame in frames(data):
                    position = begun + place + frame.size
                    yield position, frame
            except FrameDamaged:
                pass
            if position == begun:
                position, damage = _damage(files, segment, position)
                yield position, damage


def _damage(files: SegmentFiles, segment: Segment, position: int) -> tuple[int, Frame]:
    """What stands for a frame, or for the rest of a segment, that cannot be read."""
    offset = position - segment.position
    reason = "log_expired" if segment.is_removed else "log_damaged"
    try:
        index = files.index(segment)
    except FrameDamaged:
        index = Index()
    record = index.at(offset)
    if record is None:
        if offset and not segment.is_removed and index.until > offset:
            raise FrameDamaged(position)
        data = gap_data(segment.length - offset, reason)
        return segment.end, Frame(Kind.DAMAGED, "", 0, "stdout", 0, 0, data)
    task_id, attempt, stream = index.keys[index.key[record]]
    place = index.offset[record]
    data = gap_data(index.size[record], reason)
    frame = Frame(Kind.DAMAGED, task_id, attempt, stream, 0, place, data)
    return segment.position + index.end(record), frame


def digests(
    files: SegmentFiles, segments: Sequence[Segment], keys: set[Key]
) -> dict[Key, "hashlib._Hash"]:
    """The SHA-256 of streams as they are stored; reads all of the segments, in a thread."""
    found = {key: hashlib.sha256() for key in keys}
    for _, frame in scan(files, segments, 0):
        if frame.kind == Kind.OUTPUT and frame.key in found:
            found[frame.key].update(frame.data)
    return found
