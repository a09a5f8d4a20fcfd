"""The small process from which shims are forked; a shim that is done waits for the next script.

It is a lean interpreter of its own: what it has imported is what every fork must copy.
It ends when the agent ends. Shims do not: they finish their script first.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys

from agent.cgroups import CgroupRoot, find_root
from agent.launch import close_descriptors, limit_files
from agent.questions import read_question, write_answer, write_message
from agent.shim import Surroundings, serve_scripts
from agent.state import StateFolder, take_folder, try_lock
from agent.title import title

_MOST_IDLE = 2
_IDLE = b"."


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
        self._idle: list[socket.socket] = []
        self._busy: list[socket.socket] = []

    def serve(self) -> None:
        """Until the agent closes its end."""
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended shims need no reaping
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the agent says when
        while True:
            sources = [self._connection, *self._busy, *self._idle]
            for source in select.select(sources, [], [])[0]:
                if source is not self._connection:
                    self._hear(source)
                elif not self._answer():
                    return

    def _answer(self) -> bool:
        """Start a script, of which nothing is said if it worked; no name asks for a word."""
        content = read_question(self._connection)
        if content is None:
            return False
        question = json.loads(content)
        failure = self._launch(question["name"], content) if question["name"] else ""
        if failure or not question["name"]:
            write_answer(self._connection, question["id"], failure)
        return True

    def _launch(self, name: str, content: bytes) -> str:
        """Hand the script to a shim together with a lock that is held from here on."""
        folder = self._state.task(name)
        try:
            take_folder(self._state, folder)
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
    socket.send_fds(shim, [b"!"], [lock])
    write_message(shim, content)
