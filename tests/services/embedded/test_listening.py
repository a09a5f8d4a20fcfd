"""Listening sockets: refused with the option that has to change."""

import socket
import stat
from pathlib import Path

import pytest

from services.embedded import listening
from services.embedded.options import StartRefused


def test_a_taken_port_names_the_option() -> None:
    with listening.listen("127.0.0.1", 0, "--port") as first:
        port = listening.port_of(first)

        with pytest.raises(StartRefused, match=f"{port} on 127.0.0.1 .*--agent-port"):
            listening.listen("127.0.0.1", port, "--agent-port")


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_of_no_interface_is_refused(host: str) -> None:
    with pytest.raises(StartRefused, match="--host"):
        listening.listen(host, 0, "--port")


def test_a_private_socket_replaces_what_was_left(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    listening.listen_private(path).close()

    with listening.listen_private(path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))

        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("jobs.example", "http://jobs.example:80"),
    ],
)
def test_addresses_to_show_can_be_connected_to(host: str, url: str) -> None:
    assert listening.url_of(host, 80) == url
