"""Lists of hosts and the line for a new one, as the commands print them."""

from collections.abc import Mapping

import pytest

from services.cli.api import JSON, Api, Params
from services.cli.inventory import issue_token, list_hosts

HOST: dict[str, JSON] = {"id": 1, "name": "web-1", "agent_status": "online", "metrics": None}
TOKEN: dict[str, JSON] = {"token": "t0ken", "expires_at": "2026-01-01T00:00:00Z"}


class Answers(Api):
    """An API that answers every question with one content."""

    def __init__(self, content: dict[str, JSON]) -> None:
        self._content = content

    def get(self, path: str, params: Params | None = None) -> dict[str, JSON]:
        """The content."""
        return self._content

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


def test_s64_a_line_is_one_command_whatever_the_server_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    issue_token(Answers({**TOKEN, "gateway_url": "https://x;\x1b[2Jreboot"}))

    told = capsys.readouterr().err
    assert "'https://x;\\x1b[2Jreboot'" in told
