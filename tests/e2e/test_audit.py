"""The audit log of a whole platform: what people and machines did is there, and is proved."""

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform, clean_environment, command_line
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]

LOGS = "/api/permissions/audit-logs/"


def rows(client: httpx.Client, **params: str) -> list[dict[str, object]]:
    answer = client.get(LOGS, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["content"]["results"]
    return found


def test_what_is_done_through_the_gateway_is_recorded_and_proved(platform: Platform) -> None:
    client = platform.client()
    host = platform.wait_online(client)
    execution_id = platform.submit(client, "echo audited", int(host["id"]), name="Audited run")
    wrong = {"authorization": "Bearer nonsense", "user-agent": "evil/1"}
    assert httpx.get(f"{platform.url}/api/hosts/", headers=wrong).status_code == 401

    [run] = eventually_sync(lambda: rows(client, resource_id=execution_id, action="execution.run"))
    [refused] = eventually_sync(lambda: rows(client, action="session.refused"))[:1]
    enrolled = eventually_sync(lambda: rows(client, action="agent.enrol"))

    assert (run["username"], run["resource_name"]) == ("admin", "Audited run")
    assert run["ip_address"] == "127.0.0.1"
    assert "python-httpx" in str(run["user_agent"])
    assert (refused["user_agent"], refused["outcome"]) == ("evil/1", "denied")
    assert enrolled[0]["actor_kind"] == "service"
    exported = client.get(f"{LOGS}export/", params={"format": "jsonl"})
    assert exported.status_code == 200
    assert execution_id in exported.text
    verified = platform.cli("admin", "audit", "verify")
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.startswith("The audit log is whole: ")


def test_a_record_changed_behind_the_platform_is_named(platform: Platform, tmp_path: Path) -> None:
    """On a copy: checkpoints in their folder, and the database as a backup has it."""
    client = platform.client()
    eventually_sync(lambda: (platform.data_dir / "audit" / "checkpoints.jsonl").exists())
    eventually_sync(lambda: rows(client))
    copy = tmp_path / "data"
    (copy / "audit").mkdir(parents=True)
    for name in ("checkpoints.jsonl", "checkpoints.pub"):
        content = (platform.data_dir / "audit" / name).read_bytes()
        (copy / "audit" / name).write_bytes(content)
    secret = copy / "secret"
    secret.write_bytes((platform.data_dir / "secret").read_bytes())
    secret.chmod(0o600)
    with (
        closing(sqlite3.connect(platform.data_dir / "auth.db")) as source,
        closing(sqlite3.connect(copy / "auth.db")) as target,
    ):
        source.backup(target)
        target.execute("UPDATE audit_records SET actor_name = 'nobody' WHERE seq = 2")
        target.commit()

    done = subprocess.run(
        command_line("admin", "audit", "verify", "--json", "--data-dir", str(copy)),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == "error: Record 2: its content is not what was recorded.\n"
    assert json.loads(done.stdout)["problem"].startswith("Record 2: ")
