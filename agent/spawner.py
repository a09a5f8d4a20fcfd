"""The small process beside the agent: holds the private key and forks one shim per task.

It is forked before asyncio is imported, so a shim starts from a few megabytes of plain Python.
It ends when the agent ends; shims do not.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import signal
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.cgroups import find_root
from agent.launch import close_descriptors, title
from agent.records import LOCK
from agent.shim import Shim, Surroundings
from agent.state import PRIVATE, StateFolder, try_lock
from agent.work import Launch

if TYPE_CHECKING:
    from agent.keys import AgentKey

LENGTH = struct.Struct(">I")
"""Every message on the socket is a length and that many bytes of JSON."""


@dataclass(frozen=True)
class SpawnerProcess:
    """The agent's end: the process, and the socket to it."""

    pid: int
    connection: socket.socket


def start_spawner(state: StateFolder, lock: int) -> SpawnerProcess:
    """Fork the spawner; it shares the hold on the state folder until it ends."""
    ours, theirs = socket.socketpair()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            close_descriptors({theirs.fileno(), lock})
            Spawner(state, theirs, lock).serve()
        finally:
            os._exit(1)
    theirs.close()
    return SpawnerProcess(pid, ours)


class Spawner:
    """Answers one request after the other: `sign` and `start`."""

    def __init__(self, state: StateFolder, connection: socket.socket, lock: int) -> None:
        self._state = state
        self._connection = connection
        self._lock = lock
        self._around = Surroundings(state.tasks, _poke_address(state), find_root())
        self._key: AgentKey | None = None

    def serve(self) -> None:
        """Until the agent closes its end."""
        title("opsjob-agent: spawner")
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended shims need no reaping
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        gc.disable()  # no cycles here, and a collection would touch every page shared with shims
        while True:
            prefix = self._receive(LENGTH.size)
            if not prefix:
                return
            self._answer(json.loads(self._receive(LENGTH.unpack(prefix)[0])))

    def _receive(self, size: int) -> bytes:
        """Exactly `size` bytes; empty if the agent closed its end."""
        parts = bytearray()
        while len(parts) < size:
            part = self._connection.recv(size - len(parts))
            if not part:
                return b""
            parts += part
        return bytes(parts)

    def _answer(self, request: dict[str, object]) -> None:
        if request["op"] == "sign":
            value = self._sign(base64.b64decode(str(request["statement"])))
        else:
            value = self._launch(Launch(**request["launch"]))  # type: ignore[arg-type]
        content = json.dumps({"id": request["id"], "value": value}).encode()
        self._connection.sendall(LENGTH.pack(len(content)) + content)

    def _sign(self, statement: bytes) -> str:
        """Load the key, and the library for it, at the first signature."""
        if self._key is None:
            from agent.keys import AgentKey  # noqa: PLC0415 - 9 MB that the agent itself must not hold

            self._key = AgentKey.load(self._state.key)
        return self._key.sign(statement)

    def _launch(self, order: Launch) -> str:
        """Fork the shim; its lock is taken here, so that from the fork on it is seen to live."""
        folder = self._state.task(order.name)
        try:
            os.mkdir(folder, 0o700)
            lock = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE)
        except OSError as error:
            return f"task folder: {error.strerror}"
        try_lock(lock)
        if os.fork() == 0:
            self._become_shim(order)
        os.close(lock)
        return ""

    def _become_shim(self, order: Launch) -> None:
        """In the child: never returns."""
        try:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._connection.close()
            os.close(self._lock)
            Shim(order, self._around).run()
        finally:
            os._exit(0)


def _poke_address(state: StateFolder) -> str:
    """A short path to the agent's socket: socket addresses end after 107 bytes."""
    folder = os.open(state.root, os.O_RDONLY | os.O_DIRECTORY)
    return f"/proc/self/fd/{folder}/{os.path.basename(state.poke)}"
