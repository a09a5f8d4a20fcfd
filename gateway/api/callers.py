"""Who is really calling: the peer's address and scheme, through trusted proxies only."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

from gateway.api.heads import Header, RequestHead

_MOST_HOPS: Final = 20


@dataclass(frozen=True, slots=True)
class Caller:
    """`address` is an IP address, or empty for a unix socket; `scheme` is http or https.

    `direct` says that nobody claims to stand in between, so the address is the very machine.
    """

    address: str
    scheme: str
    direct: bool
    headers: tuple[Header, ...]
    """What services are told about it."""

    @property
    def is_this_machine(self) -> bool:
        """True for an unproxied connection over loopback or a unix socket."""
        return self.direct and (not self.address or _is_loopback(self.address))


class Callers:
    """Decides whom to believe; `trusted` are the networks of our own reverse proxies."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        self._trusted = tuple(trusted)

    def identify(self, scope: Scope, head: RequestHead) -> Caller:
        """The caller of one request; headers about it count only from a trusted proxy."""
        client = scope["client"]
        address = client[0] if client else ""
        scheme = scope["scheme"]
        if head.forwarded_for is None and head.forwarded_proto is None:
            return _caller(address, scheme, direct=True)
        if self._trusted and self._is_trusted(address):
            address = self._beyond_proxies(address, head.forwarded_for or b"")
            if head.forwarded_proto in (b"http", b"https"):
                scheme = head.forwarded_proto.decode("ascii")
        return _caller(address, scheme, direct=False)

    def _beyond_proxies(self, nearest: str, forwarded_for: bytes) -> str:
        """Walks the list from its trustworthy end to the first address that is not a proxy."""
        hops = forwarded_for[-2048:].decode("latin-1").split(",")[-_MOST_HOPS:]
        for hop in reversed(hops):
            candidate = hop.strip()
            try:
                ip_address(candidate)
            except ValueError:
                return nearest
            nearest = candidate
            if not self._is_trusted(candidate):
                return candidate
        return nearest

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return not address  # a unix socket is guarded by file permissions
        return any(parsed in network for network in self._trusted)


@lru_cache(maxsize=4096)
def _caller(address: str, scheme: str, *, direct: bool) -> Caller:
    headers = (
        (b"x-forwarded-for", address.encode("latin-1")),
        (b"x-forwarded-proto", scheme.encode("latin-1")),
    )
    return Caller(address, scheme, direct, headers)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What rates are counted by: an IPv4 address, or the /64 that one IPv6 customer owns."""
    if ":" not in address:
        return address
    try:
        return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        return address


@lru_cache(maxsize=1024)
def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
