"""Names of a directory: how filters are filled in, how two spellings of a name are compared."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from libs.kit.errors import Unavailable

_ESCAPED: Final = re.compile(r"[\x00-\x1f\x7f*()\\]")
_SPACES: Final = re.compile(r"\s*([,=+])\s*")
_PORTS: Final = {"ldaps": 636, "ldap": 389}


class DirectoryDown(Exception):
    """The directory cannot be asked, or answers what cannot be used."""


@dataclass(frozen=True)
class Entry:
    """Somebody in a directory. `subject` never changes; `groups` are the folded names (DNs)."""

    dn: str
    subject: str
    username: str
    display_name: str
    email: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Place:
    """Where one server of the directory is, and whether the first byte is encrypted already."""

    host: str
    port: int
    is_tls: bool


def place_of(url: str) -> Place:
    """The parts of `ldaps://host:port` or `ldap://host:port`."""
    parts = urlsplit(url)
    return Place(parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme == "ldaps")


def escaped(value: str) -> str:
    """A value as a filter takes it literally (RFC 4515), whatever is in it."""
    return _ESCAPED.sub(lambda found: f"\\{ord(found[0]):02x}", value)


def filled(template: str, **values: str) -> str:
    """A filter with `{name}` replaced by escaped values; nothing else in it is looked at."""
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", escaped(value))
    return template


def folded_dn(dn: str) -> str:
    """A DN as it is compared: case and spaces around its marks do not matter."""
    return _SPACES.sub(r"\1", dn.strip()).casefold()


class DirectoryUnavailable(Unavailable):
    """The directory does not answer; users whose password is known here can log in."""

    code = "directory_unavailable"
    message = "The directory does not answer. Try again in a moment."
    message_zh = "目录服务暂时无响应，请稍后再试。"
