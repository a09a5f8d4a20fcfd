"""How a secret that lies elsewhere is named: `env:NAME`, `file:/path`, `vault:mount/path#field`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

MAX_REFERENCE: Final = 512

_ENV: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_SEGMENT: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}"
_VAULT: Final = re.compile(rf"({_SEGMENT}(?:/{_SEGMENT})+)#({_SEGMENT})", re.ASCII)


class Source(StrEnum):
    """Where a secret lies."""

    ENV = "env"
    FILE = "file"
    VAULT = "vault"


@dataclass(frozen=True, slots=True)
class Reference:
    """A secret that lies elsewhere; `field` is the key of a Vault secret."""

    source: Source
    path: str
    field: str = ""

    @property
    def mount(self) -> str:
        """The first part of a Vault path: where the key-value engine is mounted."""
        return self.path.partition("/")[0]

    @property
    def inner(self) -> str:
        """The rest of a Vault path."""
        return self.path.partition("/")[2]


def parse(text: str) -> Reference:
    """Reads a reference; raises ValueError that says what is wrong, without the text."""
    kind, _, rest = text.partition(":")
    if len(text) > MAX_REFERENCE or kind not in list(Source):
        raise ValueError("a secret's reference begins with env:, file: or vault:")
    if kind == Source.ENV:
        if not _ENV.fullmatch(rest):
            raise ValueError("env: is followed by the name of a variable")
        return Reference(Source.ENV, rest)
    if kind == Source.FILE:
        parts = rest.split("/")
        plain = rest.isprintable() and not any(part in ("", ".", "..") for part in parts[1:])
        if not rest.startswith("/") or not plain:
            raise ValueError("file: is followed by an absolute path without . and ..")
        return Reference(Source.FILE, rest)
    found = _VAULT.fullmatch(rest)
    if found is None:
        raise ValueError("vault: is followed by mount/path#field")
    return Reference(Source.VAULT, found[1], found[2])


def is_below(path: str, prefixes: Sequence[str]) -> bool:
    """Whether a path of Vault is one of the prefixes, or lies below one, segment by segment."""
    own = PurePosixPath(path)
    return any(own.is_relative_to(PurePosixPath(prefix.strip("/"))) for prefix in prefixes)
