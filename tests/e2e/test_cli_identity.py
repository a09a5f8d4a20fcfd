"""Users and API tokens on the command line, and the emergency door."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform, clean_environment, command_line, error_of

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def opsjob(
    platform: Platform, folder: Path, *arguments: str, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command as somebody else, with a place of their own for tokens."""
    return subprocess.run(
        command_line(*arguments),
        env=clean_environment(
            XDG_CONFIG_HOME=str(folder), OPSJOB_SERVER=platform.url, **environment
        ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def made(platform: Platform, name: str, *roles: str) -> str:
    """A new user; answers the one-time password."""
    options = [part for role in roles for part in ("--role", role)]
    done = platform.cli("admin", "user", "add", name, *options, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["one_time_password"])


def test_a_user_from_the_first_password_to_the_end(platform: Platform, tmp_path: Path) -> None:
    name, password = f"eve{os.getpid()}", "A long enough pass phrase 48!"
    first = made(platform, name, "viewer")

    login = opsjob(platform, tmp_path, "login", "-u", name, "--password-stdin", stdin=first + "\n")
    assert login.returncode == 0, login.stderr
    assert "has to be changed" in login.stderr
    assert "You may not do this" in error_of(opsjob(platform, tmp_path, "agents", "list"))
    both = f"{first}\n{password}\n"
    changed = opsjob(platform, tmp_path, "admin", "change-password", "--password-stdin", stdin=both)
    assert changed.returncode == 0, changed.stderr
    assert opsjob(platform, tmp_path, "agents", "list").returncode == 0

    shown = platform.cli("admin", "user", "show", name)
    assert "opsjob command" in shown.stdout
    assert name in platform.cli("admin", "user", "list", "--role", "viewer").stdout
    assert platform.cli("admin", "user", "roles", name, "--role", "operator").returncode == 0
    assert "1 logins" in platform.cli("admin", "user", "sign-out", name).stdout
    assert "Log in first" in error_of(opsjob(platform, tmp_path, "agents", "list"))
    assert platform.cli("admin", "user", "disable", name).returncode == 0
    assert "disabled" in platform.cli("admin", "user", "list", "--search", name).stdout
    assert platform.cli("admin", "user", "enable", name).returncode == 0
    assert platform.cli("admin", "user", "delete", name).returncode == 0
    assert name not in platform.cli("admin", "user", "list").stdout
    assert "deleted" in platform.cli("admin", "user", "list", "--deleted").stdout
    assert "no user" in error_of(platform.cli("admin", "user", "show", name))


def test_an_api_token_works_until_it_is_revoked(platform: Platform, tmp_path: Path) -> None:
    name = f"build{os.getpid()}"
    created = platform.cli("token", "create", name, "--scope", "hosts:read", "--days", "1")
    assert created.returncode == 0, created.stderr
    token = created.stdout.strip()

    def with_token(*arguments: str) -> subprocess.CompletedProcess[str]:
        return opsjob(platform, tmp_path, *arguments, OPSJOB_TOKEN=token)

    assert token.startswith("opsjob_")
    assert with_token("hosts", "list").returncode == 0
    assert "may not" in error_of(with_token("admin", "user", "list"))
    assert "step_up:waive" in error_of(with_token("token", "create", "x", "--scope", "a:b"))
    listed = platform.cli("token", "list")
    assert name in listed.stdout
    assert token not in listed.stdout
    assert platform.cli("token", "revoke", name).returncode == 0
    assert "revoked, expired or misspelt" in error_of(with_token("hosts", "list"))
    assert not list(tmp_path.iterdir()), "a token of the environment is written nowhere"


def test_tokens_of_others_are_revoked(platform: Platform, tmp_path: Path) -> None:
    name = f"owner{os.getpid()}"
    made(platform, name, "viewer")

    assert platform.cli("admin", "token", "list", name).returncode == 0
    assert "0 API tokens" in platform.cli("admin", "token", "revoke", name, "--all").stdout
    assert "Say which token" in error_of(platform.cli("admin", "token", "revoke", name))
    assert "no API token" in error_of(platform.cli("admin", "token", "revoke", name, "nothing"))


def test_a_forgotten_password_is_reset_past_the_api_and_recorded(
    platform: Platform, tmp_path: Path
) -> None:
    name = f"lost{os.getpid()}"
    made(platform, name)
    folder = str(platform.data_dir)

    refused = platform.cli("admin", "user", "reset", name)
    assert "--local" in error_of(refused)
    done = opsjob(
        platform, tmp_path, "admin", "user", "reset", name, "--local", "--admin", "--json",
        OPSJOB_DATA_DIR=folder,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    password = json.loads(done.stdout)["one_time_password"]
    body = {"username": name, "password": password}
    answer = httpx.post(f"{platform.url}/api/auth/login/", json=body, trust_env=False)
    assert answer.status_code == 200
    user = answer.json()["content"]["user"]
    assert (user["roles"], user["must_change_password"]) == (["admin"], True)
    nobody = opsjob(
        platform, tmp_path, "admin", "user", "reset", "nobody", "--local", OPSJOB_DATA_DIR=folder
    )
    assert "no such user" in error_of(nobody)
    empty = opsjob(
        platform, tmp_path, "admin", "user", "reset", name, "--local", "--data-dir", str(tmp_path)
    )
    assert "No platform keeps its data" in error_of(empty)
