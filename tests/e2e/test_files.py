"""Files through the whole platform: uploaded at the public door, sent by a real agent, fetched."""

import hashlib
import io
import os
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.platform import Platform

pytestmark = [pytest.mark.processes]

CONTENT = os.urandom(20_000_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
PIECE = 8 * 1024 * 1024


@pytest.fixture
def host_id(platform: Platform, admin: httpx.Client) -> int:
    """The local agent's host, online."""
    return int(platform.wait_online(admin)["id"])


def upload(admin: httpx.Client, name: str = "app.bin", content: bytes = CONTENT) -> str:
    """In pieces, as the console and the command do it."""
    sha256 = hashlib.sha256(content).hexdigest()
    started = admin.post(
        "/api/files/uploads/", json={"name": name, "size": len(content), "sha256": sha256}
    )
    assert started.status_code == 201, started.text
    shown = started.json()["content"]
    place = f"/api/files/uploads/{shown['upload_id']}/"
    while not shown["file"] and shown["offset"] < len(content):
        offset = shown["offset"]
        piece = content[offset : offset + min(shown["chunk_bytes"], PIECE)]
        answer = admin.put(place, params={"offset": offset}, content=piece)
        assert answer.status_code == 200, answer.text
        shown = answer.json()["content"]
    if not shown["file"]:
        done = admin.post(f"{place}complete/")
        assert done.status_code == 201, done.text
    return str(shown["upload_id"])


def started(answer: httpx.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["content"]["execution_id"])


def only_task(platform: Platform, admin: httpx.Client, execution_id: str) -> dict[str, Any]:
    record = platform.wait_ended(admin, execution_id)
    task: dict[str, Any] = record["steps"][-1]["tasks"][0]
    return task


def test_a_file_goes_from_a_browser_to_a_host(
    platform: Platform, admin: httpx.Client, host_id: int, tmp_path: Path
) -> None:
    file_id = upload(admin)
    target = tmp_path / "opt" / "app.bin"

    execution_id = started(
        admin.post(
            "/api/quick/transfer_file/",
            json={
                "artifact_ids": [file_id],
                "remote_path": str(target),
                "target_host_ids": [host_id],
                "mode": "0600",
            },
        )
    )

    task = only_task(platform, admin, execution_id)
    assert task["status"] == "success", platform.stored_output(admin, execution_id, "stderr")
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o600
    assert SHA in platform.stored_output(admin, execution_id)
    assert (task["progress"]["done"], task["progress"]["size"]) == (len(CONTENT), len(CONTENT))


def test_a_form_brings_a_file_in_one_request(
    platform: Platform, admin: httpx.Client, host_id: int, tmp_path: Path
) -> None:
    execution_id = started(
        admin.post(
            "/api/quick/transfer_file/",
            data={"remote_path": f"{tmp_path}/", "target_host_ids": f"[{host_id}]"},
            files={"file": ("from-form.bin", CONTENT)},
        )
    )

    assert only_task(platform, admin, execution_id)["status"] == "success"
    assert (tmp_path / "from-form.bin").read_bytes() == CONTENT


def test_a_failed_transfer_says_why(
    platform: Platform, admin: httpx.Client, host_id: int, tmp_path: Path
) -> None:
    (tmp_path / "there").write_bytes(b"old")
    body = {
        "artifact_ids": [upload(admin)],
        "remote_path": f"{tmp_path}/there",
        "target_host_ids": [host_id],
        "overwrite_policy": "fail",
    }

    task = only_task(platform, admin, started(admin.post("/api/quick/transfer_file/", json=body)))

    assert (task["status"], task["reason"]) == ("failed", "target_exists")
    assert (tmp_path / "there").read_bytes() == b"old"


def test_files_are_fetched_and_passed_on(
    platform: Platform, admin: httpx.Client, host_id: int, tmp_path: Path
) -> None:
    (tmp_path / "srv" / "conf").mkdir(parents=True)
    (tmp_path / "srv" / "conf" / "a.conf").write_bytes(b"a")
    (tmp_path / "srv" / "data.bin").write_bytes(CONTENT)

    collected = started(
        admin.post(
            "/api/quick/collect_files/",
            json={"paths": [f"{tmp_path}/srv"], "target_host_ids": [host_id]},
        )
    )
    passed_on = started(
        admin.post(
            "/api/quick/transfer_file/",
            json={
                "sources": [{"type": "server", "host_id": host_id, "path": f"{tmp_path}/srv/"}],
                "remote_path": f"{tmp_path}/copy",
                "target_host_ids": [host_id],
            },
        )
    )

    assert only_task(platform, admin, collected)["status"] == "success"
    answer = admin.get(f"/api/executor/execution-records/{collected}/collected/")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        found = {member.name: member for member in archive if member.isreg()}
        (name,) = [name for name in found if name.endswith("/srv/data.bin")]
        content = archive.extractfile(found[name])
        assert content is not None
        assert content.read() == CONTENT
        assert len(found) == 2
    record = platform.wait_ended(admin, passed_on)
    assert record["status"] == "success", platform.stored_output(admin, passed_on, "stderr")
    assert (tmp_path / "copy" / "conf" / "a.conf").read_bytes() == b"a"
    assert (tmp_path / "copy" / "data.bin").read_bytes() == CONTENT
