"""The store whose content lies in a bucket; what is read or written passes through this disk."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from libs.kit.artifacts.store import (
    Blob,
    BlobMissing,
    ContentDamaged,
    DiskBlob,
    DiskStore,
    Store,
    is_sha256,
)
from libs.kit.objects import Fetch, ObjectDamaged, ObjectMissing, Shelf, bucket_of
from libs.kit.settings import ObjectSettings

OPEN_SECONDS: Final = 1.0
"""Content that comes so fast is opened whole."""


class ComingBlob:
    """Content that may still be coming; `read` waits for it."""

    def __init__(self, fetch: Fetch, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = fetch.size
        self._fetch = fetch

    @property
    def is_whole(self) -> bool:
        return self._fetch.is_whole

    def read(self, offset: int, length: int) -> bytes:
        end = min(self.size, offset + length)
        try:
            self._fetch.wait_while_it_moves(end)
        except (ObjectDamaged, ObjectMissing) as error:
            raise ContentDamaged from error
        return os.pread(self.descriptor, max(0, end - offset), offset)

    def close(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class BucketStore:
    """Content in a bucket. What `earlier` kept before there was a bucket stays readable."""

    def __init__(self, shelf: Shelf, earlier: DiskStore) -> None:
        self._shelf = shelf
        self._earlier = earlier

    def size_of(self, sha256: str) -> int | None:
        before = self._earlier.size_of(sha256)
        if before is not None:
            return before
        found = self._shelf.find(_name(sha256))
        return None if found is None else found.size

    def open(self, sha256: str) -> Blob:
        name = _name(sha256)
        copied = self._shelf.copied(name)
        if copied is not None:
            return DiskBlob(copied)
        try:
            return self._earlier.open(sha256)
        except BlobMissing:
            return self._coming(name, sha256)

    def _coming(self, name: str, sha256: str) -> Blob:
        try:
            fetch = self._shelf.fetch(name, sha256)
            blob = ComingBlob(fetch, fetch.copy())
        except ObjectMissing:
            raise BlobMissing(sha256) from None
        except ObjectDamaged as error:
            raise ContentDamaged(sha256=sha256) from error
        except OSError:  # it came to its end just now
            return self.open(sha256)
        try:
            fetch.wait(fetch.size, OPEN_SECONDS)
        except BaseException as error:
            blob.close()
            if isinstance(error, ObjectDamaged):
                raise ContentDamaged(sha256=sha256) from error
            raise
        return blob

    def keep(self, path: Path, sha256: str) -> None:
        self._shelf.put(_name(sha256), path, sha256)

    def remove(self, sha256: str) -> None:
        self._earlier.remove(sha256)
        self._shelf.remove(_name(sha256))

    def free_bytes(self) -> int | None:
        """What this disk can take: everything passes through it."""
        return self._earlier.free_bytes()


def store_of(folder: Path, settings: Callable[[], ObjectSettings] = ObjectSettings) -> Store:
    """The store of this installation: `folder` on the disk, or the bucket of the settings.

    Layout and names are the same in both, so that content can be copied from one to the other.
    """
    wanted, disk = settings(), DiskStore(folder / "blobs")
    bucket = bucket_of(wanted)
    if bucket is None:
        return disk
    copies = folder / "copies"
    return BucketStore(Shelf(bucket, "", copies, limit_bytes=wanted.cache_bytes), disk)


def _name(sha256: str) -> str:
    if not is_sha256(sha256):
        raise BlobMissing(sha256)
    return f"blobs/{sha256[:2]}/{sha256}"
