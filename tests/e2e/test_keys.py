"""S20, S28: keys change under a running platform, and a missing key is named at the start."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform

pytestmark = [pytest.mark.processes, pytest.mark.slow]

PASSWORD = "hunter2-correct-horse"
NEW_SECRET = "another-secret-of-this-platform-0123456789"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A platform of its own, because its keys change."""
    running = Platform.start(tmp_path / "data")
    yield running
    running.stop()


def run_with_secret(platform: Platform, client: httpx.Client) -> str:
    """A script gets a secret; answers the id of its execution, once it succeeded."""
    host = platform.wait_online(client)
    body = {
        "name": "with a secret",
        "script_content": f'test "$P" = "{PASSWORD}" && echo as-expected',
        "target_host_ids": [host["id"]],
        "variables": {"P": {"type": "secret", "value": PASSWORD}},
    }
    answer = client.post("/api/quick/execute_script/", json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    execution_id = str(answer.json()["content"]["execution_id"])
    record = platform.wait_ended(client, execution_id)
    assert record["status"] == "success", record
    return execution_id


def sealed(platform: Platform) -> list[str]:
    with sqlite3.connect(platform.data_dir / "execution.db") as db:
        return [row[0] for row in db.execute("SELECT sealed FROM execution_secrets")]


def test_keys_change_while_the_platform_runs(platform: Platform) -> None:
    client = platform.client()
    first = run_with_secret(platform, client)

    made = platform.cli("admin", "secrets", "new-key")
    assert made.returncode == 0, made.stderr
    run_with_secret(platform, client)
    assert sorted(text[:2] for text in sealed(platform)) == ["v1", "v2"]
    moved = platform.cli("admin", "secrets", "rotate")

    assert moved.returncode == 0, moved.stderr
    assert "execution: 1 of 1" in moved.stdout
    assert {text[:2] for text in sealed(platform)} == {"v2"}
    again = client.post(f"/api/executor/execution-records/{first}/retry/", json={})
    assert again.status_code in (200, 201, 202), again.text
    retried = str(again.json()["content"]["execution_id"])
    assert platform.wait_ended(client, retried)["status"] == "success"


def test_without_its_key_file_the_platform_says_so_and_does_not_start(platform: Platform) -> None:
    client = platform.client()
    run_with_secret(platform, client)
    platform.cli("admin", "secrets", "new-key")
    platform.cli("admin", "secrets", "rotate")
    platform.stop()
    file = platform.data_dir / "sealing-keys"
    kept = file.read_bytes()
    file.unlink()

    with pytest.raises(RuntimeError, match=f"the key .{{16}}, which is not in the key file {file}"):
        Platform.start(platform.data_dir, "--no-agent")

    file.write_bytes(kept)
    file.chmod(0o600)
    back = Platform.start(platform.data_dir, "--no-agent")
    assert back.stop() == 0


def test_the_secret_changes_in_two_steps(platform: Platform) -> None:
    """What was sealed and signed before still counts afterwards."""
    client = platform.client()
    first = run_with_secret(platform, client)
    old = (platform.data_dir / "secret").read_text().strip()
    platform.stop()

    changed = Platform.start(
        platform.data_dir, OPSJOB_SECRET=NEW_SECRET, OPSJOB_ACCEPTED_SECRETS=old
    )
    try:
        with httpx.Client(base_url=changed.url, trust_env=False, timeout=30) as http:
            http.headers["authorization"] = client.headers["authorization"]
            changed.wait_online(http)
            again = http.post(f"/api/executor/execution-records/{first}/retry/", json={})
            assert again.status_code in (200, 201, 202), again.text
            retried = str(again.json()["content"]["execution_id"])
            assert changed.wait_ended(http, retried)["status"] == "success"
    finally:
        changed.stop()
