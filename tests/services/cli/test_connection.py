"""B119: addresses and places that would leak credentials are refused with one clear line."""

import json
from pathlib import Path

import pytest

from services.cli.connection import (
    DEFAULT_SERVER,
    ConnectionOptions,
    checked_server,
    first_admin,
    locate,
)
from services.cli.failure import CommandFailed


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OPSJOB_SERVER", raising=False)
    monkeypatch.delenv("OPSJOB_DATA_DIR", raising=False)


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://Jobs.Example", "https://jobs.example"),
        ("https://jobs.example:8443/", "https://jobs.example:8443"),
        (" https://jobs.example ", "https://jobs.example"),
    ],
)
def test_a_good_address_has_one_spelling(address: str, meant: str) -> None:
    assert checked_server(address, insecure=False) == meant


@pytest.mark.parametrize(
    "address",
    [
        "http://jobs.example",
        "http://10.0.0.1:8000",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "https://user:pass@jobs.example",
        "https://user@jobs.example",
        "https://jobs.example/console",
        "https://jobs.example?x=1",
        "https://jobs.example#x",
        "ftp://jobs.example",
        "file:///etc/passwd",
        "jobs.example",
        "",
        "https://",
        "https://jobs.example:99999",
        "https://jobs\n.example",
        "https://jobs .example",
        "http://[::1",
    ],
)
def test_a_bad_address_is_refused(address: str) -> None:
    with pytest.raises(CommandFailed):
        checked_server(address, insecure=False)


def test_plain_http_to_another_machine_needs_to_be_asked_for() -> None:
    assert checked_server("http://10.0.0.1:8000", insecure=True) == "http://10.0.0.1:8000"


def test_without_any_word_it_is_this_machine() -> None:
    assert locate(ConnectionOptions()).server == DEFAULT_SERVER


def test_the_command_line_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSJOB_SERVER", "https://environment.example")

    assert locate(ConnectionOptions()).server == "https://environment.example"
    assert locate(ConnectionOptions(server="https://asked.example")).server == (
        "https://asked.example"
    )


def test_two_places_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="not both"):
        locate(ConnectionOptions(server="https://a.example", data_dir=tmp_path))


def test_a_data_folder_names_its_server_and_its_first_admin(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "address.json").write_text(json.dumps({"url": "http://127.0.0.1:9"}))
    (tmp_path / "first-admin.json").write_text('{"username": "admin", "password": "p"}')

    place = locate(ConnectionOptions(data_dir=tmp_path))

    assert place.server == "http://127.0.0.1:9"
    assert place.first_admin == first_admin(tmp_path)
    assert place.store.path == tmp_path / "run" / "credentials.json"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 5}', "\ufeff{}"])
def test_a_folder_that_is_none_of_ours_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "address.json").write_text(content)

    with pytest.raises(CommandFailed):
        locate(ConnectionOptions(data_dir=tmp_path))


def test_a_platform_that_does_not_run_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="No platform runs"):
        locate(ConnectionOptions(data_dir=tmp_path))
