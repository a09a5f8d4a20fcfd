"""RFC 6455 frames as bytes: cut out of a stream, looked into, and written again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Frame:
    """One frame; `raw` is exactly what came over the wire, `payload` is without its mask."""

    opcode: int
    is_final: bool
    mask: bytes
    payload: bytes
    raw: bytes

    @property
    def is_message(self) -> bool:
        """A whole text or binary message; the agent's protocol never splits one."""
        return self.opcode in (TEXT, BINARY) and self.is_final

    def head(self) -> dict[str, object]:
        """The JSON head of an agent protocol message; empty if there is none."""
        text = self.payload
        if self.opcode == BINARY:
            length = int.from_bytes(text[:4], "big")
            text = text[4 : 4 + length]
        try:
            found = json.loads(text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def with_payload(self, payload: bytes) -> "Frame":
        """The same frame with another content, masked as before."""
        frame = replace(self, payload=payload, raw=b"")
        return replace(frame, raw=encode(frame))


def encode(frame: Frame) -> bytes:
    """The bytes of a frame."""
    first = frame.opcode | (0x80 if frame.is_final else 0)
    masked = 0x80 if frame.mask else 0
    length = len(frame.payload)
    if length < 126:
        head = bytes([first, masked | length])
    elif length < 65_536:
        head = bytes([first, masked | 126]) + length.to_bytes(2, "big")
    else:
        head = bytes([first, masked | 127]) + length.to_bytes(8, "big")
    return head + frame.mask + _masked(frame.payload, frame.mask)


class Parser:
    """Takes bytes as they come, gives the frames that are complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that end within these bytes."""
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, place = buffer[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            length, place = int.from_bytes(buffer[2 : 2 + size], "big"), 2 + size
            if len(buffer) < place:
                return None
        mask = b""
        if buffer[1] & 0x80:
            mask = bytes(buffer[place : place + 4])
            place += 4
        end = place + length
        if len(buffer) < end:
            return None
        raw = bytes(buffer[:end])
        frame = Frame(
            opcode=buffer[0] & 0x0F,
            is_final=bool(buffer[0] & 0x80),
            mask=mask,
            payload=_masked(raw[place:], mask),
            raw=raw,
        )
        del buffer[:end]
        return frame


def _masked(payload: bytes, mask: bytes) -> bytes:
    if not mask or not payload:
        return payload
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return mixed.to_bytes(len(payload), "big")
