"""What is asked of an object store, and how its answers fail."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from libs.kit.errors import Unavailable


class StoreUnavailable(Unavailable):
    """The object store does not answer, or does not let us in; `reason` says which.

    Nothing is lost: what was to be kept is still where it was, and the same request succeeds once
    the store is back.
    """

    code = "object_store_unavailable"
    message = "The object store does not answer; please try again in a moment."
    message_zh = "对象存储暂时无响应，请稍后重试。"


class ObjectMissing(Exception):
    """There is no object of this name."""


class ObjectDamaged(Exception):
    """The object is not what was kept under this name."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the store says about an object; `sha256` is what it was kept with, if it knows."""

    size: int
    sha256: str | None


class Bucket(Protocol):
    """Objects by name. Every method may raise StoreUnavailable."""

    def find(self, name: str) -> StoredObject | None:
        """An object, or None."""

    def put(self, name: str, path: Path, sha256: str) -> None:
        """Keep a file; large ones in parts, of which those that arrived before count.

        Durable when it returns. An object of the same name is replaced as a whole.
        """

    def read(self, name: str, offset: int = 0) -> Generator[bytes, None, None]:
        """The bytes from there to the end, in pieces; raises ObjectMissing."""

    def remove(self, name: str) -> None:
        """Delete it; one that is not there is no error."""
