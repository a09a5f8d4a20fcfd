"""A run that others must approve, on the command line: told, listed, read, approved."""

import json
import re
import secrets
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform, clean_environment, command_line
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]

PASSWORD = "a long enough password"
RULES = "/api/executor/command_rules/"


def test_a_run_tells_whom_it_waits_for_and_they_say_yes(
    platform: Platform, admin: httpx.Client, local_host: str, tmp_path: Path
) -> None:
    name, word = f"boss-{secrets.token_hex(4)}", f"tea{secrets.token_hex(4)}"
    boss = admin.post("/api/auth/users/", json={"username": name, "password": PASSWORD}).json()
    whole = {"name": word, "pattern": word, "action": "approve"}
    asks = whole | {"approver_ids": [boss["content"]["id"]]}
    rule = admin.post(RULES, json=asks).json()["content"]

    def opsjob(*arguments: str, stdin: str = "") -> str:
        """The command as the boss, with a place of their own for tokens."""
        done = subprocess.run(
            command_line(*arguments),
            env=clean_environment(XDG_CONFIG_HOME=str(tmp_path), OPSJOB_SERVER=platform.url),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    command = f"echo {word}"
    ran = platform.cli("run", "--hosts", local_host, "--command", command, "--no-follow")
    admin.delete(f"{RULES}{rule['id']}/")
    execution_id = ran.stdout.strip()

    assert f"warning: {word}" in ran.stderr
    waits = re.search(r"waits for approval (\S+) by (\S+) until", ran.stderr)
    assert waits is not None, ran.stderr
    assert waits[2] == name
    opsjob("login", "-u", name, "--password-stdin", stdin=f"{PASSWORD}\n")
    eventually_sync(lambda: waits[1] in opsjob("approvals", "list", "--mine"))
    assert f"  | {command}" in opsjob("approvals", "show", waits[1])
    shown = json.loads(opsjob("approvals", "show", waits[1], "--json"))
    assert json.loads(shown["content"])["execution_id"] == execution_id
    assert "approved" in opsjob("approvals", "approve", waits[1], "--comment", "fine")
    # The rule is gone by now; what was asked for because of it stays asked for, and was given.
    assert platform.wait_ended(admin, execution_id)["status"] == "success"
