"""A bucket with a bounded copy on the disk of what was read or written last."""

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from libs.kit.clock import monotonic, now
from libs.kit.logging import get_logger
from libs.kit.objects.bucket import Bucket, ObjectDamaged, ObjectMissing, StoredObject
from libs.kit.objects.fetches import Fetch

_FORGOTTEN_SECONDS: Final = 3600.0
_DAMAGED_SECONDS: Final = 60.0

log = get_logger(__name__)


class Shelf:
    """Objects below one prefix, and the folder `copies`, which several processes may share.

    Names of objects are ours, so that they are good file names with their slashes taken out.
    """

    def __init__(self, bucket: Bucket, prefix: str, copies: Path, *, limit_bytes: int) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._copies = copies
        self._limit = limit_bytes
        self._guard = threading.Lock()
        self._fetches: dict[str, Fetch] = {}
        self._putting: dict[str, threading.Lock] = {}
        self._damaged: dict[str, float] = {}

    def find(self, name: str) -> StoredObject | None:
        """What the bucket says about an object; raises StoreUnavailable."""
        return self._bucket.find(self._prefix + name)

    def put(self, name: str, path: Path, sha256: str) -> None:
        """Keep a file whose hash the caller has verified; durable when it returns.

        What is there already with this hash is not sent again; who asks for the same meanwhile
        waits for the first. Raises StoreUnavailable, OSError.
        """
        with self._guard:
            turn = self._putting.setdefault(name, threading.Lock())
        with turn:
            found = self.find(name)
            size = path.stat().st_size
            if found is None or (found.size, found.sha256) != (size, sha256):
                self._bucket.put(self._prefix + name, path, sha256)
        with self._guard:
            self._damaged.pop(name, None)
            if not turn.locked():
                self._putting.pop(name, None)
        self._copy(name, path)

    def remove(self, name: str) -> None:
        """Delete it here and there; who reads goes on. Raises StoreUnavailable."""
        self._place(name).unlink(missing_ok=True)
        self._bucket.remove(self._prefix + name)

    def copied(self, name: str) -> int | None:
        """A descriptor of the copy on this disk, or None."""
        try:
            descriptor = os.open(self._place(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with contextlib.suppress(OSError):
            os.utime(descriptor)
        return descriptor

    def fetch(self, name: str, sha256: str | None = None) -> Fetch:
        """Begin to bring a copy, or join who began; `sha256` is what it must be.

        Without one, what the store noted when it was kept counts. Raises ObjectMissing,
        ObjectDamaged (also for some time after it was found out), StoreUnavailable.
        """
        with self._guard:
            if self._damaged.get(name, 0.0) > monotonic():
                raise ObjectDamaged(name)
            known = self._fetches.get(name)
        if known is not None:
            return known
        found = self.find(name)
        if found is None:
            raise ObjectMissing(name)
        with self._guard:
            known = self._fetches.get(name)
            if known is None:
                known = self._begin(name, found, sha256)
        return known

    def open(self, name: str, sha256: str | None = None) -> int:
        """A descriptor of the whole object, fetched if need be; raises as `fetch` does."""
        descriptor = self.copied(name)
        if descriptor is not None:
            return descriptor
        fetch = self.fetch(name, sha256)
        try:
            descriptor = fetch.copy()
        except OSError:  # it came to its end just now
            return self.open(name, sha256)
        try:
            fetch.wait_while_it_moves(fetch.size)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    # ---- copies ---------------------------------------------------------------------------

    def _place(self, name: str) -> Path:
        return self._copies / name.replace("/", "_")

    def _begin(self, name: str, found: StoredObject, sha256: str | None) -> Fetch:
        self._copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self._place(name)
        fetch = Fetch(
            self._bucket,
            self._prefix + name,
            size=found.size,
            sha256=sha256 or found.sha256,
            part=place.with_name(f".{place.name}.{secrets.token_hex(4)}"),
            done=lambda done: self._ended(name, done),
        )
        self._fetches[name] = fetch
        fetch.start()
        return fetch

    def _ended(self, name: str, fetch: Fetch) -> None:
        try:
            if fetch.error is None:
                fetch.part.replace(self._place(name))
            else:
                fetch.part.unlink(missing_ok=True)
        finally:
            with self._guard:
                del self._fetches[name]
                if isinstance(fetch.error, ObjectDamaged):
                    self._damaged[name] = monotonic() + _DAMAGED_SECONDS
        self._trim(name)

    def _copy(self, name: str, path: Path) -> None:
        """What was just kept is read soon; a file on another disk is not copied."""
        with contextlib.suppress(OSError):
            self._copies.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("rb") as file:
                os.fsync(file.fileno())
            os.link(path, self._place(name))
            os.utime(self._place(name))
        self._trim(name)

    def _trim(self, newest: str) -> None:
        """Remove the copies that were not read for longest, down to the limit."""
        found = sorted(self._stats(), key=lambda entry: entry[1].st_mtime, reverse=True)
        left, keep = self._limit, self._place(newest).name
        for path, figures in found:
            left -= figures.st_size
            is_part = path.name.startswith(".")
            too_old = now().timestamp() - figures.st_mtime > _FORGOTTEN_SECONDS
            if (is_part and too_old) or (not is_part and left < 0 and path.name != keep):
                path.unlink(missing_ok=True)

    def _stats(self) -> Iterator[tuple[Path, os.stat_result]]:
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(self._copies):
                with contextlib.suppress(FileNotFoundError):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)
