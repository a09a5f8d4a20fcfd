"""What arrived content is held against: the quicker checksum where it is known and can be made."""

from __future__ import annotations

import hashlib
import importlib

try:
    blake3 = importlib.import_module("blake3").blake3
except ImportError:  # there is no wheel for this host, and SHA-256 does as well
    blake3 = None

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable, Protocol

    class Digest(Protocol):
        """A running checksum, as `hashlib` has them."""

        def update(self, data: bytes | memoryview, /) -> object: ...
        def hexdigest(self) -> str: ...


class Check:
    """One content's checksum, and what computes it."""

    __slots__ = ("begin", "value")

    def __init__(self, begin: Callable[[], Digest], value: str) -> None:
        self.begin = begin
        self.value = value


def check_of(sha256: str, known: Mapping[str, str]) -> Check:
    """For content of this SHA-256; `known` are BLAKE3 checksums by it, signed as it is."""
    if blake3 is not None and sha256 in known:
        return Check(blake3, known[sha256])
    return Check(hashlib.sha256, sha256)
