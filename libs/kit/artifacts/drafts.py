"""Files that are still coming: appended in pieces, resumed at their length, hashed on the way."""

import fcntl
import hashlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, Self

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_READ_BYTES: Final = 1024 * 1024
_MOST_HASHES: Final = 1_024


class Digest(Protocol):
    """A running checksum, as `hashlib` has them."""

    def update(self, data: bytes | bytearray | memoryview, /) -> object:
        """Take more of the content."""

    def hexdigest(self) -> str:
        """The checksum of all that came."""


class DraftBusy(Exception):
    """Somebody else is writing to it at this moment, or it is complete and kept."""


class WrongOffset(Exception):
    """The piece does not begin where the draft ends; `offset` is that place."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class Drafts:
    """Incomplete files below one folder, by names that only the platform makes.

    The length of a file says how much of it is there, so nothing has to agree with a database.
    Running checksums of these kinds are kept in memory for as long as one process sees all pieces
    in order; otherwise the file is read once more at its end.
    """

    def __init__(
        self, root: Path, kinds: Sequence[Callable[[], Digest]] = (hashlib.sha256,)
    ) -> None:
        self._root = root
        self._kinds = kinds
        self._hashes: OrderedDict[str, tuple[int, list[Digest]]] = OrderedDict()
        self._guard = threading.Lock()

    def path(self, name: str) -> Path:
        """Where a draft lies; raises ValueError for what cannot be a name of ours."""
        if not _NAME.fullmatch(name):
            raise ValueError(name)
        return self._root / name

    def offset_of(self, name: str) -> int:
        """How many bytes are there; 0 for one that has not begun."""
        try:
            return self.path(name).stat().st_size
        except FileNotFoundError:
            return 0

    def append_at(self, name: str, offset: int) -> "Draft":
        """Open it for the piece that begins there.

        Raises DraftBusy, and WrongOffset if that is not where it ends.
        """
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self.path(name), flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(descriptor)
            if found.st_nlink > 1:
                raise DraftBusy(name)  # it is content of the store by now
            if found.st_size != offset:
                raise WrongOffset(found.st_size)
        except BlockingIOError:
            os.close(descriptor)
            raise DraftBusy(name) from None
        except BaseException:
            os.close(descriptor)
            raise
        return Draft(self, name, descriptor, offset)

    def digests_of(self, name: str) -> list[str]:
        """The checksums of what is there, by kind; reads it unless they were made on the way."""
        path = self.path(name)
        digests = self._take_hash(name, self.offset_of(name))
        if digests is None:
            digests = self._new()
            with path.open("rb", buffering=0) as file:
                while piece := file.read(_READ_BYTES):
                    for digest in digests:
                        digest.update(piece)
        return [digest.hexdigest() for digest in digests]

    def _new(self) -> list[Digest]:
        return [kind() for kind in self._kinds]

    def discard(self, name: str) -> None:
        """Remove it; one that is not there is no error."""
        self._take_hash(name, -1)
        self.path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Everything that is on its way."""
        return os.listdir(self._root) if self._root.is_dir() else []

    def stale(self, *, before: float) -> Iterator[str]:
        """Drafts that nobody has written to since that moment (seconds since 1970)."""
        if not self._root.is_dir():
            return
        for entry in os.scandir(self._root):
            try:
                if entry.stat(follow_symlinks=False).st_mtime < before:
                    yield entry.name
            except FileNotFoundError:
                continue

    def take_hash(self, name: str, offset: int) -> list[Digest] | None:
        """The running checksums up to there, if known; the caller goes on with them."""
        return self._new() if offset == 0 else self._take_hash(name, offset)

    def _take_hash(self, name: str, offset: int) -> list[Digest] | None:
        with self._guard:
            found = self._hashes.pop(name, None)
        return found[1] if found is not None and found[0] == offset else None

    def leave_hash(self, name: str, offset: int, digests: list[Digest] | None) -> None:
        """Keep running checksums for the next piece."""
        if digests is None:
            return
        with self._guard:
            self._hashes[name] = (offset, digests)
            if len(self._hashes) > _MOST_HASHES:
                self._hashes.popitem(last=False)


class Draft:
    """One draft, open for one piece; nobody else writes to it until it is closed."""

    def __init__(self, drafts: Drafts, name: str, descriptor: int, offset: int) -> None:
        self.offset = offset
        """Where the next byte goes."""
        self._drafts = drafts
        self._name = name
        self._descriptor = descriptor
        self._digests = drafts.take_hash(name, offset)

    def write(self, piece: bytes | bytearray | memoryview) -> None:
        """Append; raises OSError if the disk refuses, after which the draft ends where it did."""
        view = memoryview(piece)
        start = self.offset
        try:
            while view:
                written = os.pwrite(self._descriptor, view, self.offset)
                self.offset += written
                view = view[written:]
        except OSError:
            os.ftruncate(self._descriptor, start)
            self.offset = start
            raise
        for digest in self._digests or ():
            digest.update(piece)

    def close(self) -> None:
        """Let others write."""
        self._drafts.leave_hash(self._name, self.offset, self._digests)
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
