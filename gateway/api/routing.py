"""The public URL map: which service answers which path, and the one way to write a path."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.api.errors import NoSuchAddress

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the map.

    `streams` marks addresses whose answers stay open; `max_body_bytes` replaces the usual limit.
    """

    prefix: str
    service: str
    streams: bool = False
    max_body_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """A call that needs no credential, because it is how one gets a credential.

    `from_elsewhere` is for a page that another site leads to: an identity provider sends people
    back. `takes_login_cookie` lets the service see the cookie of a login that is under way.
    """

    max_body_bytes: int
    from_elsewhere: bool = False
    takes_login_cookie: bool = False


URL_MAP: Final[Mapping[str, Route]] = {
    route.prefix: route
    for route in (
        Route("/api/auth", "auth"),
        Route("/api/permissions", "auth"),
        Route("/api/hosts", "hosts"),
        Route("/api/agents", "hosts"),
        Route("/api/quick", "execution"),
        Route("/api/quick/transfer_file", "execution", max_body_bytes=16 * 1024 * MIB),
        Route("/api/files", "execution"),
        Route("/api/files/uploads", "execution", max_body_bytes=64 * MIB),
        Route("/api/executor", "execution"),
        Route("/api/realtime", "execution"),
        Route("/api/realtime/sse", "execution", streams=True),
    )
}

OPEN_DOORS: Final[Mapping[tuple[str, str], OpenDoor]] = {
    ("POST", "/api/auth/login"): OpenDoor(max_body_bytes=64 * KIB),
    ("POST", "/api/auth/refresh"): OpenDoor(max_body_bytes=64 * KIB),
    ("GET", "/api/auth/options"): OpenDoor(max_body_bytes=KIB),
    ("POST", "/api/auth/mfa/enrolment/setup"): OpenDoor(max_body_bytes=4 * KIB),
    ("POST", "/api/auth/mfa/enrolment/verify"): OpenDoor(max_body_bytes=4 * KIB),
    ("GET", "/api/auth/captcha"): OpenDoor(max_body_bytes=64 * KIB),
}

_PROVIDER_DOORS: Final[Mapping[str, OpenDoor]] = {
    "start": OpenDoor(max_body_bytes=KIB),
    "callback": OpenDoor(max_body_bytes=KIB, from_elsewhere=True, takes_login_cookie=True),
}
_PROVIDER_DOOR: Final = re.compile(
    r"/api/auth/oidc/(?:[a-z0-9-]{1,32}|\{provider\})/(start|callback)", re.ASCII
)

# Every alternative begins with other bytes and every repetition is possessive, so that no path,
# however it is made up, takes more than one look at each of its bytes.
_LETTERS: Final = rb"A-Za-z0-9_~!$&'()*+,=:@-"
_SEGMENT: Final = rb"[" + _LETTERS + rb"][." + _LETTERS + rb"]*+"
_PLAIN: Final = re.compile(rb"(?:/" + _SEGMENT + rb")*+/?")
_ESCAPED: Final = re.compile(rb"(?:/(?!/)|%[0-9A-Fa-f]{2}|[." + _LETTERS + rb"])++")
_ESCAPE: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})++")

_RESERVED: Final = frozenset({"api", "internal", "health", "metrics", "ws", "openapi.json"})
"""First segments that are never pages of the console, in whatever letter case."""


def canonical(raw_path: bytes) -> str:
    """The decoded path without its trailing slash; the root stays `/`.

    There is one way to write each path: no empty or dot segments, no `;` or backslash, and
    escapes only for letters that need them. Anything else raises NoSuchAddress, so that gateway
    and services can never read one path in two ways.
    """
    is_plain = raw_path and _PLAIN.fullmatch(raw_path)
    path = raw_path.decode("ascii") if is_plain else _decoded(raw_path)
    return path[:-1] if path[-1] == "/" and path != "/" else path


_TOKEN_IN_QUERY: Final = re.compile(
    rb"(?:^|[&;])(?:access_?token|refresh_?token|id_?token|auth_?token|token|jwt|bearer"
    rb"|authorization|api_?key|session(?:_?id)?|opsjob_session)=|=eyJ[\w-]+\.[\w-]+\.",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def locate(raw_path: bytes) -> tuple[str, Route | None]:
    """The canonical path and its row; remembered, because most paths are asked for again."""
    path = canonical(raw_path)
    return path, route_of(path)


@lru_cache(maxsize=1024)
def carries_token(query: bytes) -> bool:
    """Whether a query string holds what looks like a credential, good or bad."""
    return _TOKEN_IN_QUERY.search(query) is not None


def _decoded(raw_path: bytes) -> str:
    if not raw_path.startswith(b"/") or not _ESCAPED.fullmatch(raw_path):
        raise NoSuchAddress()
    for escape in _ESCAPE.findall(raw_path):
        try:
            text = unquote_to_bytes(escape).decode("utf-8")
        except UnicodeDecodeError:
            raise NoSuchAddress() from None
        if not all(_needs_escape(letter) for letter in text):
            raise NoSuchAddress()
    path = unquote_to_bytes(raw_path).decode("utf-8")
    if "/." in path or unicodedata.normalize("NFKC", path) != path:
        raise NoSuchAddress()
    return path


def _needs_escape(letter: str) -> bool:
    return letter == " " or (ord(letter) > 0x7F and letter.isprintable())


def route_of(path: str) -> Route | None:
    """The row with the longest prefix of a canonical path, or None."""
    end = len(path)
    while end > 0:
        route = URL_MAP.get(path[:end])
        if route is not None:
            return route
        end = path.rfind("/", 0, end)
    return None


def open_door(method: str, path: str) -> OpenDoor | None:
    """The door of a canonical path that needs no credential, if it is one."""
    found = OPEN_DOORS.get((method, path))
    if found is None and method == "GET":
        provider = _PROVIDER_DOOR.fullmatch(path)
        return None if provider is None else _PROVIDER_DOORS[provider[1]]
    return found


def belongs_to_platform(path: str) -> bool:
    """Whether a path is one of the platform's own spellings, hence never a page of the console."""
    return path[1:].partition("/")[0].casefold() in _RESERVED
