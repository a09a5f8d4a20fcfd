"""The agent's state folder: where everything lies, who holds it, how files are replaced safely."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

PRIVATE = 0o600
_SPARE_FOLDERS = 8
_FIRST_READ = 16 * 1024
"""Most files here are records of a few hundred bytes: one read takes them whole."""


class StateInUse(Exception):
    """Another agent works with this state folder."""


class StateFolder:
    """Paths inside a state folder; the folder itself is private to the agent's user."""

    def __init__(self, root: str) -> None:
        self.root = os.path.abspath(root)
        self.identity = self._path("identity.json")
        self.key = self._path("key")
        self.sealing_key = self._path("sealing_key")
        self.trust = self._path("trust.json")
        self.certificate = self._path("gateway.pem")
        self.journal = self._path("journal")
        self.remembered = self._path("remembered")
        self.tasks = self._path("tasks")
        self.spare = self._path("spare")
        self.work = self._path("work")
        self.poke = self._path("poke")
        self.lock = self._path("lock")
        self.maintenance = self._path("maintenance")

    def _path(self, name: str) -> str:
        return os.path.join(self.root, name)

    def create(self) -> None:
        """Make the folders that are missing; existing ones become private."""
        for path in (self.root, self.tasks, self.spare, self.work):
            os.makedirs(path, mode=0o700, exist_ok=True)
        os.chmod(self.root, 0o700)

    def task(self, name: str) -> str:
        """The folder of one attempt; `name` comes from `task_name`."""
        return os.path.join(self.tasks, name)

    def hold(self, wait_seconds: float = 0.0) -> int:
        """Take the folder for this process and those it forks; returns the descriptor.

        Waits for a previous agent that is about to end; raises StateInUse after that.
        """
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, PRIVATE)
        deadline = time.monotonic() + wait_seconds
        while not try_lock(descriptor):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise StateInUse(f"Another agent uses {self.root}.")
            time.sleep(0.05)
        return descriptor


def task_name(task_id: str, attempt: int) -> str:
    """The name of an attempt's folder; ids are safe as names by the rules of the protocol."""
    return f"{task_id}.{attempt}"


def try_lock(descriptor: int) -> bool:
    """Lock an open file without waiting; False if another process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_held(path: str) -> bool:
    """Whether a living process holds the lock on a file or folder; False if it does not exist."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: str, content: bytes, *, sync: bool = True) -> None:
    """Replace a file as a whole: readers see the old or the new content, also after a crash."""
    temporary = f"{path}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    try:
        write_all(descriptor, content)
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(temporary, path)
    if sync:
        sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """Make creations and renames in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything, however often the system takes only a part."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def read_if_there(path: str) -> bytes | None:
    """The content of a file, None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        parts = [os.read(descriptor, _FIRST_READ)]
        while parts[-1]:
            parts.append(os.read(descriptor, 2**20))
        return b"".join(parts)
    finally:
        os.close(descriptor)


class SpareFolders:
    """Emptied folders of earlier tasks: one of them is ten times cheaper than a new one.

    One process gives back, under a few names in turn, so that they stay few; another one takes.
    """

    def __init__(self, state: StateFolder) -> None:
        self._root = state.spare
        self._known: list[str] = []
        self._given = 0

    def take(self, path: str) -> None:
        """Make a task's folder. Raises FileExistsError if there is such a folder."""
        if not self._known:
            self._known = os.listdir(self._root)
        while self._known:
            if os.path.exists(path):
                raise FileExistsError(path)
            with contextlib.suppress(FileNotFoundError):
                os.rename(os.path.join(self._root, self._known.pop()), path)
                return
        os.mkdir(path, 0o700)

    def give(self, path: str) -> None:
        """Empty a task's folder and keep it; one that is not there is no error."""
        with contextlib.suppress(OSError):
            for name in os.listdir(path):
                os.unlink(os.path.join(path, name))
            self._given += 1
            place = os.path.join(self._root, str(self._given % _SPARE_FOLDERS))
            os.rename(path, place)  # an empty folder that is still there gives way
