"""A process is killed while a script runs: nothing is lost, nothing runs twice."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.support.platform import Platform, clean_environment, command_line
from tests.support.waiting import eventually_sync

pytestmark = [pytest.mark.processes, pytest.mark.slow]

LINES = 60
KILL_AFTER_LINES = 8


def script(marker: Path) -> str:
    """About 13 s long; leaves a line in `marker` each time that it starts."""
    return (
        f"echo started >> '{marker}'\n"
        f'for n in $(seq 1 {LINES}); do echo "line $n of {LINES}"; sleep 0.2; done\n'
        "echo 'the end' >&2\n"
        "exit 0\n"
    )


@pytest.mark.parametrize("victim", ["control-plane", "agent-gateway", "valkey", "agent"])
def test_a_running_script_survives_kill_9(
    victim: str, platform: Platform, admin: httpx.Client, tmp_path: Path
) -> None:
    """Output complete and in order, the result arrives, and a watcher sees all of it."""
    host = platform.wait_online(admin)
    marker = tmp_path / "marker"
    source = tmp_path / "script.sh"
    source.write_text(script(marker))
    watcher = subprocess.Popen(
        command_line(
            "run",
            "--hosts",
            str(host["id"]),
            "--script",
            str(source),
            "--timeout",
            "120",
            "--data-dir",
            str(platform.data_dir),
        ),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdout
    seen = [watcher.stdout.readline() for _ in range(KILL_AFTER_LINES)]

    killed = platform.kill(victim)

    platform.wait_back(victim, killed)
    rest, said = watcher.communicate(timeout=90)
    lines = ("".join(seen) + rest).splitlines()
    name = host["name"]
    assert watcher.returncode == 0, said + platform.said()
    assert [line for line in lines if "the end" not in line] == [
        f"{name} | line {n} of {LINES}" for n in range(1, LINES + 1)
    ]
    assert lines.count(f"{name} | the end") == 1

    execution_id = said.split("execution ")[1].split()[0]
    record = platform.wait_ended(admin, execution_id)
    assert record["status"] == "success"
    stored = platform.stored_output(admin, execution_id)
    assert stored.splitlines() == [f"line {n} of {LINES}" for n in range(1, LINES + 1)]
    assert platform.stored_output(admin, execution_id, "stderr") == "the end\n"
    assert marker.read_text() == "started\n"
    assert eventually_sync(platform.is_ready, timeout=20)
    assert platform.wait_online(admin)["id"] == host["id"]
