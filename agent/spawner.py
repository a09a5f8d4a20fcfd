"""The small process from which shims are forked; a shim that is done waits for the next script.

It is a lean interpreter of its own: what it has imported is what every fork must copy.
It ends when the agent ends. Shims do not: they finish their script first.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys

from agent.cgroups import CgroupRoot, find_root
from agent.launch import close_descriptors, limit_files
from agent.questions import Inbox, packed
from agent.shim import Surroundings, serve_scripts
from agent.state import SpareFolders, StateFolder, try_lock
from agent.title import title

_MOST_IDLE = 2
_IDLE = b"."
_REST_SECONDS = 1.0
_MOST_AT_ONCE = 64 * 1024


def main() -> None:
    """`spawner <path> <socket> <state folder> <lock> <cgroups>`; ends with the agent's end."""
    title("opsjob-agent: spawner")
    connection = socket.socket(fileno=int(sys.argv[2]))
    lock = int(sys.argv[4])
    close_descriptors({connection.fileno(), lock})
    gc.freeze()
    gc.disable()  # no cycles here, and a collection would touch every page shared with shims
    Spawner(StateFolder(sys.argv[3]), connection, lock, find_root(sys.argv[5])).serve()


class Spawner:
    """Takes one question after the other: start this script."""

    def __init__(
        self, state: StateFolder, connection: socket.socket, lock: int, cgroups: CgroupRoot | None
    ) -> None:
        self._state = state
        self._connection = connection
        self._lock = lock
        folder = os.open(state.root, os.O_RDONLY | os.O_DIRECTORY)
        self._around = Surroundings(state.tasks, folder, cgroups)
        self._inbox = Inbox()
        self._spare = SpareFolders(state)
        self._idle: list[socket.socket] = []
        self._busy: list[socket.socket] = []

    def serve(self) -> None:
        """Until the agent closes its end.

        Shims are heard when the next script comes, or a second after the last one: that one of
        them is idle again is no reason to wake up for.
        """
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended shims need no reaping
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the agent says when
        while True:
            if not select.select([self._connection], [], [], _REST_SECONDS)[0]:
                self._hear_shims(None, [self._connection])
            received = self._connection.recv(_MOST_AT_ONCE)
            if not received:
                return
            self._hear_shims(0, [])
            for place, content in self._inbox.feed(received):
                self._answer(place, content)

    def _hear_shims(self, seconds: float | None, others: list[socket.socket]) -> None:
        """Who is idle again or ended, until there is nothing to hear, or something from others."""
        while True:
            found = select.select([*others, *self._busy, *self._idle], [], [], seconds)[0]
            for source in found:
                if source not in others:
                    self._hear(source)
            if not found or any(source in others for source in found):
                return

    def _answer(self, number: int, content: bytes) -> None:
        """Start a script, of which nothing is said if it worked; no content asks for a word."""
        failure = self._launch(content) if content else ""
        if failure or not content:
            self._connection.sendall(packed(number, failure.encode()))

    def _launch(self, content: bytes) -> str:
        """Hand the script to a shim together with a lock that is held from here on."""
        folder = self._state.task(content[: content.index(b"\0")].decode())
        try:
            self._spare.take(folder)
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            return f"task folder: {error.strerror}"
        try_lock(lock)
        try:
            self._hand_over(content, lock)
        finally:
            os.close(lock)
        return ""

    def _hand_over(self, content: bytes, lock: int) -> None:
        while self._idle:
            shim = self._idle.pop()
            with contextlib.suppress(OSError):
                _send(shim, content, lock)
                self._busy.append(shim)
                return
            shim.close()
        shim = self._fork_shim()
        _send(shim, content, lock)
        self._busy.append(shim)

    def _fork_shim(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            try:
                os.setsid()
                kept = {theirs.fileno(), self._around.state_folder}
                close_descriptors(kept)
                limit_files()
                serve_scripts(theirs, self._around)
            finally:
                os._exit(0)
        theirs.close()
        return ours

    def _hear(self, shim: socket.socket) -> None:
        """A shim is idle again, or it ended."""
        try:
            word = shim.recv(1)
        except OSError:
            word = b""
        known = self._busy if shim in self._busy else self._idle
        known.remove(shim)
        if word == _IDLE and len(self._idle) < _MOST_IDLE:
            self._idle.append(shim)
        else:
            shim.close()


def _send(shim: socket.socket, content: bytes, lock: int) -> None:
    message = packed(0, content)
    sent = socket.send_fds(shim, [message], [lock])
    if sent < len(message):
        shim.sendall(message[sent:])
