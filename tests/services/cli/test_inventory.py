"""Lists of hosts and the line for a new one, as the commands print them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.cli.api import JSON, Api, Params
from services.cli.connection import Place
from services.cli.credentials import CredentialStore
from services.cli.failure import CommandFailed
from services.cli.inventory import issue_token, list_hosts

HOST: dict[str, JSON] = {"id": 1, "name": "web-1", "agent_status": "online", "metrics": None}
TOKEN: dict[str, JSON] = {"token": "t0ken", "expires_at": "2026-01-01T00:00:00Z"}


class Answers(Api):
    """An API that answers every question with one content, or that says where agents connect."""

    def __init__(
        self,
        content: dict[str, JSON],
        *,
        gateway: dict[str, JSON] | None = None,
        server: str = "https://jobs.example",
    ) -> None:
        self._content = content
        self._gateway = gateway
        self.place = Place(server, CredentialStore(Path("/nowhere")))

    def get(self, path: str, params: Params | None = None) -> dict[str, JSON]:
        """The content."""
        if not path.endswith("/gateway/"):
            return self._content
        if self._gateway is None:
            raise CommandFailed("The server does not answer.", code="unreachable", status=503)
        return self._gateway

    def post(
        self, path: str, body: Mapping[str, JSON] | None = None, *, idempotency_key: str = ""
    ) -> dict[str, JSON]:
        """The content."""
        return self._content


@pytest.mark.parametrize(
    ("status", "metrics", "shown"),
    [
        ("online", {"maintenance": 1}, "online, maintenance"),
        ("online", {"cpu_percent": 1.0}, "online "),
        ("online", None, "online "),
        ("offline", {"maintenance": 1}, "offline "),
    ],
)
def test_s9_a_host_under_maintenance_is_listed_as_such(
    status: str, metrics: JSON, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row: dict[str, JSON] = {**HOST, "agent_status": status, "metrics": metrics, "ip_address": "x"}

    list_hosts(Answers({"total": 1, "results": [row]}))

    line = capsys.readouterr().out.splitlines()[1]
    assert shown in line
    assert ("maintenance" in line) == ("maintenance" in shown)


def test_s64_the_line_for_a_host_pins_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, JSON] = {
        "gateway_url": "https://agents.example",
        "gateway_fingerprint": "sha256:aa",
        "root_fingerprint": "sha256:bb",
    }
    issue_token(Answers({**TOKEN, **known}))
    told = capsys.readouterr()
    issue_token(Answers(TOKEN))
    bare = capsys.readouterr().err

    assert told.out == "t0ken\n"
    assert (
        "opsjob-agent enrol --state /var/lib/opsjob-agent --gateway https://agents.example "
        "--gateway-fingerprint sha256:aa --root-key sha256:bb\n"
    ) in told.err
    assert "--gateway <address for agents>\n" in bare


@pytest.mark.parametrize(
    ("server", "place", "told"),
    [
        ("https://jobs.example:8443", {"url": None, "port": 8001}, "https://jobs.example:8001\n"),
        ("http://127.0.0.1:8000", {"url": None, "port": 40123}, "http://127.0.0.1:40123\n"),
        ("http://[::1]:8000", {"url": None, "port": 8001}, "'http://[::1]:8001'\n"),
        (
            "https://jobs.example",
            {"url": "https://agents.example", "port": 1},
            "https://agents.example\n",
        ),
        ("https://jobs.example", {"url": None, "port": None}, "<address for agents>\n"),
    ],
)
def test_the_line_for_a_host_names_where_agents_connect(
    server: str, place: dict[str, JSON], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    issue_token(Answers(TOKEN, gateway=place, server=server))

    assert capsys.readouterr().err.endswith(f"--gateway {told}")


def test_s64_a_line_is_one_command_whatever_the_server_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    issue_token(Answers({**TOKEN, "gateway_url": "https://x;\x1b[2Jreboot"}))

    told = capsys.readouterr().err
    assert "'https://x;\\x1b[2Jreboot'" in told
