"""How output lies in a segment file: frames one behind the other, each with its own checksum.

A frame is a header of 48 bytes and, for output, the raw bytes as the script wrote them (R23). All
hosts of an execution share its segment, in the order of arrival, so one position in it is enough
to resume a live stream exactly.
"""

import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct(">2sBB16sIQQII")
"""magic, kind, stream, task, attempt, seq, offset, length, CRC-32 of all other bytes."""
MAGIC = b"OL"
STREAMS = ("stdout", "stderr")
MAX_PAYLOAD = 64 * 1024
"""The largest chunk that the agents' protocol allows."""
FRAME_BYTES = HEADER.size + MAX_PAYLOAD


class Kind(IntEnum):
    """What a frame holds."""

    OUTPUT = 1
    GAP = 2
    """No bytes of the script: `offset` and the length in the payload say what is missing."""


class FrameDamaged(Exception):
    """The bytes at this position are no frame, or not the ones that were written."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of one stream of one attempt."""

    kind: Kind
    task_id: str
    attempt: int
    stream: str
    seq: int
    offset: int
    data: bytes
    """Output, or for a gap its length (8 bytes, big endian) and the reason."""

    @property
    def gap(self) -> tuple[int, str]:
        """How many bytes are missing and why."""
        return int.from_bytes(self.data[:8], "big"), self.data[8:].decode()

    @property
    def size(self) -> int:
        """Bytes in the segment."""
        return HEADER.size + len(self.data)

    def encode(self) -> bytes:
        """The frame as it is stored."""
        head = self._head(0)
        checksum = zlib.crc32(self.data, zlib.crc32(head))
        return self._head(checksum) + self.data

    def _head(self, checksum: int) -> bytes:
        return HEADER.pack(
            MAGIC,
            self.kind,
            STREAMS.index(self.stream),
            uuid.UUID(self.task_id).bytes,
            self.attempt,
            self.seq,
            self.offset,
            len(self.data),
            checksum,
        )


def gap_data(length: int, reason: str) -> bytes:
    """The payload of a gap frame."""
    return length.to_bytes(8, "big") + reason.encode()


def frames(block: bytes) -> Iterator[tuple[int, Frame]]:
    """The whole frames in a block with their places in it; a cut last one is left out.

    Raises FrameDamaged where the block holds something else, also when it starts inside a frame.
    """
    place = 0
    while len(block) - place >= HEADER.size:
        magic, kind, stream, task, attempt, seq, offset, length, checksum = HEADER.unpack_from(
            block, place
        )
        if magic != MAGIC or length > MAX_PAYLOAD or stream >= len(STREAMS) or kind not in (1, 2):
            raise FrameDamaged(place)
        end = place + HEADER.size + length
        if end > len(block):
            return
        data = block[place + HEADER.size : end]
        blank = block[place : place + HEADER.size - 4] + b"\0\0\0\0"
        if zlib.crc32(data, zlib.crc32(blank)) != checksum:
            raise FrameDamaged(place)
        frame = Frame(
            kind=Kind(kind),
            task_id=str(uuid.UUID(bytes=task)),
            attempt=attempt,
            stream=STREAMS[stream],
            seq=seq,
            offset=offset,
            data=data,
        )
        yield place, frame
        place = end


def readable(data: bytes) -> tuple[str, bool]:
    """Output as text, and whether bytes had to be replaced because they are no UTF-8."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace"), True
