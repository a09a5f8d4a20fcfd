"""Takes a gateway's address apart; the library for addresses would cost every transfer 3 ms."""

from __future__ import annotations


class Address:
    """Where a gateway listens, read as `urllib.parse.urlsplit` does.

    `host` is as sockets want it (no brackets), `shown` as a header wants it, `base` is the path
    that all requests begin with. Raises ValueError for brackets and ports that are none.
    """

    __slots__ = ("base", "host", "is_secure", "port", "shown")

    def __init__(self, text: str) -> None:
        scheme, _, rest = "".join(text.split()).partition("://")
        for mark in "#?":
            rest = rest.partition(mark)[0]
        place, slash, path = rest.partition("/")
        self.is_secure = scheme.lower() == "https"
        self.shown = place.rpartition("@")[2]
        self.base = (slash + path).rstrip("/")
        name, port = _split(self.shown)
        name, percent, zone = name.partition("%")
        self.host = name.lower() + percent + zone
        self.port = _number(port) or (443 if self.is_secure else 80)


def _split(place: str) -> tuple[str, str]:
    """Name or number of the host, and the port's; the number of IPv6 is in brackets."""
    if not place.startswith("["):
        name, _, port = place.partition(":")
        return name, port
    name, bracket, port = place[1:].partition("]")
    if not bracket:
        raise ValueError(f"{place!r} is no host.")
    return name, port[1:]


def _number(port: str) -> int:
    """The port, 0 for none."""
    if not port:
        return 0
    if not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise ValueError(f"{port!r} is no port.")
    return int(port)
