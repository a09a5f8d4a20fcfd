"""The socket on which shims say that a task's folder holds something new, both ends."""

from __future__ import annotations

import contextlib
import os
import socket

from agent.state import StateFolder

_LONGEST_NAME = 128
_MOST_AT_ONCE = 256


class Pokes:
    """Bound in the state folder; it names tasks, and all truth is in their folders."""

    def __init__(self, state: StateFolder) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(state.poke)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        folder = os.open(state.root, os.O_RDONLY | os.O_DIRECTORY)
        try:  # a socket's address ends after 107 bytes, so the path goes through the descriptor
            self._socket.bind(f"/proc/self/fd/{folder}/{os.path.basename(state.poke)}")
        finally:
            os.close(folder)
        os.chmod(state.poke, 0o600)

    def fileno(self) -> int:
        """Readable when somebody poked."""
        return self._socket.fileno()

    def take(self) -> set[str]:
        """The names of tasks to look at."""
        names = set()
        for _ in range(_MOST_AT_ONCE):
            try:
                names.add(self._socket.recv(_LONGEST_NAME).decode("ascii", "replace"))
            except OSError:
                break
        return names

    def close(self) -> None:
        """Shims that poke from now on are not heard; their files wait."""
        self._socket.close()


class Poke:
    """A shim's end, for all its scripts; `state_folder` is an open descriptor."""

    def __init__(self, state_folder: int) -> None:
        self._address = f"/proc/self/fd/{state_folder}/poke"  # a socket's address is short
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def __call__(self, name: str) -> bool:
        """Tell the agent to look; if nobody listens, the files wait for the next one."""
        try:
            self._socket.sendto(name.encode(), self._address)
        except OSError:
            return False
        return True
