"""Journeys on the command line: many steps, control of what runs, stored output, files."""

import json
import tarfile
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform, error_of
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]


def _status(platform: Platform, execution_id: str) -> str:
    shown = platform.cli("executions", "show", execution_id, "--json")
    return str(json.loads(shown.stdout)["status"])


def _job(tmp_path: Path, *steps: dict[str, object], name: str = "From a file") -> str:
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"name": name, "steps": list(steps)}))
    return str(path)


def test_many_steps_come_from_a_file(platform: Platform, local_host: str, tmp_path: Path) -> None:
    job = _job(
        tmp_path,
        {"name": "First", "script_content": "echo one $WHO"},
        {"name": "Second", "script_content": "echo two"},
    )

    done = platform.cli("execute", job, "--hosts", local_host, "--var", "WHO=me")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{local_host} | one me", f"{local_host} | two"]


def test_a_preview_starts_nothing(platform: Platform, local_host: str, tmp_path: Path) -> None:
    job = _job(tmp_path, {"name": "Only", "script_content": "echo never"}, name="Preview only")

    done = platform.cli("execute", job, "--hosts", local_host, "--preview")

    assert json.loads(done.stdout)["hosts"][0]["name"] == local_host
    listed = platform.cli("executions", "list", "--limit", "1", "--json").stdout
    assert json.loads(done.stdout)["steps"][0]["name"] == "Only"
    assert "Preview only" not in listed


def test_a_step_waits_for_a_word_and_goes_on(
    platform: Platform, local_host: str, tmp_path: Path
) -> None:
    job = _job(
        tmp_path,
        {"name": "Ask", "kind": "confirm", "confirm": {"message": "Really?"}},
        {"name": "Then", "script_content": "echo agreed"},
    )
    started = platform.cli("execute", job, "--hosts", local_host, "--no-follow")
    execution_id = started.stdout.strip()
    eventually_sync(lambda: _status(platform, execution_id) == "paused", timeout=20)
    tasks = json.loads(platform.cli("executions", "tasks", execution_id, "--json").stdout)
    assert tasks[0]["waits_for"]["code"] in {"step_not_reached", "confirmation"}

    said = platform.cli("executions", "confirm", execution_id, "Ask", "--comment", "yes")

    assert said.returncode == 0, said.stderr
    assert platform.cli("logs", execution_id, "--follow").stdout == f"{local_host} | agreed\n"
    log = json.loads(platform.cli("executions", "operations", execution_id, "--json").stdout)
    assert [(row["action"], row["username"]) for row in log] == [("confirm", "admin")]


def test_what_failed_is_ignored_tried_again_and_run_anew(
    platform: Platform, local_host: str, tmp_path: Path
) -> None:
    marker = tmp_path / "there"
    job = _job(
        tmp_path,
        {"name": "Needs it", "script_content": f"test -e {marker}"},
        {"name": "After", "script_content": "echo after"},
    )
    failed = platform.cli("execute", job, "--hosts", local_host)
    execution_id = failed.stderr.split()[1]
    assert failed.returncode == 1
    assert _status(platform, execution_id) == "failed"

    marker.touch()
    again = platform.cli("executions", "retry-step", execution_id, "Needs it")

    assert again.returncode == 0, again.stderr
    eventually_sync(lambda: _status(platform, execution_id) == "success", timeout=30)
    anew = platform.cli("executions", "retry", execution_id)
    assert anew.returncode == 0, anew.stderr
    assert anew.stdout.strip() != execution_id


def test_a_run_is_held_and_stopped(
    platform: Platform, local_host: str, admin: httpx.Client, tmp_path: Path
) -> None:
    job = _job(
        tmp_path,
        {"name": "Long", "script_content": "sleep 300"},
        {"name": "Never", "script_content": "echo never"},
    )
    ids = [
        platform.cli("execute", job, "--hosts", local_host, "--no-follow").stdout.strip()
        for _ in range(2)
    ]

    paused = platform.cli("executions", "pause", ids[0], "--reason", "lunch")
    resumed = platform.cli("executions", "resume", ids[0])
    stopped = platform.cli("executions", "stop", *ids, "--yes")

    assert "paused" in paused.stdout, paused.stderr
    assert resumed.returncode == 0, resumed.stderr
    assert stopped.returncode == 0, stopped.stderr
    for execution_id in ids:
        assert platform.wait_ended(admin, execution_id, timeout=30)["status"] == "cancelled"


def test_stored_output_is_searched_and_kept(
    platform: Platform, local_host: str, tmp_path: Path
) -> None:
    script = "for i in $(seq 1 300); do echo line $i; done"
    started = platform.cli("run", "--hosts", local_host, "--command", script)
    execution_id = started.stderr.split()[1]

    found = platform.cli("search", execution_id, "line 27")
    text, packed = tmp_path / "all.txt", tmp_path / "all.zip"

    assert [line.split(": ")[1] for line in found.stdout.splitlines()] == [
        "line 27", *(f"line {number}" for number in range(270, 280))
    ]  # fmt: skip
    assert platform.cli("search", execution_id, "absent").returncode == 1
    tail = platform.cli("logs", execution_id, "--tail", "2", "--host", local_host)
    assert tail.stdout == "line 299\nline 300\n"
    assert platform.cli("download", execution_id, str(text)).returncode == 0
    assert text.read_text().count("line ") >= 300
    assert platform.cli("download", execution_id, str(packed)).returncode == 0
    assert zipfile.ZipFile(packed).testzip() is None
    assert "there already" in error_of(platform.cli("download", execution_id, str(text)))


def test_files_go_to_hosts_and_come_back(
    platform: Platform, local_host: str, tmp_path: Path
) -> None:
    source = tmp_path / "news.txt"
    source.write_text("good\n" * 1000)
    target = tmp_path / "there" / "news.txt"
    target.parent.mkdir()

    sent = platform.cli("push", str(source), "--hosts", local_host, "--to", str(target))
    back = tmp_path / "back.tar"
    fetched = platform.cli("collect", str(target), "--hosts", local_host, "--to", str(back))

    assert sent.returncode == 0, sent.stderr
    assert target.read_bytes() == source.read_bytes()
    assert fetched.returncode == 0, fetched.stderr
    with tarfile.open(back) as archive:
        assert any(local_host in name for name in archive.getnames())
    listed = json.loads(platform.cli("files", "list", "--search", "news", "--json").stdout)
    copy = tmp_path / "copy.txt"
    file_id = next(file["id"] for file in listed if file["name"] == "news.txt")
    assert platform.cli("files", "download", file_id, str(copy)).returncode == 0
    assert copy.read_bytes() == source.read_bytes()
    assert platform.cli("files", "delete", file_id).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("execute", "/does/not/exist"),
        ("executions", "pause", "01900000-0000-7000-8000-000000000000"),
        ("executions", "retry", "01900000-0000-7000-8000-000000000000"),
        ("run", "--hosts", "1", "--command", "true", "--tolerate", "many"),
        ("run", "--hosts", "1", "--command", "true", "--var", "novalue"),
        ("run", "--hosts", "1", "--command", "true", "--mode", "sideways"),
        ("push", "/does/not/exist", "--hosts", "1", "--to", "/tmp/x"),
        ("files", "delete", "none"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], platform: Platform) -> None:
    error_of(platform.cli(*arguments))
