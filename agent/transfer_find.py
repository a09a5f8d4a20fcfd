"""Finds what a collect order names: files, whole folders, patterns; no link is ever followed."""

from __future__ import annotations

import fnmatch
import os
import stat
from contextlib import contextmanager

from agent.transfer_folders import Folder, Policy, opened
from agent.transfer_report import TransferFailed, failure_of, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_GLOB = frozenset("*?[")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEEPEST = 64


class Found:
    """A file or folder to collect, by its path without links."""

    __slots__ = ("is_folder", "mode", "modified", "path", "size")

    def __init__(self, path: str, found: os.stat_result) -> None:
        self.path = path
        self.is_folder = stat.S_ISDIR(found.st_mode)
        self.size = 0 if self.is_folder else found.st_size
        self.mode = stat.S_IMODE(found.st_mode)
        self.modified = found.st_mtime


class Finder:
    """Walks the patterns of one order within its caps."""

    def __init__(
        self, policy: Policy, excludes: tuple[str, ...], *, max_files: int, max_bytes: int
    ) -> None:
        self._policy = policy
        self._excludes = excludes
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._found: dict[str, Found] = {}
        self._bytes = 0

    def find(self, patterns: tuple[str, ...]) -> list[Found]:
        """Everything that the patterns name, once, by path.

        Raises TransferFailed if one of them finds nothing, and beyond the caps.
        """
        for pattern in patterns:
            before = len(self._found)
            parts = [part for part in pattern.split("/") if part]
            fixed = next((n for n, part in enumerate(parts) if _GLOB & set(part)), len(parts))
            self._begin(pattern, parts, min(fixed, max(0, len(parts) - 1)))
            if len(self._found) == before and not self._is_known(pattern):
                raise TransferFailed("source_missing", f"{pattern} finds nothing.")
        return [self._found[path] for path in sorted(self._found)]

    def _is_known(self, pattern: str) -> bool:
        """Whether another pattern has found the same before."""
        return any(fnmatch.fnmatchcase(path, pattern.rstrip("/")) for path in self._found)

    def _begin(self, pattern: str, parts: list[str], fixed: int) -> None:
        with opened("/" + "/".join(parts[:fixed]), self._walkable()) as folder:
            if fixed == len(parts):
                self._policy.check(folder.path)
                self._tree(folder, 0)
            else:
                self._match(folder, parts[fixed:], 0, pattern)

    def _walkable(self) -> Policy:
        """For the folders above what is allowed: their names may be walked, nothing is read."""
        return Policy((), self._policy.refused)

    def _match(self, folder: Folder, parts: list[str], depth: int, pattern: str) -> None:
        if depth > _DEEPEST:
            raise TransferFailed("limits_exceeded", f"{folder.path} is too deep.")
        first, rest = parts[0], parts[1:]
        if first == "**" and rest:
            self._match(folder, rest, depth + 1, pattern)
        for name in self._names(folder, first, pattern):
            if first == "**" and rest:
                with self._child(folder, name) as child:
                    if child is not None:
                        self._match(child, parts, depth + 1, pattern)
            elif rest:
                with self._child(folder, name) as child:
                    if child is not None:
                        self._match(child, rest, depth + 1, pattern)
            else:
                self._take(folder, name, depth, is_named=name == first)

    def _names(self, folder: Folder, part: str, pattern: str) -> list[str]:
        if not _GLOB & set(part):
            return [part]
        shown = "*" if part == "**" else part
        is_hidden_meant = part.startswith(".")
        return [
            name
            for name in self._listed(folder)
            if fnmatch.fnmatchcase(name, shown) and (is_hidden_meant or not name.startswith("."))
        ]

    def _listed(self, folder: Folder) -> list[str]:
        try:
            readable = os.open(".", _READ | os.O_DIRECTORY, dir_fd=folder.descriptor)
            try:
                return sorted(os.listdir(readable))
            finally:
                os.close(readable)
        except OSError as error:
            raise failure_of(error, folder.path) from None

    @contextmanager
    def _child(self, folder: Folder, name: str) -> Iterator[Folder | None]:
        """A folder inside, None for everything else and for what may not be entered."""
        path = folder.inside(name)
        if self._policy.is_refused(path):
            yield None
            return
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags, dir_fd=folder.descriptor)
        except OSError:
            yield None
            return
        try:
            yield Folder(descriptor, path)
        finally:
            os.close(descriptor)

    def _take(self, folder: Folder, name: str, depth: int, *, is_named: bool) -> None:
        path = folder.inside(name)
        if self._is_excluded(path, name):
            return
        try:
            found = os.stat(name, dir_fd=folder.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise failure_of(error, path) from None
        if self._policy.is_refused(path) and not is_named:
            say(f"{path}: left out, policy refuses it")
            return
        self._policy.check(path)
        if stat.S_ISDIR(found.st_mode):
            self._add(path, found)
            with self._child(folder, name) as child:
                if child is not None:
                    self._tree(child, depth + 1)
        elif stat.S_ISREG(found.st_mode):
            self._add(path, found)
        else:
            say(f"{path}: left out, it is no file and no folder")

    def _tree(self, folder: Folder, depth: int) -> None:
        if depth > _DEEPEST:
            raise TransferFailed("limits_exceeded", f"{folder.path} is too deep.")
        for name in self._listed(folder):
            self._take(folder, name, depth, is_named=False)

    def _is_excluded(self, path: str, name: str) -> bool:
        return any(
            fnmatch.fnmatchcase(path if "/" in exclude else name, exclude)
            for exclude in self._excludes
        )

    def _add(self, path: str, found: os.stat_result) -> None:
        if path in self._found:
            return
        one = self._found[path] = Found(path, found)
        self._bytes += one.size
        if self._max_files and len(self._found) > self._max_files:
            raise TransferFailed("limits_exceeded", f"More than {self._max_files} files.")
        if self._max_bytes and self._bytes > self._max_bytes:
            raise TransferFailed("limits_exceeded", f"More than {self._max_bytes} bytes.")
