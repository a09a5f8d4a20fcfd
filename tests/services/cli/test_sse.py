"""Event streams are read as they are cut, and resumed after the last event that was read."""

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from services.cli.failure import CommandFailed
from services.cli.sse import ServerEvent, parse, resume

WIRE = (
    b"retry: 2000\n\n: ping\n\n"
    b'id: 1\nevent: log\ndata: {"text": "a\xe2\x80\xa8b"}\n\n'
    b'id: 2\r\nevent: log\r\ndata: {"text":\r\ndata:  "c"}\r\n\r\n'
    b'event: end\ndata: {"status": "success"}\n\n'
)
EVENTS = [
    ServerEvent("log", {"text": "a\u2028b"}, "1"),
    ServerEvent("log", {"text": "c"}, "2"),
    ServerEvent("end", {"status": "success"}, ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_do_not_depend_on_how_the_bytes_are_cut(size: int) -> None:
    pieces = (WIRE[start : start + size] for start in range(0, len(WIRE), size))

    assert list(parse(pieces)) == EVENTS


def test_an_endless_line_is_given_up() -> None:
    with pytest.raises(CommandFailed, match="too large"):
        list(parse(b"x" * 100_000 for _ in range(100)))


class Server:
    """Sends part of the stream per connection, then breaks it."""

    def __init__(self, *parts: bytes | CommandFailed) -> None:
        self._parts = list(parts)
        self.asked_after: list[str] = []

    @contextlib.contextmanager
    def connect(self, after: str) -> Iterator[httpx.Response]:
        self.asked_after.append(after)
        part = self._parts.pop(0)
        if isinstance(part, CommandFailed):
            raise part
        yield httpx.Response(200, stream=Broken(part))


class Broken(httpx.SyncByteStream):
    """Some bytes, then a lost connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        raise httpx.ReadError("gone")


def test_a_broken_stream_goes_on_after_the_last_event() -> None:
    first, second, third = (WIRE.find(mark) for mark in (b"id: 2", b"event: end", b"ping"))
    server = Server(
        WIRE[: first + 10], CommandFailed("away", status=503), WIRE[first:second], WIRE[second:]
    )

    assert list(resume(server.connect)) == EVENTS
    assert third > 0
    assert server.asked_after == ["", "1", "1", "2"]


def test_a_refusal_is_told_at_once() -> None:
    server = Server(CommandFailed("not yours", status=403))

    with pytest.raises(CommandFailed, match="not yours"):
        list(resume(server.connect))
