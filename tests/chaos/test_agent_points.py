"""F22 to F29: the agent dies at each point of its journal, its disk refuses, its clock jumps."""

import asyncio
import os
import shutil
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from libs.protocol import messages as m
from libs.protocol.moments import instant
from tests.agent.conftest import AgentProcess
from tests.agent.gateway import NOW, lines
from tests.support.faults import Faults
from tests.support.faulty_libc import FaultyLibc
from tests.support.platform import clean_environment
from tests.support.waiting import eventually

pytestmark = pytest.mark.processes

# Where nobody can know whether the script had started when the agent died.
GAP = {"journal.granted", "journal.starting"}
POINTS = [
    "journal.received",
    "journal.granted",
    "journal.starting",
    "journal.launched",
    "journal.started",
    "journal.ended",
    "journal.exited",
    "result.acked",
]


def script(tmp_path: Path) -> str:
    """Leaves a mark, has output, takes a moment."""
    return f"echo $$ >> {tmp_path}/marker; echo hello; sleep 0.1; exit 3"


async def died(agent: AgentProcess) -> int:
    assert agent.process is not None
    return await asyncio.wait_for(agent.process.wait(), 15)


@pytest.mark.parametrize("point", POINTS)
async def test_f22_killed_at_each_point_of_the_journal_it_starts_nothing_twice(
    idle_agent: AgentProcess, tmp_path: Path, point: str
) -> None:
    agent, faults = idle_agent, Faults(tmp_path / "faults")
    agent.environment = clean_environment(**faults.environment)
    await agent.start()
    faults.arm(point, "exit")

    await agent.offer("t1", script(tmp_path))
    await died(agent)
    assert faults.has_fired(point)
    await agent.start()
    for _ in range(2):  # the platform offers again what it has no result of; old grants come again
        await agent.offer("t1", script(tmp_path))
        await agent.gateway.send(agent.gateway.grant("t1", 1))
    await eventually(lambda: agent.gateway.is_done("t1"), timeout=20)

    result, marks = agent.gateway.results["t1", 1], lines(tmp_path / "marker")
    if point in GAP:
        assert (result["outcome"], result["reason"]) == ("lost", "start_unknown")
        assert len(marks) <= 1
    else:
        assert (result["outcome"], result["exit_code"]) == ("exited", 3)
        assert agent.gateway.output("t1") == b"hello\n"
        assert len(marks) == 1


async def test_f28_a_journal_that_cannot_be_made_durable_starts_nothing(
    idle_agent: AgentProcess, faulty_libc: FaultyLibc, tmp_path: Path
) -> None:
    agent = idle_agent
    agent.environment = clean_environment(**faulty_libc.environment)
    await agent.start()
    faulty_libc.tell("sync", "/journal")

    await agent.offer("t1", script(tmp_path))
    assert await died(agent) != 0
    faulty_libc.end("sync")
    await agent.start()
    await agent.offer("t1", script(tmp_path))

    result = await agent.result_of("t1")
    assert (result["outcome"], result["reason"]) == ("lost", "start_unknown")
    assert lines(tmp_path / "marker") == []
    assert "Input/output error" in agent.log()
    await agent.run("t2", "true")


async def test_f27_a_full_disk_under_the_spool_loses_no_result_and_states_the_gap(
    idle_agent: AgentProcess, faulty_libc: FaultyLibc, tmp_path: Path
) -> None:
    agent = idle_agent
    agent.environment = clean_environment(**faulty_libc.environment)
    await agent.start()
    wait = f"while [ ! -e {tmp_path}/on ]; do sleep 0.02; done"
    body = f"seq 1 30000; touch {tmp_path}/half; {wait}; seq 1 300000; touch {tmp_path}/all"
    await agent.offer("t1", body)
    await eventually(lambda: (tmp_path / "half").exists(), timeout=20)

    faulty_libc.tell("write", "/tasks/t1.1/")
    (tmp_path / "on").touch()
    await eventually(lambda: (tmp_path / "all").exists(), timeout=20)
    faulty_libc.end("write")
    await eventually(lambda: agent.gateway.is_done("t1"), timeout=30)

    result = agent.gateway.results["t1", 1]
    stored = agent.gateway.streams["t1", 1, "stdout"]
    whole = "".join(f"{n}\n" for n in [*range(1, 30001), *range(1, 300001)]).encode()
    assert (result["outcome"], result["exit_code"]) == ("exited", 0)
    assert stored.offset == len(whole) == result["streams"]["stdout"]["bytes"]
    missing = sum(length for _, length, _ in stored.gaps)
    assert missing + len(stored.content) == len(whole)
    assert missing
    assert whole.startswith(bytes(stored.content[: stored.gaps[0][0]]))


async def test_f27_a_disk_that_is_full_when_a_script_starts_only_delays_the_news(
    idle_agent: AgentProcess, faulty_libc: FaultyLibc, tmp_path: Path
) -> None:
    """The note that it runs finds no room; its supervisor must not end of that."""
    agent = idle_agent
    agent.environment = clean_environment(**faulty_libc.environment)
    await agent.start()
    faulty_libc.tell("write", "/tasks/t1.1/started")
    wait = f"while [ ! -e {tmp_path}/on ]; do sleep 0.02; done"

    await agent.offer("t1", f"echo hello; {wait}; echo bye; exit 3")
    await eventually(lambda: agent.gateway.output("t1") == b"hello\n")
    assert not agent.gateway.of_type(m.Started)
    faulty_libc.end("write")
    await eventually(lambda: agent.gateway.of_type(m.Started))
    (tmp_path / "on").touch()
    await eventually(lambda: agent.gateway.is_done("t1"))

    result = agent.gateway.results["t1", 1]
    assert (result["outcome"], result["exit_code"]) == ("exited", 3)
    assert agent.gateway.output("t1") == b"hello\nbye\n"


@pytest.mark.parametrize("jump", [-86_400, 86_400], ids=["a day back", "a day ahead"])
async def test_f29_a_wall_clock_that_jumps_moves_no_time_limit_and_is_shown(
    idle_agent: AgentProcess, faulty_libc: FaultyLibc, jump: int
) -> None:
    agent = idle_agent
    agent.gateway.heartbeat_seconds = 0.2
    agent.environment = clean_environment(**faulty_libc.environment)
    await agent.start()
    await eventually(lambda: agent.gateway.of_type(m.Heartbeat))
    before = instant(agent.gateway.of_type(m.Heartbeat)[-1].at)
    await agent.offer("t1", "echo started; sleep 60", timeout_seconds=1.5)
    await eventually(lambda: agent.gateway.output("t1"))

    faulty_libc.tell("clock", str(jump))
    agent.gateway.authority.expires = (
        datetime.fromisoformat(NOW) + timedelta(hours=1)
    ).isoformat()  # by the platform's clock, which did not jump
    result = await agent.result_of("t1")

    assert result["outcome"] == "timeout"
    assert 1400 <= result["duration_ms"] <= 5000

    def shown() -> bool:
        skew = instant(agent.gateway.of_type(m.Heartbeat)[-1].at) - before
        return abs(skew - jump) < 3600

    await eventually(shown)
    assert (await agent.run("t2", "exit 5"))["exit_code"] == 5


async def test_f26_without_its_identity_an_agent_says_so_and_never_enrols_by_itself(
    agent: AgentProcess, tmp_path: Path
) -> None:
    """Its tasks are lost by silence (R39's timers); the host needs a new token."""
    await agent.offer("t1", f"echo $$ >> {tmp_path}/marker; sleep 30")
    (pid,) = await eventually(lambda: lines(tmp_path / "marker"))
    await agent.kill()
    shutil.rmtree(agent.state.root)
    sessions = len(agent.gateway.hellos)

    again = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "run", "--state", agent.state.root),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(again.communicate(), 15)

    assert again.returncode not in (None, 0)
    assert b"enrol" in said
    assert b"Traceback" not in said
    assert len(agent.gateway.hellos) == sessions
    assert lines(Path(agent.state.key)) == []
    os.kill(int(pid), signal.SIGKILL)
    agent.state.create()  # the fixture looks there for what is left
