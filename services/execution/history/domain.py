"""Lines out of frames. Knows no files and no database.

A line is numbered by when its end was stored, counted over the streams that are looked at, so that
a number never changes while more output arrives. A last line without an end has the next number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.execution.segments.domain import Frame, Key, Kind

MAX_LINE_BYTES: Final = 16 * 1024
"""What is kept of a longer line, from its beginning."""


@dataclass(frozen=True)
class Wanted:
    """Which output is meant: of these tasks, or of all; of one stream, or of both."""

    tasks: frozenset[str] | None = None
    stream: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.tasks is None and self.stream is None

    def has(self, key: Key) -> bool:
        """Whether this stream is meant."""
        if self.tasks is not None and key[0] not in self.tasks:
            return False
        return self.stream in (None, key[2])


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end. `offset` is where it begins in its stream, in bytes.

    `cut_bytes` are left out behind `data`; `gap_bytes` were never stored, for a `reason`.
    `is_open` says that its end has not been stored, so far or ever.
    """

    number: int
    key: Key
    offset: int
    data: bytes
    cut_bytes: int = 0
    gap_bytes: int = 0
    reason: str | None = None
    is_open: bool = False


@dataclass(slots=True)
class Piece:
    """The beginning of a line that goes on in later frames."""

    offset: int
    kept: bytearray = field(default_factory=bytearray)
    length: int = 0
    gap_bytes: int = 0
    reason: str | None = None

    def add(self, data: bytes) -> None:
        """More of the line; what is beyond the limit is counted only."""
        room = MAX_LINE_BYTES - len(self.kept)
        if room > 0:
            self.kept += data[:room]
        self.length += len(data)

    def miss(self, length: int, reason: str) -> None:
        """Bytes of the line that are not there."""
        self.gap_bytes += length
        self.reason = reason

    def line(self, number: int, key: Key, *, is_open: bool = False) -> Line:
        """The line as far as it is known."""
        return Line(
            number,
            key,
            self.offset,
            bytes(self.kept),
            self.length - len(self.kept),
            self.gap_bytes,
            self.reason,
            is_open,
        )


class Assembler:
    """Puts lines together; `pieces` are the beginnings of lines whose end did not come yet."""

    def __init__(self, number: int) -> None:
        self.number = number
        """The number of the next line that ends."""
        self.pieces: dict[Key, Piece] = {}

    def take(self, frame: Frame, *, skip: int = 0) -> Iterator[Line]:
        """The lines that end in a frame, without the first `skip` of them."""
        key, data = frame.key, frame.data
        if frame.kind != Kind.OUTPUT:
            length, reason = frame.gap
            self.pieces.setdefault(key, Piece(frame.offset)).miss(length, reason)
            return
        parts = data.split(b"\n")
        last = parts.pop()
        offset = frame.offset
        for count, part in enumerate(parts):
            begin, offset = offset, offset + len(part) + 1
            piece = self.pieces.pop(key, None)
            if count < skip:
                continue
            piece = piece or Piece(begin)
            piece.add(part)
            yield piece.line(self.number, key)
            self.number += 1
        if last:
            self.pieces.setdefault(key, Piece(offset)).add(last)
