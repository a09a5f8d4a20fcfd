"""Readers of event streams that cost little, so that a benchmark measures the platform."""

import asyncio
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools
import msgspec
import uvloop


class _Data(msgspec.Struct):
    """What a reader looks at in the data of an event."""

    host_id: int = 0
    stream: str = ""
    offset: int = 0
    text: str = ""
    status: str = ""
    length: int = 0


@dataclass
class Seen:
    """What one reader got: lines, and length and CRC-32 of the bytes of each host's stream."""

    lines: int = 0
    status: str = ""
    gaps: int = 0
    bytes: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    crc: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    wire_bytes: int = 0
    ended_at: float = 0.0


class Reader(asyncio.Protocol):
    """One connection that follows one stream to its end; `opened` and `done` tell how far it is."""

    def __init__(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._request = request
        self._parser = httptools.HttpResponseParser(self)
        self._rest = b""
        self._decode = msgspec.json.Decoder(_Data).decode
        self.seen = Seen()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[Seen] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.seen.wire_bytes += len(data)
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        if status == 200:
            self.opened.set_result(None)
        else:
            self._fail(f"status {status}")

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        block = self._rest + body if self._rest else body
        whole = block.rfind(b"\n\n")
        if whole < 0:
            self._rest = block
            return
        self._rest = block[whole + 2 :]
        for event in block[:whole].split(b"\n\n"):
            self._take(event)

    def _take(self, event: bytes) -> None:
        name = data = b""
        for line in event.split(b"\n"):
            if line.startswith(b"data: "):
                data = line[6:]
            elif line.startswith(b"event: "):
                name = line[7:]
        if name == b"log":
            self._count(self._decode(data))
        elif name == b"gap":
            self._fail(f"a gap: {data.decode()}")
        elif name == b"end" and not self.done.done():
            self.seen.status = self._decode(data).status
            self.seen.ended_at = self._loop.time()
            self.done.set_result(self.seen)
            self._transport.close()

    def _count(self, data: _Data) -> None:
        seen, key, raw = self.seen, (data.host_id, data.stream), data.text.encode()
        if seen.bytes[key] != data.offset:
            self._fail(f"{key}: bytes {seen.bytes[key]} to {data.offset} are missing")
        seen.lines += raw.count(b"\n")
        seen.bytes[key] += len(raw)
        seen.crc[key] = zlib.crc32(raw, seen.crc[key])

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the connection ended before its stream")

    def _fail(self, why: str) -> None:
        for future in (self.opened, self.done):
            if not future.done():
                future.set_exception(RuntimeError(why))
        self._transport.close()


async def open_readers(url: str, path: str, token: str, count: int) -> list[Reader]:
    """So many readers of one path, all of them with an open stream."""
    address = urlsplit(url)
    request = (
        f"GET {path} HTTP/1.1\r\nhost: {address.netloc}\r\naccept: text/event-stream\r\n"
        f"authorization: {token}\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    for _ in range(count):
        _, reader = await loop.create_connection(
            lambda: Reader(request), str(address.hostname), int(address.port or 80)
        )
        readers.append(reader)
    async with asyncio.timeout(60):
        await asyncio.gather(*(reader.opened for reader in readers))
    return readers


async def follow(readers: list[Reader], seconds: float) -> list[Seen]:
    """What all of them saw, once all streams have ended."""
    async with asyncio.timeout(seconds):
        return list(await asyncio.gather(*(reader.done for reader in readers)))


def runner() -> asyncio.Runner:
    """A loop that costs little."""
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)
