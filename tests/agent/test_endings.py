"""How scripts end: by time, cancel, as another user, with all they started; how agents do."""

import asyncio
import contextlib
import os
import pwd
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.processes import all_pids
from libs.protocol import messages as m
from tests.agent.conftest import AgentProcess
from tests.support.waiting import eventually

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs scripts as other users")


def text_of(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def is_alive(pid: str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def close_to_others(folder: Path) -> None:
    folder.chmod(0o700)


async def test_time_is_limited_and_the_whole_tree_ends(agent: AgentProcess, tmp_path: Path) -> None:
    script = f"sleep 1000 & echo $! > {tmp_path}/child; echo started; sleep 1000"

    result = await agent.run("t1", script, timeout_seconds=0.5)

    assert (result["outcome"], result["signal"]) == ("timeout", 15)
    assert 450 <= result["duration_ms"] < 5000
    assert not is_alive(text_of(tmp_path / "child"))
    assert result["processes"]["left"] == 0
    assert agent.gateway.output("t1") == b"started\n"


DAEMON = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        open(sys.argv[1] + "/daemon", "w").write(str(os.getpid()))
        if sys.argv[2] == "closed":
            os.closerange(0, 100)
        time.sleep(1000)
    os._exit(0)
while not os.path.exists(sys.argv[1] + "/daemon"):
    time.sleep(0.01)
print("main", flush=True)
if sys.argv[2] == "wait":
    time.sleep(1000)
"""


async def test_cancel_ends_even_a_daemon_that_ignores_term(
    agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.offer("t1", DAEMON, script_type="python", args=(str(tmp_path), "wait"))
    await eventually(lambda: agent.gateway.output("t1") == b"main\n")
    began = time.monotonic()

    await agent.gateway.send(m.Cancel("t1", 1, "user", 0.5))
    await eventually(lambda: agent.gateway.is_done("t1"))

    result = agent.gateway.results["t1", 1]
    assert (result["outcome"], result["reason"], result["signal"]) == ("cancelled", "user", 9)
    assert time.monotonic() - began < 5
    assert not is_alive(text_of(tmp_path / "daemon"))
    assert result["processes"]["found"] >= 2
    assert result["processes"]["left"] == 0


@pytest.mark.parametrize("output", ["open", "closed"])
async def test_a_descendant_that_stays_does_not_hold_the_result_back(
    agent: AgentProcess, tmp_path: Path, output: str
) -> None:
    began = time.monotonic()

    result = await agent.run("t1", DAEMON, script_type="python", args=(str(tmp_path), output))

    assert (result["outcome"], result["exit_code"]) == ("exited", 0)
    assert time.monotonic() - began < 6
    assert not is_alive(text_of(tmp_path / "daemon"))
    assert result["processes"] == {"found": 1, "signalled": 1, "left": 0}


async def test_a_child_that_ends_soon_may_finish_its_output(agent: AgentProcess) -> None:
    result = await agent.run("t1", "(sleep 0.1; echo late) & echo early")

    assert agent.gateway.output("t1") == b"early\nlate\n"
    assert result["processes"]["signalled"] == 0


async def test_a_cancel_right_after_the_grant_is_not_lost(agent: AgentProcess) -> None:
    agent.gateway.grants = False
    await agent.offer("t1", "sleep 1000")
    await eventually(lambda: agent.gateway.of_type(m.Claim))
    await agent.gateway.send(agent.gateway.grant("t1", 1))
    await agent.gateway.send(m.Cancel("t1", 1, "user", 5))

    await eventually(lambda: agent.gateway.is_done("t1"))

    assert agent.gateway.results["t1", 1]["outcome"] == "cancelled"


async def test_no_more_scripts_run_at_once_than_allowed(
    idle_agent: AgentProcess, tmp_path: Path
) -> None:
    idle_agent.options = ("--concurrency", "3")
    await idle_agent.start()
    script = f"""
        echo $$ > {tmp_path}/run-$$; ls {tmp_path} | grep -c run- >> {tmp_path}/seen
        sleep 0.05; rm {tmp_path}/run-$$"""

    for number in range(12):
        await idle_agent.offer(f"t{number}", script)
    await eventually(lambda: len(idle_agent.gateway.results) == 12, timeout=30)

    assert max(map(int, (tmp_path / "seen").read_text().split())) <= 3
    claims = [claim.task_id for claim in idle_agent.gateway.of_type(m.Claim)]
    assert list(dict.fromkeys(claims)) == [f"t{number}" for number in range(12)]


@needs_root
async def test_a_script_runs_wholly_as_the_other_user(agent: AgentProcess) -> None:
    script = "id -u; id -G; grep -E '^(Uid|Gid)' /proc/self/status; echo $HOME $USER; touch mine"
    nobody = pwd.getpwnam("nobody")

    result = await agent.run("t1", script, run_as="nobody")

    lines = agent.gateway.output("t1").decode().splitlines()
    assert result["exit_code"] == 0, agent.gateway.output("t1", "stderr")
    assert lines[0] == str(nobody.pw_uid)
    assert set(lines[1].split()) == {str(g) for g in os.getgrouplist("nobody", nobody.pw_gid)}
    assert set(lines[2].split()[1:]) == {str(nobody.pw_uid)}
    assert set(lines[3].split()[1:]) == {str(nobody.pw_gid)}
    assert lines[4] == f"{nobody.pw_dir} nobody"


@needs_root
async def test_another_user_cannot_read_the_agents_state(agent: AgentProcess) -> None:
    await agent.run("t1", f"ls {agent.state.root}; cat {agent.state.key}", run_as="nobody")

    assert agent.gateway.output("t1") == b""


@needs_root
async def test_a_folder_closed_to_the_user_fails_the_start(
    agent: AgentProcess, tmp_path: Path
) -> None:
    close_to_others(tmp_path)

    result = await agent.run("t1", "true", run_as="nobody", cwd=str(tmp_path))

    assert (result["outcome"], result["reason"]) == ("failed_to_start", "cwd_failed")


@needs_root
async def test_a_cancelled_tree_of_another_user_ends(agent: AgentProcess, tmp_path: Path) -> None:
    await agent.offer("t1", "sleep 1000 & setsid sleep 1001 & echo go; wait", run_as="nobody")
    await eventually(lambda: agent.gateway.output("t1") == b"go\n")

    await agent.gateway.send(m.Cancel("t1", 1, "user", 0.3))
    await eventually(lambda: agent.gateway.is_done("t1"))

    assert agent.gateway.results["t1", 1]["processes"]["left"] == 0
    assert sleepers() == []


def sleepers() -> list[int]:
    found = []
    for pid in all_pids():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"sleep\x001001"):
            found.append(pid)
    return found


async def test_a_script_may_kill_its_parent_only_if_the_result_stays_true(
    agent: AgentProcess,
) -> None:
    await agent.offer("t1", "sleep 0.5; kill -9 $PPID; sleep 1000")

    await eventually(lambda: ("t1", 1) in agent.gateway.results, timeout=15)

    result = agent.gateway.results["t1", 1]
    assert (result["outcome"], result["reason"]) == ("lost", "shim_lost")
    assert (result["exit_code"], result["signal"]) == (None, None)
    assert result["processes"]["left"] == 0
    await agent.run("t2", "true")


async def test_it_stops_on_term_while_scripts_go_on(agent: AgentProcess, tmp_path: Path) -> None:
    go_on = tmp_path / "go"
    await agent.offer("t1", f"echo one; while [ ! -e {go_on} ]; do sleep 0.01; done; echo two")
    await eventually(lambda: agent.gateway.output("t1") == b"one\n")
    assert agent.process is not None

    os.kill(agent.pid, signal.SIGTERM)
    assert await agent.process.wait() == 0
    assert agent.gateway.of_type(m.Bye)

    go_on.touch()
    await agent.start()
    await eventually(lambda: agent.gateway.is_done("t1"))
    assert agent.gateway.output("t1") == b"one\ntwo\n"


async def test_told_to_stop_while_it_is_welcomed_it_stops(idle_agent: AgentProcess) -> None:
    """Both come at one moment: the welcome must not hide the signal, as `wait_for` once let it."""
    agent = idle_agent

    @contextlib.contextmanager
    def at_one_moment() -> Iterator[None]:
        os.kill(agent.pid, signal.SIGSTOP)
        yield
        os.kill(agent.pid, signal.SIGTERM)
        os.kill(agent.pid, signal.SIGCONT)

    agent.gateway.around_welcome = at_one_moment
    for _ in range(2):  # which of the two is seen first is chance
        await agent.start()
        assert agent.process is not None
        await asyncio.wait_for(agent.process.wait(), 5)
