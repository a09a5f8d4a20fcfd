"""A load of HTTP requests over a few connections, and where the processes of a benchmark run."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil


def pin(core: int) -> None:
    """Servers on the first core, the client on the second, if there are two to choose from."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, {cores[core]})


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """This process on one core, and afterwards where it was."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    pin(core)
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


@dataclass
class Way:
    """One way to the service: where to send what, which processes work for it."""

    port: int
    token: str
    processes: list[psutil.Process]
    slash: str = "/"
    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    latency_ms: dict[str, list[float]] = field(default_factory=dict)

    def request(self, path: str) -> bytes:
        """The bytes of one request, with the headers of an ordinary program."""
        lines = (
            f"GET {path}{self.slash} HTTP/1.1",
            f"host: 127.0.0.1:{self.port}",
            "accept: application/json",
            "accept-encoding: gzip, deflate",
            "user-agent: opsjob-bench",
            f"authorization: Bearer {self.token}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def cpu_seconds(self) -> float:
        """CPU time of all its processes so far."""
        return sum(_cpu_seconds(process) for process in self.processes)


def _cpu_seconds(process: psutil.Process) -> float:
    """From the scheduler's nanoseconds where there are any; else in ticks of 10 ms."""
    try:
        spent = Path(f"/proc/{process.pid}/schedstat").read_text(encoding="ascii").split()[0]
    except OSError:
        times = process.cpu_times()
        return float(times.user + times.system)
    return int(spent) / 1e9


class _Loader(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer."""

    def __init__(self, request: bytes, left: list[int], done: asyncio.Future[None]) -> None:
        self._request = request
        self._left = left
        self._done = done
        self._received = bytearray()
        self._length = 0
        self._began = 0.0
        self.seconds: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass
        self._ask()

    def _ask(self) -> None:
        if self._left[0] <= 0:
            if not self._done.done():
                self._done.set_result(None)
            return
        self._left[0] -= 1
        self._received.clear()
        self._length = 0
        self._began = time.perf_counter()
        self._transport.write(self._request)

    def _fail(self, why: str) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(why))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the server closed a connection")

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._length:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._received[:end]).lower()
            if not head.startswith(b"http/1.1 200"):
                self._fail(head[:200].decode("latin-1"))
                return
            at = head.index(b"content-length:") + len(b"content-length:")
            self._length = end + 4 + int(head[at:].split(b"\r\n", 1)[0])
        if len(self._received) >= self._length:
            self.seconds.append(time.perf_counter() - self._began)
            self._ask()


@asynccontextmanager
async def load(
    way: Way, path: str, connections: int, requests: int
) -> AsyncIterator[tuple[float, list[float]]]:
    """Seconds for all requests, and those of each."""
    loop = asyncio.get_running_loop()
    left, done = [requests], loop.create_future()
    request = way.request(path)
    began = time.perf_counter()
    pairs = [
        await loop.create_connection(lambda: _Loader(request, left, done), "127.0.0.1", way.port)
        for _ in range(connections)
    ]
    async with asyncio.timeout(120):
        await done
    passed = time.perf_counter() - began
    try:
        yield passed, [second for _, loader in pairs for second in loader.seconds]
    finally:
        for transport, _ in pairs:
            transport.close()
