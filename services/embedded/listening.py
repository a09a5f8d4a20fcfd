"""Listening sockets: bound by the supervisor, so that a restarted process loses no connection."""

import contextlib
import errno
import http.client
import os
import socket
from pathlib import Path

from services.embedded.options import StartRefused

BACKLOG = 2048
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names of addresses, not a bind


def listen(host: str, port: int, option: str) -> socket.socket:
    """A TCP socket that listens at once; `option` names the flag to change when it cannot."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise StartRefused(f"{host} is no address of this machine; change --host.") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartRefused(_why(error, host, port, option)) from None
    return listener


def _why(error: OSError, host: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is already in use; choose another one with {option}."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this user; choose one above 1023 with {option}."
    return f"Port {port} on {host} cannot be used ({error.strerror}); change {option} or --host."


def listen_private(path: Path) -> socket.socket:
    """A unix socket (mode 0600) at `path`; what an earlier run left there is replaced."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise StartRefused(f"{path} cannot be made: {error.strerror}.") from None
    finally:
        os.umask(before)
    listener.listen(BACKLOG)
    return listener


def port_of(listener: socket.socket) -> int:
    """The port that was really taken, when 0 was asked for."""
    return int(listener.getsockname()[1])


def reachable_host(host: str) -> str:
    """Where to connect to on this machine for something bound to `host`."""
    return _ANYWHERE.get(host, host)


def url_of(host: str, port: int) -> str:
    """The address to show and to connect to."""
    name = reachable_host(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def answers_ok(host: str, port: int, path: str, *, timeout: float = 0.5) -> bool:
    """True if a GET of `path` is answered with 200."""
    connection = http.client.HTTPConnection(reachable_host(host), port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
