"""Brings an object onto the disk: in one stream, resumed where it broke, verified at its end."""

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from libs.kit.logging import get_logger
from libs.kit.objects.bucket import Bucket, ObjectDamaged, ObjectMissing, StoreUnavailable

_PAUSES: Final = (0.5, 2.0)
_STALL_SECONDS: Final = 90.0
_AT_ONCE: Final = threading.BoundedSemaphore(4)

log = get_logger(__name__)


class Fetch:
    """One object on its way into `part`, a new file; `done` is called in the thread at the end.

    Who reads meanwhile gets what has come, but the last piece only once all of it is verified.
    """

    def __init__(
        self,
        bucket: Bucket,
        name: str,
        *,
        size: int,
        sha256: str | None,
        part: Path,
        done: Callable[["Fetch"], None],
    ) -> None:
        self.name = name
        self.size = size
        self.part = part
        self.error: Exception | None = None
        self.descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._bucket = bucket
        self._sha256 = sha256
        self._done = done
        self._at = 0
        self._has_turn = False
        self._is_over = False
        self._news = threading.Condition()

    def start(self) -> None:
        """In a thread of its own, which ends with the process."""
        threading.Thread(target=self._run, name="fetch", daemon=True).start()

    def copy(self) -> int:
        """A descriptor of the file for somebody who reads while it grows.

        Raises what went wrong, and OSError once the fetch is over.
        """
        with self._news:
            if self._is_over and self.error is not None:
                raise self.error
            return os.dup(self.descriptor)

    def wait(self, until: int, seconds: float) -> bool:
        """Whether the first `until` bytes are there within so long; raises what went wrong."""
        with self._news:
            self._news.wait_for(lambda: self._has(until), seconds)
            if self.error is not None:
                raise self.error
            return self._has(until)

    def wait_while_it_moves(self, until: int) -> None:
        """The first `until` bytes are there when this returns; StoreUnavailable if it stalls."""
        while True:
            before = self._at
            if self.wait(until, _STALL_SECONDS):
                return
            if self._has_turn and self._at == before:
                raise StoreUnavailable(reason="stalled")

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there and verified."""
        return self._is_over and self.error is None

    def _has(self, until: int) -> bool:
        return self._is_over or (until < self.size and self._at >= until)

    def _run(self) -> None:
        try:
            with _AT_ONCE:
                self._has_turn = True
                self._fetch()
        except (ObjectDamaged, ObjectMissing, StoreUnavailable) as error:
            self._end(error)
        except OSError as error:
            log.error("An object could not be written to the disk.", error=str(error))
            self._end(StoreUnavailable(reason="disk"))
        except BaseException:
            self._end(StoreUnavailable(reason="ended"))
            raise
        else:
            self._end(None)

    def _fetch(self) -> None:
        digest = hashlib.sha256()
        failed = 0
        while self._at < self.size:
            before = self._at
            try:
                self._read_on(digest)
            except StoreUnavailable:
                failed = 1 if self._at > before else failed + 1
                if failed > len(_PAUSES):
                    raise
                threading.Event().wait(_PAUSES[failed - 1])
        os.fsync(self.descriptor)
        if self._sha256 is not None and digest.hexdigest() != self._sha256:
            log.error("An object is not what was kept.", object=self.name)
            raise ObjectDamaged(self.name)

    def _read_on(self, digest: "hashlib._Hash") -> None:
        with contextlib.closing(self._bucket.read(self.name, self._at)) as pieces:
            for piece in pieces:
                if self._at + len(piece) > self.size:
                    raise ObjectDamaged(self.name)
                os.pwrite(self.descriptor, piece, self._at)
                digest.update(piece)
                with self._news:
                    self._at += len(piece)
                    self._news.notify_all()

    def _end(self, error: Exception | None) -> None:
        """The file is kept by `done` or nobody; then those who wait are told."""
        self.error = error
        try:
            self._done(self)
        finally:
            with self._news:
                self._is_over = True
                self._news.notify_all()
                os.close(self.descriptor)
                self.descriptor = -1
