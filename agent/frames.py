"""WebSocket frames of the plain kind: whole messages, cut out of what arrives, packed to leave."""

from __future__ import annotations

import os
import struct
from typing import Callable

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

WHOLE_TEXT, WHOLE_BINARY = 0x81, 0x82
"""The first byte of a message of one frame, without extensions."""
_MASKED = 0x80
_SHORT, _LONG = 126, 127
_LENGTHS = {_SHORT: 2, _LONG: 8}
_HEAD, _HEAD_SHORT, _HEAD_LONG = struct.Struct(">BB"), struct.Struct(">BBH"), struct.Struct(">BBQ")


class Cutter:
    """Finds the frames in what arrives; `whole_text` gets the content of plain messages.

    All others go on to `other` as they came, one at a time; so does, without waiting for its end,
    one that is longer than `limit`.
    """

    def __init__(
        self, limit: int, whole_text: Callable[[bytes], None], other: Callable[[bytes], None]
    ) -> None:
        self._limit = limit
        self._whole_text = whole_text
        self._other = other
        self._received = bytearray()

    def feed(self, data: bytes) -> None:
        """Hand out every frame that is complete now."""
        received = self._received
        received += data
        while len(received) >= _HEAD.size:
            begin, end = _bounds(received)
            if end - begin > self._limit:
                self._other(self.rest())
            elif not begin or end > len(received):
                return
            elif received[0] == WHOLE_TEXT and received[1] < _MASKED:
                content = bytes(received[begin:end])
                del received[:end]
                self._whole_text(content)
            else:
                frame = bytes(received[:end])
                del received[:end]
                self._other(frame)

    def rest(self) -> bytes:
        """What is left of it: the beginning of a frame."""
        rest = bytes(self._received)
        self._received.clear()
        return rest


def _bounds(received: bytearray) -> tuple[int, int]:
    """Where the content of the first frame begins and ends; zeros if its head is not complete."""
    size = received[1] & ~_MASKED
    begin = _HEAD.size + _LENGTHS.get(size, 0)
    if len(received) < begin:
        return 0, 0
    if size in _LENGTHS:
        size = int.from_bytes(received[_HEAD.size : begin], "big")
    if received[1] & _MASKED:
        begin += 4
    return begin, begin + size


def packed(first: int, content: bytes) -> bytes:
    """A message as a client sends it, with a mask that nobody can foresee."""
    size = len(content)
    if size < _SHORT:
        head = _HEAD.pack(first, _MASKED | size)
    elif size < 2**16:
        head = _HEAD_SHORT.pack(first, _MASKED | _SHORT, size)
    else:
        head = _HEAD_LONG.pack(first, _MASKED | _LONG, size)
    mask = os.urandom(4)
    return b"".join((head, mask, apply_mask(content, mask)))
