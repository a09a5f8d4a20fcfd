"""A folder of which some files lie on a shelf by now."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from libs.kit.objects.bucket import ObjectDamaged, ObjectMissing
from libs.kit.objects.shelf import Shelf


class ShelvedFolder:
    """Files below `root`; those that end in `suffix` are looked for on the shelf, too."""

    def __init__(self, root: Path, shelf: Shelf | None, *, suffix: str) -> None:
        self._root = root
        self._shelf = shelf
        self._suffix = suffix

    def open(self, name: str) -> BinaryIO:
        """A file for reading; raises OSError if it is nowhere or not what was kept.

        StoreUnavailable while that cannot be told.
        """
        try:
            return (self._root / name).open("rb", buffering=0)
        except FileNotFoundError:
            if self._shelf is None or not name.endswith(self._suffix):
                raise
        try:
            return os.fdopen(self._shelf.open(name), "rb", buffering=0)
        except (ObjectMissing, ObjectDamaged) as error:
            raise FileNotFoundError(name) from error

    def bring(self, name: str) -> None:
        """Have a file on this disk, before somebody opens it under a lock."""
        if self._shelf is not None and not (self._root / name).exists():
            with contextlib.suppress(OSError):
                self.open(name).close()
