"""The two small processes beside the agent, spawner and signer: started, asked, started again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
from typing import Callable

from agent.questions import Inbox, packed

_logger = logging.getLogger(__name__)


_RESTART_SECONDS = 0.5
_END_SECONDS = 5.0
_START = "import sys; sys.path[:] = sys.argv[1].split(':'); from {module} import main; main()"


class CompanionGone(Exception):
    """The companion ended before it answered; what was asked may or may not have been done."""


class _Line(asyncio.Protocol):
    """Our end of a companion's socket: each answer is handled where it arrives."""

    def __init__(self, heard: Callable[[int, str], None], answered: Callable[[], None]) -> None:
        self._heard = heard
        self._answered = answered
        self._inbox = Inbox()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        for number, answer in self._inbox.feed(data):
            self._heard(number, answer.decode())
        self._answered()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


class Companion:
    """One companion: a lean interpreter without asyncio, started anew whenever it ends.

    It gets the number of its socket as argument, then `arguments`; `descriptors` stay open in it.
    It answers in the order of the questions.
    """

    def __init__(
        self, module: str, arguments: list[str], *, descriptors: tuple[int, ...] = ()
    ) -> None:
        self._module = module
        self._arguments = arguments
        self._descriptors = descriptors
        self._waiting: dict[int, Callable[[str | None], None]] = {}
        self._quiet: dict[int, Callable[[str], None]] = {}
        self._unsent: dict[int, bytes] = {}
        self._last = 0
        self._transport: asyncio.Transport | None = None
        self.answered: Callable[[], None] = lambda: None
        """Called when all answers that came together were handed out."""

    async def run(self) -> None:
        """Keep it running until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            process, ours = self._start()
            line = _Line(self._hear, lambda: self.answered())
            transport, _ = await loop.create_connection(lambda line=line: line, sock=ours)  # type: ignore[misc]  # the default binds it
            self._transport = transport
            unsent, self._unsent = self._unsent, {}
            transport.write(b"".join(unsent.values()))
            try:
                await line.closed
            finally:
                self._transport = None
                self._give_up()
                transport.abort()
                _end(process, ours)
            _logger.error("%s ended; it is started anew.", self._module)
            await asyncio.sleep(_RESTART_SECONDS)

    def _start(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _START.format(module=self._module)),
                    ":".join(path or os.getcwd() for path in sys.path),
                    str(theirs.fileno()),
                    *self._arguments,
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *self._descriptors),
            )
        return process, ours

    def _hear(self, number: int, value: str) -> None:
        refused = self._quiet.pop(number, None)
        if refused is not None:
            refused(value)
        for earlier in [earlier for earlier in self._quiet if earlier < number]:
            self._quiet.pop(earlier)("")
        done = self._waiting.pop(number, None)
        if done is not None:
            done(value)

    def _give_up(self) -> None:
        """Whatever was sent may or may not have been done."""
        waiting, self._waiting = self._waiting, {}
        quiet, self._quiet = self._quiet, {}
        for done in waiting.values():
            done(None)
        for settled in quiet.values():
            settled("")

    def post(self, question: bytes, done: Callable[[str | None], None]) -> None:
        """Ask; `done` gets the answer, or None if the companion ended before answering."""
        self._waiting[self._send(question)] = done

    def tell(self, question: bytes, settled: Callable[[str], None]) -> int:
        """Ask for something whose success is not answered, by a number for `forget`.

        `settled` gets the reason of a failure; or nothing, once a later answer or the end of the
        companion shows that there will be none.
        """
        number = self._send(question)
        self._quiet[number] = settled
        return number

    def forget(self, number: int) -> None:
        """What was told has obviously been done."""
        self._quiet.pop(number, None)

    def probe(self) -> None:
        """Have an answer come for all that was told so far; costs nothing if all is forgotten.

        An empty question asks for nothing but an answer.
        """
        if self._quiet and not self._waiting:
            self.post(b"", lambda answer: None)

    def _send(self, question: bytes) -> int:
        self._last += 1
        frame = packed(self._last, question)
        if self._transport is None:
            self._unsent[self._last] = frame
        else:
            self._transport.write(frame)
        return self._last

    async def ask(self, question: bytes) -> str:
        """The answer to one question; raises CompanionGone if it ends before answering."""
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.post(question, lambda answer: None if future.done() else future.set_result(answer))
        answer = await future
        if answer is None:
            raise CompanionGone
        return answer


def _end(process: subprocess.Popen[bytes], connection: socket.socket) -> None:
    """Close our end, at which a companion ends by itself, and collect it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
