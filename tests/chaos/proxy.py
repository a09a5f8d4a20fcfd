"""Stands between agents and an agent gateway, reads their WebSocket frames, and misbehaves.

Every decision comes from the seed and the number of the connection. What it did, and every grant,
floor and acknowledgement that it let pass, is a line of its trace.
"""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.chaos.frames import Frame, Parser
from tests.chaos.toxics import QUIET, REMEMBERED, Cut, Mangler, Toxics
from tests.support.envelopes import opened

UP, DOWN = "up", "down"
"""From the agent to the gateway, and back."""
WITNESSED = frozenset({"grant", "ack", "result_ack", "cancel", "offer", "claim", "result"})
HELD_SECONDS = 0.05
_READ = 256 * 1024


class Trace:
    """A file of JSON lines that tells a run again."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", buffering=1)
        self._began = time.monotonic()
        self.path = path

    def write(self, what: str, **details: object) -> None:
        """One line; times are seconds since the trace began."""
        at = round(time.monotonic() - self._began, 3)
        self._file.write(json.dumps({"at": at, "what": what, **details}) + "\n")

    def close(self) -> None:
        """No more lines."""
        self._file.close()


@dataclass
class Witness:
    """What the proxy has let pass, as far as invariants speak of it."""

    granted: set[tuple[str, int]] = field(default_factory=set)
    floors: dict[tuple[str, int, str], int] = field(default_factory=dict)
    acknowledged: set[tuple[str, int]] = field(default_factory=set)
    spoiled: set[str] = field(default_factory=set)
    """Tasks of which a message came through with another byte in it."""
    kinds: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)

    def see(self, head: dict[str, object]) -> None:
        """One message that goes on to its receiver."""
        head = opened(head)
        kind = str(head.get("type"))
        self.kinds[kind] += 1
        if kind not in WITNESSED or "task_id" not in head:
            return
        key = (str(head["task_id"]), int(str(head["attempt"])))
        if kind == "grant":
            self.granted.add(key)
        elif kind == "result_ack":
            self.acknowledged.add(key)
        elif kind == "ack":
            stream = (*key, str(head["stream"]))
            self.floors[stream] = max(self.floors.get(stream, 0), int(str(head["offset"])))


class Connection:
    """One agent's line: two directions, each with its own mangler."""

    def __init__(self, proxy: "Proxy", agent: str, number: int) -> None:
        self.proxy = proxy
        self.agent = agent
        self.manglers: dict[str, Mangler] = {}
        for way in (UP, DOWN):
            rng = random.Random(f"{proxy.seed}/{agent}/{number}/{way}")
            mangler = Mangler(rng, proxy.toxics[way])
            mangler.old = proxy.remembered(agent, way)
            self.manglers[way] = mangler
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.writers: list[asyncio.StreamWriter] = []

    def abort(self) -> None:
        """Both ends see a reset."""
        self.is_open.set()
        for writer in self.writers:
            writer.transport.abort()

    async def run(
        self,
        down_reader: asyncio.StreamReader,
        down_writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        """Until one side ends."""
        self.writers = [down_writer, up_writer]
        ways = [
            asyncio.create_task(self._pump(UP, down_reader, up_writer)),
            asyncio.create_task(self._pump(DOWN, up_reader, down_writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self.abort()

    async def _pump(
        self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        mangler, parser = self.manglers[way], Parser()
        while True:
            try:
                async with asyncio.timeout(HELD_SECONDS if mangler.held else None):
                    data = await reader.read(_READ)
            except TimeoutError:
                await self._write(writer, mangler.release(), mangler.toxics)
                continue
            if not data:
                return
            await self.is_open.wait()
            for frame in parser.feed(data):
                try:
                    going = mangler.take(frame)
                except Cut as cut:
                    self._tell(way, mangler)
                    writer.write(cut.rest)
                    return
                if frame.is_message and ("drop", frame) not in mangler.deeds:
                    self.proxy.witness.see(frame.head())
                self._tell(way, mangler)
                await self._write(writer, going, mangler.toxics)

    def _tell(self, way: str, mangler: Mangler) -> None:
        for deed, frame in mangler.deeds:
            head = frame.head()
            if deed == "replay":  # also of one that was dropped when it came first
                self.proxy.witness.see(head)
            self.proxy.witness.deeds[deed] += 1
            if deed == "spoil" and "task_id" in head:
                self.proxy.witness.spoiled.add(str(head["task_id"]))
            named = {name: head[name] for name in ("type", "task_id", "stream") if name in head}
            self.proxy.trace.write(deed, agent=self.agent, way=way, **named)
        mangler.deeds.clear()

    async def _write(
        self, writer: asyncio.StreamWriter, frames: list[bytes], toxics: Toxics
    ) -> None:
        for raw in frames:
            step = toxics.slice_bytes or len(raw)
            for start in range(0, len(raw), step):
                writer.write(raw[start : start + step])
                if toxics.slice_bytes:
                    await asyncio.sleep(0)
            if toxics.bytes_per_second:
                await asyncio.sleep(len(raw) / toxics.bytes_per_second)
        await writer.drain()


class Proxy:
    """Listens for agents and passes them on to one gateway."""

    def __init__(self, host: str, port: int, *, seed: object, trace: Trace) -> None:
        self.upstream = (host, port)
        self.seed = seed
        self.trace = trace
        self.witness = Witness()
        self.toxics: dict[str, Toxics] = {UP: QUIET, DOWN: QUIET}
        self.is_refusing = False
        self.connections: set[Connection] = set()
        self.port = 0
        self._numbers: Counter[str] = Counter()
        self._remembered: dict[tuple[str, str], deque[Frame]] = {}
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where agents come in."""
        return f"http://127.0.0.1:{self.port}"

    def remembered(self, agent: str, way: str) -> deque[Frame]:
        """Old messages of an agent, shared by its sessions."""
        return self._remembered.setdefault((agent, way), deque(maxlen=REMEMBERED))

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut_all()

    # ---- what a nemesis does with it ----------------------------------------------------------

    def mangle(self, up: Toxics = QUIET, down: Toxics = QUIET) -> None:
        """From the next message on, on all lines."""
        self.toxics = {UP: up, DOWN: down}
        for connection in self.connections:
            for way, mangler in connection.manglers.items():
                mangler.toxics = self.toxics[way]

    def cut_all(self) -> None:
        """Break every line without a word."""
        for connection in list(self.connections):
            connection.abort()

    def freeze(self) -> None:
        """Half-open: nothing passes, and nobody is told."""
        for connection in self.connections:
            connection.is_open.clear()

    def thaw(self) -> None:
        """What was kept goes on."""
        for connection in self.connections:
            connection.is_open.set()

    def heal(self) -> None:
        """A good line again."""
        self.is_refusing = False
        self.mangle()
        self.thaw()

    # ---- connections --------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            if not self.is_refusing:
                await self._pass_on(reader, writer)
        writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        up_reader, up_writer = await asyncio.open_connection(*self.upstream, limit=2**20)
        up_writer.write(request)
        if b"upgrade: websocket" not in request.lower():
            await _copy_both(reader, writer, up_reader, up_writer)
            return
        answer = await up_reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if b" 101 " not in answer.split(b"\r\n", 1)[0]:
            await _copy(up_reader, writer)
            up_writer.close()
            return
        agent = request.split(b" ", 2)[1].rpartition(b"/")[2].decode()
        self._numbers[agent] += 1
        connection = Connection(self, agent, self._numbers[agent])
        self.connections.add(connection)
        try:
            await connection.run(reader, writer, up_reader, up_writer)
        finally:
            self.connections.discard(connection)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_READ):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def _copy_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    up_reader: asyncio.StreamReader,
    up_writer: asyncio.StreamWriter,
) -> None:
    up = asyncio.create_task(_copy(reader, up_writer))
    try:
        await _copy(up_reader, writer)
    finally:
        up.cancel()
        up_writer.close()


__all__ = ["DOWN", "QUIET", "UP", "Frame", "Proxy", "Toxics", "Trace", "Witness"]
