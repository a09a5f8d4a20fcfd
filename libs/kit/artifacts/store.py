"""Where complete files are kept, each under the SHA-256 of its content."""

import contextlib
import os
import re
from pathlib import Path
from typing import Final, Protocol, Self

from libs.kit.errors import NotFound, Unavailable

_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_READ_ONLY: Final = 0o400


class BlobMissing(Exception):
    """There is no content with this checksum."""


class ContentDamaged(NotFound):
    """What the store has under this checksum is something else; nobody gets it."""

    code = "content_damaged"
    message = "The stored content is not what was kept."
    message_zh = "存储的内容已损坏，与原始内容不一致。"


class ContentComing(Unavailable):
    """The content is on its way from the object store; ask again in a moment."""

    code = "content_coming"
    message = "The content is being fetched from the object store; please try again in a moment."
    message_zh = "正在从对象存储获取内容，请稍后重试。"


class Blob(Protocol):
    """Content that is open for reading; `descriptor` is a file on a disk, good for sendfile."""

    size: int
    descriptor: int

    @property
    def is_whole(self) -> bool:
        """Whether all of it is in the file of `descriptor`; otherwise it is still coming."""

    def read(self, offset: int, length: int) -> bytes:
        """At most so many bytes from there; fewer only at the end.

        What is still coming is waited for: raises ContentDamaged, StoreUnavailable.
        """

    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Store(Protocol):
    """Keeps content. Keeping the same content twice is the same as once.

    A store that is elsewhere may raise StoreUnavailable; then nothing has changed.
    """

    def size_of(self, sha256: str) -> int | None:
        """The size of a content that is kept, None for any other."""

    def open(self, sha256: str) -> Blob:
        """Open it; raises BlobMissing, ContentDamaged."""

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
        self.is_whole = True

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
        if not is_sha256(sha256):
            raise BlobMissing(sha256)
        return self._root / sha256[:2] / sha256


def is_sha256(text: str) -> bool:
    """Whether it can be a checksum of ours, and so the name of a file."""
    return _SHA256.fullmatch(text) is not None


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
