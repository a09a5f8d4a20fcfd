"""A companion's end of its socket: length and JSON, one question after the other."""

from __future__ import annotations

import json
import socket
import struct

LENGTH = struct.Struct(">I")
"""Every message on a companion's socket is a length and that many bytes of JSON."""


def read_question(connection: socket.socket) -> bytes | None:
    """The next question; None if the other side closed."""
    prefix = _receive(connection, LENGTH.size)
    return _receive(connection, LENGTH.unpack(prefix)[0]) if prefix else None


def _receive(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def write_message(connection: socket.socket, content: bytes) -> None:
    """Length and content."""
    connection.sendall(LENGTH.pack(len(content)) + content)


def write_answer(connection: socket.socket, number: int, value: str) -> None:
    """The answer to the question with this number."""
    write_message(connection, json.dumps({"id": number, "value": value}).encode())
