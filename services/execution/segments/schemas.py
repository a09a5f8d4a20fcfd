"""The layout of a closed segment: compressed blocks, its index, and a directory with their hashes.

    magic · block … · index · directory · trailer

Blocks begin and end with frames and hold about 64 KiB before compression, so that any place is
reached by expanding one of them. The database keeps the SHA-256 of the directory, the directory
that of each block and of the index: whatever is read is verified first.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from itertools import accumulate, islice

import msgspec

from services.execution.segments.domain import HEADER, Index, Key

MAGIC = b"OPSJOBL1"
TRAILER = struct.Struct(">QI8s")
"""Place and size of the directory, magic."""
BLOCK_BYTES = 64 * 1024
LEVEL = 1
"""Higher levels save little and cost much where two cores do everything."""


class Damaged(Exception):
    """What is stored is not what was written."""


class Columns(msgspec.Struct, array_like=True):
    """An index as it is stored."""

    keys: list[tuple[str, int, str]]
    until: int
    key: bytes
    flags: bytes
    size: bytes
    lines: bytes
    offset: bytes


class Part(msgspec.Struct, array_like=True):
    """A compressed piece: where it lies in the file, and the SHA-256 of these bytes."""

    start: int
    size: int
    sha256: bytes


class Block(msgspec.Struct, array_like=True):
    """A piece of the segment: which of its bytes it holds."""

    place: int
    length: int
    part: Part


class Total(msgspec.Struct, array_like=True):
    """A stream in this segment: lines that end here, and the offset behind its last byte here."""

    task_id: str
    attempt: int
    stream: str
    lines: int
    end: int

    @property
    def key(self) -> Key:
        """Whose output it is."""
        return self.task_id, self.attempt, self.stream


class Directory(msgspec.Struct, array_like=True):
    """What a closed segment holds; `length` are its bytes before compression."""

    length: int
    lines: int
    blocks: list[Block]
    index: Part
    totals: list[Total]


_encode = msgspec.msgpack.Encoder().encode


def blocks_of(index: Index) -> Iterator[tuple[int, int]]:
    """Place and length of the blocks into which a segment is cut."""
    start = 0
    for record in range(len(index)):
        end = index.end(record)
        if end - start >= BLOCK_BYTES or end == index.until:
            yield start, end - start
            start = end


def compressed(data: bytes, start: int) -> tuple[bytes, Part]:
    """A piece as it is written at `start`."""
    packed = zlib.compress(data, LEVEL)
    return packed, Part(start, len(packed), hashlib.sha256(packed).digest())


def expanded(packed: bytes, part: Part, *, limit: int) -> bytes:
    """The piece again; raises Damaged unless it is exactly what was written."""
    if hashlib.sha256(packed).digest() != part.sha256:
        raise Damaged
    expander = zlib.decompressobj()
    try:
        data = expander.decompress(packed, limit)
    except zlib.error:
        raise Damaged from None
    if expander.unconsumed_tail or not expander.eof:
        raise Damaged
    return data


def index_bytes(index: Index) -> bytes:
    """An index as it is stored, before compression."""
    columns = (index.key, index.flags, index.size, index.lines, index.offset)
    return _encode(Columns(index.keys, index.until, *(column.tobytes() for column in columns)))


def index_from(data: bytes) -> Index:
    """The index again; raises Damaged."""
    try:
        stored = msgspec.msgpack.decode(data, type=Columns)
        index = Index(keys=stored.keys, until=stored.until)
        index.key.frombytes(stored.key)
        index.flags.frombytes(stored.flags)
        index.size.frombytes(stored.size)
        index.lines.frombytes(stored.lines)
        index.offset.frombytes(stored.offset)
    except (msgspec.MsgspecError, ValueError):
        raise Damaged from None
    ends = accumulate(index.size, lambda place, size: place + HEADER.size + size, initial=0)
    index.place.extend(islice(ends, len(index.size)))
    return index


def directory_bytes(directory: Directory) -> tuple[bytes, str]:
    """The directory as it is stored, and its SHA-256 in lower-case hex."""
    data = _encode(directory)
    return data, hashlib.sha256(data).hexdigest()


def directory_from(data: bytes, sha256: str | None) -> Directory:
    """The directory again; raises Damaged unless it has this hash.

    Without a hash only the blocks and frames vouch for themselves.
    """
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise Damaged
    try:
        return msgspec.msgpack.decode(data, type=Directory)
    except msgspec.MsgspecError:
        raise Damaged from None
