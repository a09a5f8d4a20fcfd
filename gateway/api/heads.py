"""Reads a request's headers once: what the gateway needs, and what services may see."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
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
_SEPARATORS: Final = {_COOKIE: b"; ", _FORWARDED_FOR: b", ", _LANGUAGE: b","}


class RequestHead:
    """One request's headers, sorted by use; header names are lower case, as ASGI gives them.

    `passed_on` is what a service may see: no credential, no identity, no `x-` header of the
    outside, nothing that concerns one connection only.
    """

    __slots__ = ("_values", "passed_on", "size")

    def __init__(self, values: list[bytes | None], passed_on: list[Header], size: int) -> None:
        self._values = values
        self.passed_on = passed_on
        self.size = size

    @property
    def host(self) -> bytes | None:
        return self._values[_HOST]

    @property
    def authorization(self) -> bytes | None:
        return self._values[_AUTHORIZATION]

    @property
    def cookie(self) -> bytes | None:
        return self._values[_COOKIE]

    @property
    def origin(self) -> bytes | None:
        return self._values[_ORIGIN]

    @property
    def fetch_site(self) -> bytes | None:
        return self._values[_FETCH_SITE]

    @property
    def requested_with(self) -> bytes | None:
        return self._values[_REQUESTED_WITH]

    @property
    def content_encoding(self) -> bytes | None:
        return self._values[_CONTENT_ENCODING]

    @property
    def language(self) -> str | None:
        value = self._values[_LANGUAGE]
        return None if value is None else value.decode("latin-1")

    @property
    def forwarded_for(self) -> bytes | None:
        return self._values[_FORWARDED_FOR]

    @property
    def forwarded_proto(self) -> bytes | None:
        return self._values[_FORWARDED_PROTO]

    @property
    def chunked(self) -> bool:
        return self._values[_TRANSFER_ENCODING] is not None

    @property
    def announces_body(self) -> bool:
        """Whether bytes may follow the head."""
        length = self._values[_CONTENT_LENGTH]
        return self.chunked or (length is not None and length != b"0")

    @property
    def request_id(self) -> bytes | None:
        """The caller's request id if it is fit for logs and headers, else None."""
        value = self._values[_REQUEST_ID]
        return value if value is not None and _SANE_ID.fullmatch(value) else None

    def passed(self, name: bytes) -> bytes | None:
        """The first value of a header that the gateway itself has no opinion about."""
        return next((value for found, value in self.passed_on if found == name), None)

    @property
    def content_length(self) -> int | None:
        """The declared size of the body; BadHead if it is not a plain number."""
        value = self._values[_CONTENT_LENGTH]
        if value is None:
            return None
        if not value.isdigit() or len(value) > 18:
            raise BadHead(header="content-length")
        return int(value)


def read_head(headers: Iterable[Header]) -> RequestHead:
    """Sorts the headers; one that may appear only once and repeats raises BadHead."""
    values: list[bytes | None] = [None] * _SLOTS
    passed_on: list[Header] = []
    size = 0
    for pair in headers:
        name, value = pair
        size += len(name) + len(value)
        slot = _KNOWN.get(name)
        if slot is None:
            if not name.startswith(_PRIVATE) and b"_" not in name:
                passed_on.append(pair)
            continue
        if values[slot] is None:
            values[slot] = value
        elif slot in _MAY_REPEAT:
            values[slot] = (values[slot] or b"") + _SEPARATORS.get(slot, b",") + value
        else:
            raise BadHead(header=name.decode("latin-1"))
        if slot in _PASSED_ON:
            passed_on.append(pair)
    if values[_CONNECTION] not in _NEIGHBOURLY:
        passed_on = _without_named(passed_on, values[_CONNECTION] or b"")
    return RequestHead(values, passed_on, size)


def _without_named(headers: Sequence[Header], connection: bytes) -> list[Header]:
    """Headers that the caller meant for the next machine only are not passed on."""
    named = {token.strip().lower() for token in connection.split(b",")}
    framing = {b"host", b"content-length", b"transfer-encoding", b"content-type"}
    return [pair for pair in headers if pair[0] in framing or pair[0] not in named]


def check_head(
    head: RequestHead, headers: Sequence[Header], *, max_headers: int, max_bytes: int
) -> None:
    """Refuses heads that are too large, and hosts that are missing or not a plain host."""
    if len(headers) > max_headers:
        raise HeadTooLarge(limit=max_headers)
    if head.size > max_bytes:
        raise HeadTooLarge(limit_bytes=max_bytes)
    if not _is_plain_host(head.host):
        raise BadHead(header="host")


@lru_cache(maxsize=256)
def _is_plain_host(host: bytes | None) -> bool:
    return host is not None and _SANE_HOST.fullmatch(host) is not None
