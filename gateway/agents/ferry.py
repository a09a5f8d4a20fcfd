"""Carries files to sockets from threads of its own, so that no large file delays a heartbeat.

Each thread serves many sockets in turns of bounded size; bytes go from the file to the socket
inside the kernel (sendfile).
"""

import asyncio
import contextlib
import heapq
import os
import select
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from gateway.agents.lanes import Lane
from libs.kit.clock import monotonic

TURN_BYTES: Final = 1024 * 1024
"""What one socket may get before the others have their turn."""
SLOW_TURN_BYTES: Final = 64 * 1024
"""The same where a rate is limited, so that the limit is met evenly."""
IDLE_SECONDS: Final = 60.0
"""A reader that takes nothing for so long is cut off; it resumes where it was."""
_LOOK_SECONDS: Final = 5.0


class ReaderGone(Exception):
    """The agent closed the connection, or takes nothing any more."""


@dataclass(eq=False)
class Cargo:
    """A head, then a part of an open file, for one socket; both descriptors belong to the ferry
    from `carry` on."""

    wire: socket.socket
    head: bytes
    file: int
    offset: int
    left: int
    lane: Lane | None
    done: "asyncio.Future[None]"
    moved_at: float = field(default_factory=monotonic)

    def close(self) -> None:
        """Let go of both descriptors."""
        self.wire.close()
        os.close(self.file)


class Ferry:
    """A few threads, started by the first cargo; `close` ends them."""

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._boats: list[_Boat] = []
        self._turn = 0

    async def carry(
        self,
        wire: socket.socket,
        head: bytes,
        file: int,
        offset: int,
        length: int,
        lane: Lane | None,
    ) -> None:
        """Send all of it. Raises ReaderGone."""
        loop = asyncio.get_running_loop()
        cargo = Cargo(wire, head, file, offset, length, lane, loop.create_future())
        if not self._boats:
            self._boats = [_Boat(loop) for _ in range(self._threads)]
        self._turn += 1
        boat = self._boats[self._turn % len(self._boats)]
        boat.load(cargo)
        try:
            await cargo.done
        except asyncio.CancelledError:
            boat.drop(cargo)
            raise

    def close(self) -> None:
        """End the threads; what is on its way is cut off."""
        for boat in self._boats:
            boat.end()
        self._boats = []


class _Boat:
    """One thread with its sockets."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._guard = threading.Lock()
        self._new: deque[Cargo] = deque()
        self._dropped: deque[Cargo] = deque()
        self._aboard: dict[int, Cargo] = {}
        self._waiting: list[tuple[float, int]] = []
        self._epoll = select.epoll()
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._epoll.register(self._bell.fileno(), select.EPOLLIN)
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="ferry", daemon=True)
        self._thread.start()

    def load(self, cargo: Cargo) -> None:
        with self._guard:
            self._new.append(cargo)
        self._ring()

    def drop(self, cargo: Cargo) -> None:
        with self._guard:
            self._dropped.append(cargo)
        self._ring()

    def end(self) -> None:
        self._is_ending = True
        self._ring()
        self._thread.join(5.0)

    def _ring(self) -> None:
        try:
            self._ringer.send(b"!")
        except BlockingIOError:
            return  # it has been rung often enough

    def _run(self) -> None:
        looked = monotonic()
        while not self._is_ending:
            for descriptor, events in self._epoll.poll(self._patience()):
                if descriptor == self._bell.fileno():
                    self._take_new()
                elif descriptor in self._aboard:
                    self._serve(self._aboard[descriptor], events)
            now = monotonic()
            self._wake(now)
            if now - looked > _LOOK_SECONDS:
                looked = now
                self._cut_idle(now)
        self._finish()

    def _patience(self) -> float:
        if not self._waiting:
            return _LOOK_SECONDS
        return min(_LOOK_SECONDS, max(0.0, self._waiting[0][0] - monotonic()))

    def _take_new(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)
        with self._guard:
            new, self._new = self._new, deque()
            dropped, self._dropped = self._dropped, deque()
        for cargo in new:
            descriptor = cargo.wire.fileno()
            self._aboard[descriptor] = cargo
            self._epoll.register(descriptor, select.EPOLLOUT)
        for cargo in dropped:
            if self._aboard.get(cargo.wire.fileno()) is cargo:
                self._unload(cargo, ReaderGone("cancelled"))

    def _serve(self, cargo: Cargo, events: int) -> None:
        if events & (select.EPOLLHUP | select.EPOLLERR):
            self._unload(cargo, ReaderGone("closed"))
            return
        try:
            if not self._send_head(cargo):
                return
            allowed = self._allowance(cargo)
            if not allowed:
                return
            if cargo.left:
                count = os.sendfile(cargo.wire.fileno(), cargo.file, cargo.offset, allowed)
                if not count:
                    self._unload(cargo, ReaderGone("the file ends early"))
                    return
                self._moved(cargo, count, allowed)
        except BlockingIOError:
            return
        except OSError as error:
            self._unload(cargo, ReaderGone(str(error)))
            return
        if not cargo.left and not cargo.head:
            self._unload(cargo, None)

    def _send_head(self, cargo: Cargo) -> bool:
        if cargo.head:
            sent = cargo.wire.send(cargo.head, socket.MSG_MORE if cargo.left else 0)
            cargo.head = cargo.head[sent:]
            cargo.moved_at = monotonic()
        return not cargo.head

    def _allowance(self, cargo: Cargo) -> int:
        """How much may go now; 0 puts the socket aside until its lane has something again."""
        if cargo.lane is None or not cargo.left:
            return min(cargo.left, TURN_BYTES) or 1
        wanted = min(cargo.left, SLOW_TURN_BYTES)
        wait = cargo.lane.take(wanted)
        if not wait:
            return wanted
        descriptor = cargo.wire.fileno()
        self._epoll.modify(descriptor, 0)
        heapq.heappush(self._waiting, (monotonic() + wait, descriptor))
        cargo.moved_at = monotonic()
        return 0

    def _moved(self, cargo: Cargo, count: int, allowed: int) -> None:
        cargo.offset += count
        cargo.left -= count
        cargo.moved_at = monotonic()
        if cargo.lane is not None and count < allowed:
            cargo.lane.give_back(allowed - count)

    def _wake(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, descriptor = heapq.heappop(self._waiting)
            if descriptor in self._aboard:
                self._epoll.modify(descriptor, select.EPOLLOUT)

    def _cut_idle(self, now: float) -> None:
        for cargo in list(self._aboard.values()):
            if now - cargo.moved_at > IDLE_SECONDS:
                self._unload(cargo, ReaderGone("takes nothing any more"))

    def _unload(self, cargo: Cargo, error: ReaderGone | None) -> None:
        descriptor = cargo.wire.fileno()
        del self._aboard[descriptor]
        self._epoll.unregister(descriptor)
        cargo.close()
        try:
            self._loop.call_soon_threadsafe(_tell, cargo.done, error)
        except RuntimeError:
            return  # the loop is gone, so nobody waits

    def _finish(self) -> None:
        self._take_new()
        for cargo in list(self._aboard.values()):
            self._unload(cargo, ReaderGone("the gateway stops"))
        self._epoll.close()
        self._bell.close()
        self._ringer.close()


def _tell(done: "asyncio.Future[None]", error: ReaderGone | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
