"""Reads a request's headers once: what the gateway needs, and what services may see."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from gateway.api.errors import BadHead, HeadTooLarge

Header = tuple[bytes, bytes]

(
    _DROP,
    _HOST,
    _AUTHORIZATION,
    _COOKIE,
    _ORIGIN,
    _FETCH_SITE,
    _REQUESTED_WITH,
    _REQUEST_ID,
    _CONNECTION,
    _TRANSFER_ENCODING,
    _CONTENT_LENGTH,
    _CONTENT_ENCODING,
    _LANGUAGE,
    _FORWARDED_FOR,
    _FORWARDED_PROTO,
    _SLOTS,
) = range(16)

_KNOWN: Final = {
    b"host": _HOST,
    b"authorization": _AUTHORIZATION,
    b"cookie": _COOKIE,
    b"origin": _ORIGIN,
    b"sec-fetch-site": _FETCH_SITE,
    b"x-requested-with": _REQUESTED_WITH,
    b"x-request-id": _REQUEST_ID,
    b"connection": _CONNECTION,
    b"transfer-encoding": _TRANSFER_ENCODING,
    b"content-length": _CONTENT_LENGTH,
    b"content-encoding": _CONTENT_ENCODING,
    b"accept-language": _LANGUAGE,
    b"x-forwarded-for": _FORWARDED_FOR,
    b"x-forwarded-proto": _FORWARDED_PROTO,
    # Between two neighbours only, or a second way to say what another header says.
    b"expect": _DROP,
    b"forwarded": _DROP,
    b"keep-alive": _DROP,
    b"te": _DROP,
    b"trailer": _DROP,
    b"upgrade": _DROP,
    b"via": _DROP,
    b"http2-settings": _DROP,
}
_PASSED_ON: Final = frozenset({_HOST, _CONTENT_LENGTH, _TRANSFER_ENCODING, _LANGUAGE})
_MAY_REPEAT: Final = frozenset({_DROP, _COOKIE, _FORWARDED_FOR, _LANGUAGE})
_PRIVATE: Final = (b"x-", b"proxy-", b"sec-")
"""Prefixes of headers that say who somebody is or where a request came from."""
_NEIGHBOURLY: Final = frozenset({None, b"keep-alive", b"close", b"Upgrade", b"upgrade"})
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_SANE_HOST: Final = re.compile(
    rb"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
_FRAMING: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type"})
_LARGEST_KEPT: Final = 4096
_MOST_KEPT: Final = 2048
_SEPARATORS: Final = {_COOKIE: b"; ", _FORWARDED_FOR: b", ", _LANGUAGE: b","}


class RequestHead:
    """One request's headers, sorted by use. Many requests share one, so nobody changes it.

    `passed_on` is what a service may see: no credential, no identity, no `x-` header of the
    outside, nothing that concerns one connection only. `request_id` is the caller's if it is fit
    for logs, `announces_body` says whether bytes may follow.
    """

    __slots__ = (
        "announces_body",
        "authorization",
        "chunked",
        "content_encoding",
        "content_length",
        "cookie",
        "fetch_site",
        "forwarded_for",
        "forwarded_proto",
        "host",
        "language",
        "origin",
        "passed_on",
        "request_id",
        "requested_with",
    )

    def __init__(self, values: Sequence[bytes | None], passed_on: Sequence[Header]) -> None:
        language, request_id = values[_LANGUAGE], values[_REQUEST_ID]
        is_sane = request_id is not None and _SANE_ID.fullmatch(request_id)
        self.passed_on = tuple(passed_on)
        self.host = values[_HOST]
        self.authorization = values[_AUTHORIZATION]
        self.cookie = values[_COOKIE]
        self.origin = values[_ORIGIN]
        self.fetch_site = values[_FETCH_SITE]
        self.requested_with = values[_REQUESTED_WITH]
        self.request_id = request_id if is_sane else None
        self.content_encoding = values[_CONTENT_ENCODING]
        self.content_length = _length(values[_CONTENT_LENGTH])
        self.chunked = values[_TRANSFER_ENCODING] is not None
        self.announces_body = self.chunked or bool(self.content_length)
        self.language = None if language is None else language.decode("latin-1")
        self.forwarded_for = values[_FORWARDED_FOR]
        self.forwarded_proto = values[_FORWARDED_PROTO]

    def passed(self, name: bytes) -> bytes | None:
        """The first value of a header that the gateway itself has no opinion about."""
        return next((value for found, value in self.passed_on if found == name), None)


class Heads:
    """Reads heads. A client sends the same bytes again and again, so what they mean is kept."""

    def __init__(self, *, max_headers: int, max_bytes: int) -> None:
        self._max_headers = max_headers
        self._max_bytes = max_bytes
        self._known: dict[tuple[Header, ...], RequestHead] = {}

    def read(self, headers: Iterable[Header]) -> RequestHead:
        """What the headers say; header names are lower case, as ASGI gives them.

        HeadTooLarge beyond the bounds; BadHead if a header that may appear only once repeats, or
        if the host is missing or not a plain host.
        """
        key = tuple(headers)
        head = self._known.get(key)
        if head is not None:
            return head
        size = sum(len(name) + len(value) for name, value in key)
        if len(key) > self._max_headers or size > self._max_bytes:
            raise HeadTooLarge(limit=self._max_headers, limit_bytes=self._max_bytes)
        head = read_head(key)
        if head.host is None or not _SANE_HOST.fullmatch(head.host):
            raise BadHead(header="host")
        if size <= _LARGEST_KEPT:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = head
        return head


def read_head(headers: Iterable[Header]) -> RequestHead:
    """Sorts the headers; one that may appear only once and repeats raises BadHead."""
    values: list[bytes | None] = [None] * _SLOTS
    passed_on: list[Header] = []
    for name, value in headers:
        slot = _KNOWN.get(name)
        if slot is None:
            if not name.startswith(_PRIVATE) and b"_" not in name:
                passed_on.append((name, value))
            continue
        known = values[slot]
        if known is None:
            values[slot] = value
        elif slot in _MAY_REPEAT:
            values[slot] = known + _SEPARATORS.get(slot, b",") + value
        else:
            raise BadHead(header=name.decode("latin-1"))
        if slot in _PASSED_ON:
            passed_on.append((name, value))
    connection = values[_CONNECTION]
    if connection not in _NEIGHBOURLY:
        passed_on = _without_named(passed_on, connection or b"")
    return RequestHead(values, passed_on)


def _without_named(headers: Sequence[Header], connection: bytes) -> list[Header]:
    """Headers that the caller meant for the next machine only are not passed on."""
    named = {token.strip().lower() for token in connection.split(b",")} - _FRAMING
    return [pair for pair in headers if pair[0] not in named]


def _length(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not value.isdigit() or len(value) > 18:
        raise BadHead(header="content-length")
    return int(value)
