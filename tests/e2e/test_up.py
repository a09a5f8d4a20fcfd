"""`opsjob up`: what it starts, what it leaves behind, what it refuses, how it ends."""

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from services.embedded import valkey
from tests.support.platform import (
    TITLES,
    Platform,
    clean_environment,
    command_line,
    port_is_free,
)
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]

MOST_MEMORY = 300_000_000
"""Bytes that the platform may take; the agent is a host's and has its own bound (tests/agent)."""


def refused(data_dir: Path, *options: str, **environment: str) -> str:
    """What a start that must fail says; one line, exit code not 0."""
    done = subprocess.run(
        command_line("up", "--data-dir", str(data_dir), *options),
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0, done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def test_every_process_bears_its_title_and_all_fit_into_300_mb(tmp_path: Path) -> None:
    platform = Platform.start(tmp_path / "data")  # one that has done nothing yet
    try:
        platform.wait_online(platform.client())
        missing = [name for name in TITLES if platform.find(name) is None]
        agents = [one for one in platform.processes() if "opsjob-agent" in one.cmdline()[0]]
        of_platform = [one for one in platform.processes() if one not in agents]
        memory = sum(process.memory_full_info().pss for process in of_platform)
        is_ready = platform.is_ready()
    finally:
        platform.stop()

    assert not missing
    assert is_ready
    assert memory < MOST_MEMORY


def test_secrets_are_private_and_on_no_command_line(platform: Platform) -> None:
    root = platform.data_dir
    private = [root / "secret", root / "first-admin.json", root / "run" / "valkey.conf"]
    secret = (root / "secret").read_text().strip()
    password = platform.first_admin["password"]

    assert root.stat().st_mode & 0o077 == 0
    assert [path.stat().st_mode & 0o777 for path in private] == [0o600] * 3
    assert (root / "run" / "control.sock").stat().st_mode & 0o077 == 0
    for process in platform.processes():
        shown = " ".join(process.cmdline()) + " ".join(process.environ().values())
        assert secret not in shown
        assert password not in shown
    assert password in platform.output.read_text()


@pytest.mark.parametrize("name", ["control-plane", "agent-gateway", "valkey", "agent"])
def test_a_process_killed_by_hand_comes_back(
    name: str, platform: Platform, admin: httpx.Client
) -> None:
    platform.wait_online(admin)

    killed = platform.kill(name)

    platform.wait_back(name, killed)
    assert eventually_sync(platform.is_ready, timeout=20)
    execution_id = platform.submit(admin, "echo alive", platform.wait_online(admin)["id"])
    assert platform.wait_ended(admin, execution_id)["status"] == "success"


def test_a_second_platform_on_the_same_folder_is_refused(platform: Platform) -> None:
    said = refused(platform.data_dir, "--port", "0", "--agent-port", "0")

    assert "already runs" in said
    assert platform.is_ready()


@pytest.mark.parametrize("option", ["--port", "--agent-port"])
def test_a_port_in_use_is_refused_with_its_option(option: str, tmp_path: Path) -> None:
    other = "--agent-port" if option == "--port" else "--port"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = refused(tmp_path / "data", option, str(port), other, "0")

    assert str(port) in said
    assert "already in use" in said
    assert said.rstrip(".").endswith(option)


@pytest.mark.parametrize("secret", ["short", "x" * 64, "changeme"])
def test_a_weak_secret_is_refused(secret: str, tmp_path: Path) -> None:
    said = refused(tmp_path / "d", "--port", "0", "--agent-port", "0", OPSJOB_SECRET=secret)

    assert "OPSJOB_SECRET" in said
    assert secret not in said.replace("OPSJOB_SECRET", "")


def test_a_bad_log_level_is_refused(tmp_path: Path) -> None:
    ports = ("--port", "0", "--agent-port", "0")

    assert "LOG_LEVEL" in refused(tmp_path / "d", *ports, "--log-level", "loud")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPSJOB_EXECUTION_SWEEP_SECONDS", "-1"),
        ("OPSJOB_EXECUTION_LOST_SECONDS", "soon"),
        ("OPSJOB_EXECUTION_START_SECONDS", "5"),
        ("OPSJOB_DATABASE_POOL_SIZE", "0"),
        ("OPSJOB_AGENT_GATEWAY_HEARTBEAT_SECONDS", "0"),
        ("OPSJOB_GATEWAY_USER_RATE", "many"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, value: str, tmp_path: Path) -> None:
    """B120: at once, naming what is wrong; no process is left."""
    said = refused(
        tmp_path / "d", "--port", "0", "--agent-port", "0", "--no-agent", **{name: value}
    )

    assert name.rpartition("_")[2].lower() in said.lower()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Platform.start(data, "--no-agent").stop()
    with contextlib.closing(sqlite3.connect(data / "auth.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        database.commit()

    said = refused(data, "--port", "0", "--agent-port", "0")

    assert "newer version" in said


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "secret").write_text("0123456789abcdef" * 4)
    (data / "secret").chmod(0o644)

    assert "chmod 600" in refused(data, "--port", "0", "--agent-port", "0")


def test_a_lost_secret_is_not_replaced_while_there_is_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "auth.db").write_bytes(b"")

    assert "restore it" in refused(data, "--port", "0", "--agent-port", "0")


def test_data_of_a_newer_valkey_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "data" / "valkey" / "server.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"server": "valkey-server", "version": "99.0.0"}))

    said = refused(tmp_path / "data", "--port", "0", "--agent-port", "0")

    assert "99.0.0" in said
    assert "older" in said
    assert valkey.server_version(valkey.find_binary()) < (99, 0, 0)


def test_it_ends_in_order_and_starts_again_with_what_it_had(tmp_path: Path) -> None:
    """A path too long for a unix socket does no harm; the password stays the same."""
    data = tmp_path / ("a-rather-long-name-" * 5) / "data"
    data.parent.mkdir()
    first = Platform.start(data, "--no-agent")
    password = first.first_admin["password"]
    everybody = first.processes()
    url = first.url

    assert first.stop() == 0

    assert port_is_free(url)
    assert not [process for process in everybody if process.is_running()]
    assert not (data / "run" / "address.json").exists()
    second = Platform.start(data, "--no-agent")
    try:
        assert second.first_admin["password"] == password
        assert second.client().get("/api/auth/me/").json()["content"]["username"] == "admin"
        assert second.output.read_text().count(password) == 1, "shown at the first start alone"
    finally:
        assert second.stop() == 0


def test_everything_dies_with_the_supervisor(tmp_path: Path) -> None:
    running = Platform.start(tmp_path / "data")
    with contextlib.closing(running.client()) as client:
        running.wait_online(client)
    children = running.processes()[1:]

    running.process.kill()
    running.process.wait()

    survivors = eventually_sync(
        lambda: [each for each in children if _lives(each)] == [], timeout=20
    )
    assert survivors
    again = Platform.start(tmp_path / "data")
    assert again.stop() == 0


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_once_shows_a_first_script_and_stops(tmp_path: Path) -> None:
    done = subprocess.run(
        command_line(
            "up",
            "--data-dir",
            str(tmp_path / "data"),
            "--port",
            "0",
            "--agent-port",
            "0",
            "--first-run",
            "--once",
        ),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads((tmp_path / "data" / "first-admin.json").read_text())
    for part in ("part 5 of 5", "That was the first script.", "Console   http://127.0.0.1:"):
        assert part in done.stdout
    assert content["password"] in done.stdout
    assert "it stops now" in done.stdout


def test_once_without_an_agent_fails_instead_of_waiting_for_ever(tmp_path: Path) -> None:
    """Nobody can run the script, and Ctrl-C ends the wait with its own exit code."""
    waiting = Platform.start(tmp_path / "data", "--no-agent", "--first-run", "--once")

    waiting.process.send_signal(signal.SIGINT)

    assert waiting.process.wait(timeout=30) == 130


def test_an_error_of_another_service_keeps_the_language(admin: httpx.Client) -> None:
    answer = admin.post(
        "/api/quick/execute_script/",
        json={"script_content": "true", "target_host_ids": [2_000_000_000]},
        headers={"Accept-Language": "zh-CN"},
    )

    assert answer.json()["content"]["error"] == "host_not_found"
    assert not answer.json()["message"].isascii()
