"""Where complete files are kept, each under the SHA-256 of its content."""

import contextlib
import os
import re
from pathlib import Path
from typing import Final, Protocol, Self

_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_READ_ONLY: Final = 0o400


class BlobMissing(Exception):
    """There is no content with this checksum."""


class Blob(Protocol):
    """Content that is open for reading; `descriptor` is a file on a disk, good for sendfile."""

    size: int
    descriptor: int

    def read(self, offset: int, length: int) -> bytes:
        """At most so many bytes from there; fewer only at the end."""

    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Store(Protocol):
    """Keeps content. Keeping the same content twice is the same as once."""

    def size_of(self, sha256: str) -> int | None:
        """The size of a content that is kept, None for any other."""

    def open(self, sha256: str) -> Blob:
        """Open it; raises BlobMissing."""

    def keep(self, path: Path, sha256: str) -> None:
        """Keep the content of this file, whose checksum the caller has verified.

        Durable when it returns; the file itself stays and must not be written any more.
        """

    def remove(self, sha256: str) -> None:
        """Forget a content; whoever has it open goes on reading. Unknown ones are no error."""

    def free_bytes(self) -> int | None:
        """How much more it can take, None if nobody knows."""


class DiskBlob:
    """A file on disk."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self.descriptor, length, offset)

    def close(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class DiskStore:
    """Content in files below `root`, which several processes may share.

    A file appears under its checksum when it is complete and durable, by a hard link; it is never
    written again.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def size_of(self, sha256: str) -> int | None:
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def open(self, sha256: str) -> DiskBlob:
        try:
            return DiskBlob(os.open(self._path(sha256), os.O_RDONLY | os.O_NOFOLLOW))
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    def keep(self, path: Path, sha256: str) -> None:
        target = self._path(sha256)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, _READ_ONLY)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(path, target)
        for folder in (target.parent, self._root):
            _sync_folder(folder)

    def remove(self, sha256: str) -> None:
        self._path(sha256).unlink(missing_ok=True)

    def free_bytes(self) -> int | None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        figures = os.statvfs(self._root)
        return figures.f_bavail * figures.f_frsize

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise BlobMissing(sha256)
        return self._root / sha256[:2] / sha256


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
