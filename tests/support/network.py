"""Keeps tests on this machine: a connection beyond loopback fails at once, with its address."""

import ipaddress
import socket
from collections.abc import Iterator

import pytest


class NetworkRefused(RuntimeError):
    """A test tried to reach another machine."""


def is_local(address: object) -> bool:
    """True for unix sockets and loopback, the only places that tests may talk to."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0]).partition("%")[0]
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def no_network_beyond_loopback() -> Iterator[None]:
    """Every connection of the test process is checked; datagram sockets send nothing on connect."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def checked(sock: socket.socket, address: object) -> None:
        if sock.type == socket.SOCK_STREAM and not is_local(address):
            raise NetworkRefused(f"Tests may not connect to {address}.")

    def guarded_connect(self: socket.socket, address: object) -> None:
        checked(self, address)
        connect(self, address)  # type: ignore[arg-type]  # the private union of address shapes

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        checked(self, address)
        return connect_ex(self, address)  # type: ignore[arg-type]  # as above

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        yield
