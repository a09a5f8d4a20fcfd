"""WebSocket frames of the plain kind: cut out of what an agent sends, and packed to leave."""

import struct
from typing import Final

from websockets.speedups import apply_mask

WHOLE_TEXT: Final = 0x81
WHOLE_BINARY: Final = 0x82
"""The first byte of a message of one frame, without extensions."""
_MASKED: Final = 0x80
_SHORT: Final = 126
_LENGTHS: Final = {126: 2, 127: 8}
_HEAD: Final = 2
_MASK: Final = 4
_head_short: Final = struct.Struct(">BBH").pack
_head_long: Final = struct.Struct(">BBQ").pack


class Frames:
    """Bytes of one connection, from the beginning of a frame on; what is incomplete stays here."""

    __slots__ = ("_at", "_data", "_needed", "_rest")

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._needed = 0
        self._rest = bytearray()

    def add(self, data: bytes) -> None:
        """What has arrived; call `next` until it has nothing more."""
        if not self._rest:
            self._data = data
            return
        self._rest += data
        if len(self._rest) >= self._needed:
            self._data = bytes(self._rest)
            self._rest.clear()

    def next(self, most: int, *, is_plain: bool) -> tuple[int, bytes]:
        """The next frame, if it is complete: its first byte and its content, without the mask.

        What is no masked message of one frame, or all if not `is_plain`, comes as it is, with 0;
        so does, without waiting for its end, one whose content is longer than `most`. (0, b"")
        says that there is nothing more.
        """
        data, at = self._data, self._at
        left = len(data) - at
        if left < _HEAD:
            return self._keep(_HEAD)
        first, size = data[at], data[at + 1] & ~_MASKED
        begin = at + _HEAD + _LENGTHS.get(size, 0)
        if len(data) < begin:
            return self._keep(begin - at)
        if size >= _SHORT:
            size = int.from_bytes(data[at + _HEAD : begin], "big")
        is_masked = data[at + 1] >= _MASKED
        begin += _MASK if is_masked else 0
        end = begin + size
        if size > most:
            end = len(data)
        elif end > len(data):
            return self._keep(end - at)
        elif is_plain and is_masked and first in (WHOLE_TEXT, WHOLE_BINARY):
            self._at = end
            return first, apply_mask(data[begin:end], data[begin - _MASK : begin])
        self._at = end
        return 0, data[at:end]

    def _keep(self, needed: int) -> tuple[int, bytes]:
        if self._at < len(self._data):
            self._rest += self._data[self._at :]
        self._needed = needed
        self._data, self._at = b"", 0
        return 0, b""


def packed(first: int, size: int) -> bytes:
    """The head of a message as a server sends it."""
    if size < _SHORT:
        return bytes((first, size))
    if size < 2**16:
        return _head_short(first, _SHORT, size)
    return _head_long(first, _SHORT + 1, size)
