"""B119: a file with tokens that others could read, write or swap is refused."""

import json
import os
from pathlib import Path

import pytest

from services.cli.credentials import CredentialStore, Tokens
from services.cli.failure import CommandFailed

SERVER = "https://jobs.example"
TOKENS = Tokens("admin", "access", "refresh", 4_000_000_000.0)


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore(tmp_path / "config" / "credentials.json")


def test_what_is_kept_is_found_again_and_is_private(store: CredentialStore) -> None:
    store.keep(SERVER, TOKENS)

    assert store.tokens(SERVER) == TOKENS
    assert store.last_server() == SERVER
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_servers_do_not_see_each_others_tokens(store: CredentialStore) -> None:
    store.keep(SERVER, TOKENS)
    store.keep("https://other.example", Tokens("eve", "a", "r", 1.0))

    store.forget("https://other.example")

    assert store.tokens(SERVER) == TOKENS
    assert store.tokens("https://other.example") is None
    assert store.last_server() is None


def test_nothing_is_kept_at_first(store: CredentialStore) -> None:
    assert store.tokens(SERVER) is None


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o602])
def test_a_file_that_others_can_use_is_refused(store: CredentialStore, mode: int) -> None:
    store.keep(SERVER, TOKENS)
    store.path.chmod(mode)

    with pytest.raises(CommandFailed, match="chmod 600"):
        store.tokens(SERVER)


def test_a_link_is_not_followed(store: CredentialStore, tmp_path: Path) -> None:
    store.keep(SERVER, TOKENS)
    store.path.rename(tmp_path / "elsewhere.json")
    store.path.symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(CommandFailed, match="refused"):
        store.tokens(SERVER)


def test_a_pipe_in_its_place_is_refused_at_once(store: CredentialStore) -> None:
    store.path.parent.mkdir(parents=True)
    os.mkfifo(store.path, 0o600)

    with pytest.raises(CommandFailed, match="plain file"):
        store.tokens(SERVER)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused(store: CredentialStore) -> None:
    store.keep(SERVER, TOKENS)
    os.chown(store.path, 65_534, 65_534)

    with pytest.raises(CommandFailed, match="another user"):
        store.tokens(SERVER)


_ENTRY = json.dumps({"username": "a", "access_token": "b", "refresh_token": "c", "expires_at": 1.0})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b'{"last": null, "servers": {}, "extra": 1}',
        b'{"last": 5, "servers": {}}',
        b'{"last": null, "servers": []}',
        b'{"last": null, "servers": {"x": {}}}',
        b'{"last": null, "last": null, "servers": {}}',
        b'{"last": null, "servers": {"x": {"username": 1, "access_token": "b",'
        b' "refresh_token": "c", "expires_at": 1}}}',
        b'{"last": null, "servers": {"x": {"username": "a", "access_token": "b",'
        b' "refresh_token": "c", "expires_at": null}}}',
        f'{{"last": null, "servers": {{"x": {_ENTRY}, "x": {_ENTRY}}}}}'.encode(),
    ],
)
def test_damaged_content_is_one_clear_line(store: CredentialStore, content: bytes) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(content)
    store.path.chmod(0o600)

    with pytest.raises(CommandFailed, match="damaged"):
        store.tokens("x")
