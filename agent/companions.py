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

from agent.questions import LENGTH
from libs.protocol.orders import Secret

_logger = logging.getLogger(__name__)


_RESTART_SECONDS = 0.5
_END_SECONDS = 5.0
_START = "import sys; sys.path[:] = sys.argv[1].split(':'); from {module} import main; main()"


class CompanionGone(Exception):
    """The companion ended before it answered; what was asked may or may not have been done."""


class Companion:
    """One companion: a lean interpreter without asyncio, started anew whenever it ends.

    It gets the number of its socket as argument, then `arguments`; `descriptors` stay open in it.
    """

    def __init__(
        self, module: str, arguments: list[str], *, descriptors: tuple[int, ...] = ()
    ) -> None:
        self._module = module
        self._arguments = arguments
        self._descriptors = descriptors
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._last = 0
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()

    async def run(self) -> None:
        """Keep it running until cancelled."""
        while True:
            process, ours = self._start()
            reader, self._writer = await asyncio.open_connection(sock=ours)
            self._connected.set()
            try:
                await self._serve(reader)
            finally:
                self._connected.clear()
                self._fail_waiting()
                self._writer.transport.abort()
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

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                size = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
                answer = json.loads(await reader.readexactly(size))
                future = self._waiting.pop(answer["id"], None)
                if future is not None and not future.done():
                    future.set_result(answer["value"])

    def _fail_waiting(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(CompanionGone())
        self._waiting.clear()

    async def ask(self, question: dict[str, object]) -> str:
        """The answer to one question; raises CompanionGone if it ends before answering."""
        await self._connected.wait()
        assert self._writer is not None
        self._last += 1
        content = json.dumps({"id": self._last, **question}).encode()
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[self._last] = future
        self._writer.write(LENGTH.pack(len(content)) + content)
        return await future


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
    """The companion that holds the private keys."""

    def __init__(self, key_path: str, sealing_path: str) -> None:
        self._companion = Companion("agent.signer", [key_path, sealing_path])
        self.run = self._companion.run

    async def sign(self, statement: bytes) -> str:
        """The signature in base64, however often the signer has to be asked."""
        while True:
            with contextlib.suppress(CompanionGone):
                return await self._companion.ask({"statement": statement.hex()})

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
