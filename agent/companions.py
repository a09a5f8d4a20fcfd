"""The two small processes beside the agent, spawner and signer: started, asked, started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from typing import Callable

from agent.questions import LENGTH
from libs.protocol.orders import Secret
from libs.protocol.signed import Signed

_logger = logging.getLogger(__name__)


_RESTART_SECONDS = 0.5
_END_SECONDS = 5.0
_START = "import sys; sys.path[:] = sys.argv[1].split(':'); from {module} import main; main()"


class CompanionGone(Exception):
    """The companion ended before it answered; what was asked may or may not have been done."""


class _Line(asyncio.Protocol):
    """Our end of a companion's socket: each answer is handled where it arrives."""

    def __init__(self, heard: Callable[[int, str], None]) -> None:
        self._heard = heard
        self._received = bytearray()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                return
            answer = json.loads(self._received[LENGTH.size : end])
            del self._received[:end]
            self._heard(answer["id"], answer["value"])

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

    async def run(self) -> None:
        """Keep it running until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            process, ours = self._start()
            line = _Line(self._hear)
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

    def post(self, question: dict[str, object], done: Callable[[str | None], None]) -> None:
        """Ask; `done` gets the answer, or None if the companion ended before answering."""
        self._waiting[self._send(question)] = done

    def tell(self, question: dict[str, object], settled: Callable[[str], None]) -> int:
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
        """Have an answer come for all that was told so far; costs nothing if all is forgotten."""
        if self._quiet and not self._waiting:
            self.post({"name": ""}, lambda answer: None)

    def _send(self, question: dict[str, object]) -> int:
        self._last += 1
        content = json.dumps({"id": self._last, **question}).encode()
        frame = LENGTH.pack(len(content)) + content
        if self._transport is None:
            self._unsent[self._last] = frame
        else:
            self._transport.write(frame)
        return self._last

    async def ask(self, question: dict[str, object]) -> str:
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


class Signer:
    """The companion that holds the private keys, and knows whose orders count."""

    def __init__(self, key_path: str, sealing_path: str, trust_path: str) -> None:
        self._companion = Companion("agent.signer", [key_path, sealing_path, trust_path])
        self.run = self._companion.run

    async def sign(self, statement: bytes) -> str:
        """The signature in base64, however often the signer has to be asked."""
        while True:
            with contextlib.suppress(CompanionGone):
                return await self._companion.ask({"statement": statement.hex()})

    def sign_then(self, statement: bytes, done: Callable[[str], None]) -> None:
        """The same for who does not wait: `done` gets the signature."""

        self._until_answered({"statement": statement.hex()}, done)

    def check_then(self, order: Signed, now: float, done: Callable[[str], None]) -> None:
        """Whether an order counts: `done` gets nothing, or the word that says why it does not.

        Answers come in the sequence of the questions, however often the signer ends meanwhile.
        """
        question = {
            "purpose": order.purpose,
            "kid": order.kid,
            "payload": order.payload,
            "sig": order.sig,
            "now": now,
        }
        self._until_answered({"order": question}, done)

    def believe_then(self, bundle: str, done: Callable[[str], None]) -> None:
        """Take over a trust bundle: `done` gets nothing, or the word that says why not."""
        self._until_answered({"bundle": bundle}, done)

    def _until_answered(self, question: dict[str, object], done: Callable[[str], None]) -> None:
        def answered(answer: str | None) -> None:
            if answer is None:
                self._until_answered(question, done)
            else:
                done(answer)

        self._companion.post(question, answered)

    async def open(self, secret: Secret, task_id: str, attempt: int) -> str | None:
        """The value of a secret of this attempt; None if it was not sealed for us and for it."""
        question: dict[str, object] = {
            "sealed": secret.sealed,
            "task_id": task_id,
            "attempt": attempt,
            "name": secret.name,
        }
        while True:
            with contextlib.suppress(CompanionGone):
                answer = await self._companion.ask({"sealed": question})
                return answer[1:] if answer else None
