"""Opens folders step by step, so that nobody can lead a transfer to another place by a link.

A link is followed only where its folder and the link itself belong to root or to our own user and
nobody else may write there, such as `/var/run`. Policy is checked against the path that was really
walked, after links.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from contextlib import contextmanager

from agent.transfer_report import TransferFailed, failure_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

KERNEL_FOLDERS = ("/proc", "/sys", "/dev")
_MOST_LINKS = 40
_STEP = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


class Policy:
    """Where transfers may work: below one of `roots` (empty: anywhere), never below `refused`."""

    __slots__ = ("refused", "roots")

    def __init__(self, roots: tuple[tuple[str, ...], ...], refused: tuple[str, ...]) -> None:
        self.roots = roots
        self.refused = refused

    @classmethod
    def of(cls, *roots: tuple[str, ...], state: str) -> Policy:
        """Several lists of roots that must all allow a path; the agent's own folder is refused."""
        real = tuple(tuple(os.path.realpath(root) for root in some) for some in roots if some)
        return cls(real, (*KERNEL_FOLDERS, os.path.realpath(state)))

    def check(self, path: str) -> None:
        """Raises TransferFailed for a path (without links) that is not allowed."""
        if self.is_refused(path) or not all(
            any(_is_below(path, root) for root in some) for some in self.roots
        ):
            raise TransferFailed("path_refused", f"{path} is outside of what policy allows.")

    def is_refused(self, path: str) -> bool:
        """Whether nothing allows this path."""
        return any(_is_below(path, folder) for folder in self.refused)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


class NewFolder:
    """How folders that are missing are made; -1 leaves owner and group as they come."""

    __slots__ = ("gid", "mode", "uid")

    def __init__(self, mode: int, uid: int, gid: int) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid


class Folder:
    """An open folder and its path without links; `descriptor` serves as `dir_fd`."""

    __slots__ = ("descriptor", "path")

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path

    def inside(self, name: str) -> str:
        """The path of something in it."""
        return f"{self.path.rstrip('/')}/{name}"

    def sync(self) -> None:
        """Make renames in it durable; a folder that we may not read is left to the system."""
        with contextlib.suppress(PermissionError):
            readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.descriptor)
            try:
                os.fsync(readable)
            finally:
                os.close(readable)


@contextmanager
def opened(path: str, policy: Policy, new: NewFolder | None = None) -> Iterator[Folder]:
    """The folder at an absolute path, made if `new` says how. Raises TransferFailed.

    Policy is checked before anything is made.
    """
    walk = _Walk(policy, new)
    try:
        walk.go(path)
        folder = Folder(walk.descriptor, walk.path)
        policy.check(folder.path)
        yield folder
    finally:
        walk.close()


class _Walk:
    """The folders from the root down to where we are, each open."""

    def __init__(self, policy: Policy, new: NewFolder | None) -> None:
        self._policy = policy
        self._new = new
        self._open: list[tuple[str, int]] = [("", os.open("/", _STEP))]
        self._links = 0

    @property
    def descriptor(self) -> int:
        return self._open[-1][1]

    @property
    def path(self) -> str:
        return "/".join(name for name, _ in self._open) or "/"

    def close(self) -> None:
        while self._open:
            os.close(self._open.pop()[1])

    def go(self, path: str) -> None:
        """Walk an absolute path."""
        if not path.startswith("/"):
            raise TransferFailed("path_refused", f"{path} is not absolute.")
        waiting = [part for part in reversed(path.split("/")) if part]
        if ".." in waiting:
            raise TransferFailed("path_refused", f"{path} leads upwards.")
        while waiting:
            part = waiting.pop()
            if part == "..":
                self._up()
            elif part != ".":
                waiting.extend(self._step(part))

    def _up(self) -> None:
        if len(self._open) > 1:
            os.close(self._open.pop()[1])

    def _step(self, part: str) -> list[str]:
        """One step down; for a link the steps that it stands for, the last one first."""
        where = f"{self.path.rstrip('/')}/{part}"
        try:
            self._open.append((part, os.open(part, _STEP, dir_fd=self.descriptor)))
        except FileNotFoundError:
            self._make(part, where)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise failure_of(error, where) from None
            return self._follow(part, where)
        return []

    def _make(self, part: str, where: str) -> None:
        if self._new is None:
            raise TransferFailed("source_missing", f"{where} does not exist.")
        self._policy.check(where)
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o700, dir_fd=self.descriptor)
            descriptor = os.open(part, _STEP, dir_fd=self.descriptor)
            self._open.append((part, descriptor))
            readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=descriptor)
            try:
                if (self._new.uid, self._new.gid) != (-1, -1):
                    os.fchown(readable, self._new.uid, self._new.gid)
                os.fchmod(readable, self._new.mode)
            finally:
                os.close(readable)
        except OSError as error:
            raise failure_of(error, where) from None

    def _follow(self, part: str, where: str) -> list[str]:
        try:
            found = os.stat(part, dir_fd=self.descriptor, follow_symlinks=False)
            if not stat.S_ISLNK(found.st_mode):
                raise TransferFailed("target_unusable", f"{where} is not a folder.")
            if not _is_trusted(os.fstat(self.descriptor)) or found.st_uid not in (0, os.geteuid()):
                raise TransferFailed("path_refused", f"{where} is a link that others may change.")
            text = os.readlink(part, dir_fd=self.descriptor)
        except OSError as error:
            raise failure_of(error, where) from None
        self._links += 1
        if self._links > _MOST_LINKS:
            raise TransferFailed("path_refused", f"{where}: too many links.")
        if text.startswith("/"):
            while len(self._open) > 1:
                self._up()
        return [step for step in reversed(text.split("/")) if step]


def _is_trusted(folder: os.stat_result) -> bool:
    """Whether nobody but root and we can put a link here."""
    return folder.st_uid in (0, os.geteuid()) and not folder.st_mode & 0o022
