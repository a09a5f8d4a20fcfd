"""Which URLs and addresses may be asked: schemes, ports, forms of a host, and networks.

The networks are those of IANA's registries of special purpose addresses; the rules are S43.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NoReturn

import httpx

from libs.kit.errors import Invalid
from libs.kit.settings import OutboundSettings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MAX_URL: Final = 2048
_MOST_ADDRESSES: Final = 32

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
)
_AUTHORITY_END: Final = re.compile(r"[/?#]")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")

_NEVER: Final = tuple(
    ip_network(text)
    for text in ("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")
)
"""Nobody's address: what is sent there arrives at this machine or at everybody."""
_ONLY_BY_NAME: Final = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "100.100.100.200/32",
        "fd00:ec2::/32",
        "fd20:ce::/32",
    )
)
"""Where clouds tell a machine its own credentials; a wider allowed network does not contain it."""
_PRIVATE: Final = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24"),
        *("192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "240.0.0.0/4", "::/96", "::1/128", "100::/64", "2001::/23"),
        *("2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fec0::/10"),
    )
)
_CARRIERS: Final = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
"""IPv6 addresses that lead to an IPv4 one, and how many bits stand behind that one."""


class UrlRefused(Invalid):
    """A URL that may not be asked: its form, scheme, port, or where its host is."""

    code = "outbound_url_refused"
    message = "This address may not be asked."
    message_zh = "不允许访问该地址。"


def _refuse(reason: str, english: str, chinese: str) -> NoReturn:
    raise UrlRefused(english, zh=chinese, reason=reason)


def _refuse_credentials() -> NoReturn:
    _refuse(
        "credentials",
        "A URL carries no user name or password.",
        "URL 不能包含用户名或密码。",
    )


class Gate:
    """Which URLs and addresses may be asked; `settings` widen or narrow it."""

    def __init__(self, settings: OutboundSettings) -> None:
        self._settings = settings
        self._networks = settings.networks

    def read(self, url: str) -> httpx.URL:
        """A URL as people write it; UrlRefused unless it is plain, short and of our schemes."""
        if len(url) > MAX_URL:
            _refuse(
                "too_long",
                f"A URL has at most {MAX_URL} characters.",
                f"URL 最长 {MAX_URL} 个字符。",
            )
        if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            _refuse(
                "characters",
                "A URL has no spaces, backslashes or other than ASCII characters.",
                "URL 不能包含空格、反斜杠或非 ASCII 字符。",
            )
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            _refuse("unreadable", "This is not a URL.", "这不是有效的 URL。")
        if "@" in _AUTHORITY_END.split(url.partition("://")[2], maxsplit=1)[0]:
            _refuse_credentials()
        if "#" in url:
            _refuse("fragment", "A URL to ask has no fragment.", "URL 不能包含片段（#）。")
        self.check(parsed)
        return parsed

    def check(self, url: httpx.URL) -> None:
        """UrlRefused for what can be seen without asking where the host is."""
        schemes = ("https", "http") if self._settings.allow_http else ("https",)
        if url.scheme not in schemes:
            allowed = ", ".join(schemes)
            _refuse("scheme", f"Only {allowed} may be asked.", f"仅允许 {allowed}。")
        if url.userinfo:
            _refuse_credentials()
        if port_of(url) not in self._settings.ports:
            _refuse("port", "This port may not be asked.", "不允许访问该端口。")
        literal = literal_of(url)
        if literal is not None:
            self.check_addresses([str(literal)])

    def check_addresses(self, texts: Iterable[str]) -> list[Address]:
        """The addresses of one host; UrlRefused unless every one of them may be asked."""
        found = [ip_address(text) for text in texts]
        if not found or len(found) > _MOST_ADDRESSES or not all(map(self._is_allowed, found)):
            _refuse(
                "address",
                "This host is at an address that may not be asked.",
                "该主机所在的地址不允许访问。",
            )
        return found

    def _is_allowed(self, address: Address) -> bool:
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                return False
            inner = _carried(address)
            if inner is not None:
                return self._is_allowed(inner)
        if _within(address, _NEVER):
            return False
        if any(address in network for network in _ONLY_BY_NAME):
            wide = [one for one in _ONLY_BY_NAME if address in one]
            return any(
                address in mine and any(_is_part(mine, one) for one in wide)
                for mine in self._networks
            )
        return _within(address, self._networks) or not _within(address, _PRIVATE)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _is_part(network: Network, of: Network) -> bool:
    return (
        network.version == of.version
        and network.network_address in of
        and network.prefixlen >= of.prefixlen
    )


def _carried(address: IPv6Address) -> IPv4Address | None:
    for network, behind in _CARRIERS:
        if address in network:
            return IPv4Address(int(address) >> behind & 0xFFFFFFFF)
    return None


def port_of(url: httpx.URL) -> int:
    """The port of a URL, stated or by its scheme."""
    return url.port if url.port is not None else _DEFAULT_PORTS.get(url.scheme, 0)


def literal_of(url: httpx.URL) -> Address | None:
    """The address that stands in a URL itself; None for a name, UrlRefused for neither.

    What ends in a number but is no ordinary address would be read by the system as one in
    another spelling (`127.1`, `0x7f000001`, `2130706433`).
    """
    host = url.raw_host.decode("ascii").lower()
    try:
        return ip_address(host)
    except ValueError:
        pass
    is_name = len(host) <= 253 and _NAME.fullmatch(host)
    if not is_name or _NUMBER.fullmatch(host.rpartition(".")[2]):
        _refuse("host", "This is neither a host name nor an address.", "这既不是主机名也不是地址。")
    return None
