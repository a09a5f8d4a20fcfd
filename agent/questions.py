"""What agent and companions say over their sockets: length, number of the question, content."""

from __future__ import annotations

import struct

HEADER = struct.Struct(">IQ")
"""How many bytes follow, and to which question they belong."""
SIGN = b"sign\0"
"""What a question to the signer begins with if the rest of it is to be signed; others are JSON."""


def packed(number: int, content: bytes) -> bytes:
    """A question, or the answer to the question with this number."""
    return HEADER.pack(len(content), number) + content


class Inbox:
    """Puts what was received together again."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Number and content of everything that is complete now."""
        received = self._received
        received += data
        found = []
        while len(received) >= HEADER.size:
            size, number = HEADER.unpack_from(received)
            end = HEADER.size + size
            if len(received) < end:
                break
            found.append((number, bytes(received[HEADER.size : end])))
            del received[:end]
        return found
