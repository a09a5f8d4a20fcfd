"""What a task may use, and that nothing of it survives, with every kind of cgroups and without."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from agent.cgroups import CgroupRoot, find_root
from agent.journal import read_records
from agent.ledger import Entry
from agent.processes import all_pids
from libs.protocol import messages as m
from libs.protocol.orders import Limits
from tests.agent.conftest import AgentProcess
from tests.support.waiting import eventually

MIB = 1024 * 1024
DEADLINE_SECONDS = 15
"""After a cancel or a timeout nothing of a task may live for longer."""
USER = "nobody" if os.geteuid() == 0 else None
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs scripts as other users")


@pytest.fixture(params=["auto", "v1", "v2", "none"])
def flavour(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    if kind != "none" and find_root(kind) is None:
        pytest.skip(f"no cgroups {kind} in which this user may make groups on this host")
    return kind


@pytest.fixture
async def agent(idle_agent: AgentProcess, flavour: str) -> AgentProcess:
    idle_agent.options = ("--cgroups", flavour)
    idle_agent.environment = {"PATH": "/usr/bin:/bin"}  # programs that every user can start
    await idle_agent.start()
    return idle_agent


def root_of(flavour: str) -> CgroupRoot | None:
    return None if flavour == "none" else find_root(flavour)


def has_controller(flavour: str, name: str) -> bool:
    root = root_of(flavour)
    return root is not None and name in root.controllers


def processes_with(word: str) -> list[int]:
    """Living processes whose command line holds a word."""
    found = []
    for pid in all_pids():
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in line and state not in "ZX" and pid != os.getpid():
            found.append(pid)
    return found


def groups_of(agent: AgentProcess, flavour: str) -> list[str]:
    """The groups of its tasks that exist, in any hierarchy."""
    root = root_of(flavour)
    if root is None:
        return []
    folders = {root.path, *(place.path for place in root.controllers.values())}
    names = {f"opsjob-{entry.mark}" for entry in read_entries(agent)}
    return [name for path in folders for name in os.listdir(path) if name in names]


def read_entries(agent: AgentProcess) -> list[Entry]:
    """All that its journal ever said about the starts of tasks."""
    records = read_records(Path(agent.state.journal).read_bytes()).records
    said = [json.loads(record.body) for record in records]
    return [Entry(**{"state": "", **body}) for body in said if "task_id" in body]


TREES = {
    "double fork": """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: time.sleep(1000)
            os._exit(0)
    """,
    "ignored term": """
        import os, signal, time
        for n in range(1, 65):
            try: signal.signal(n, signal.SIG_IGN)
            except (OSError, ValueError): pass
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        os.fork()
    """,
    "other sessions": """
        import os, time
        for n in range(5):
            if os.fork() == 0:
                os.setsid(); os.setpgid(0, 0) if os.getpid() != os.getsid(0) else None
                time.sleep(1000)
    """,
    "closed files": """
        import os, time
        if os.fork() == 0:
            os.setsid(); os.closerange(0, 256); os.chdir("/")
            time.sleep(1000)
    """,
    "stopped": """
        import os, signal, time
        for n in range(3):
            if os.fork() == 0: os.kill(os.getpid(), signal.SIGSTOP); time.sleep(1000)
    """,
    "emptied environment": """
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                program = "import time; time.sleep(1000)"
                os.execve(sys.executable, ["python", "-c", program, sys.argv[1]], {})
            os._exit(0)
    """,
    "parent gone": """
        import os, time
        for n in range(4):
            if os.fork() == 0:
                if os.fork() == 0: os.setsid(); time.sleep(1000)
                os._exit(0)
        time.sleep(0.2)
    """,
    "new ones all the time": """
        import os, signal, time
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        if os.fork() == 0:
            while True:
                if os.fork(): os._exit(0)
                os.setsid()
    """,
}


def tree_script(name: str) -> str:
    lines = TREES[name].strip("\n").splitlines()
    body = "\n".join(line[8:] for line in lines)
    return f"{body}\nprint('ready', flush=True)\nimport time\ntime.sleep(1000)\n"


TIMED = ("double fork", "ignored term", "stopped", "new ones all the time")
"""The ways of escape that are tried with a timeout as well: the end is the same code."""


@pytest.mark.parametrize(
    ("name", "how"),
    [*((name, "cancel") for name in TREES), *((name, "timeout") for name in TIMED)],
)
async def test_nothing_survives(agent: AgentProcess, flavour: str, name: str, how: str) -> None:
    word = f"opsjob-test-{os.urandom(6).hex()}"
    changes: dict[str, Any] = {"timeout_seconds": 1.0} if how == "timeout" else {}
    await agent.offer(
        "t1", tree_script(name), script_type="python", args=(word,), run_as=USER, **changes
    )
    if how == "cancel":
        await eventually(lambda: b"ready" in agent.gateway.output("t1"), timeout=10)
        await agent.gateway.send(m.Cancel("t1", 1, "user", 1.0))
    began = time.monotonic()

    await eventually(lambda: agent.gateway.is_done("t1"), timeout=30)

    assert time.monotonic() - began < DEADLINE_SECONDS
    result = agent.gateway.results["t1", 1]
    assert result["outcome"] == {"cancel": "cancelled"}.get(how, how)
    assert result["processes"]["left"] == 0
    assert processes_with(word) == []
    await eventually(lambda: not groups_of(agent, flavour))  # removed after the end was told


BOMB = """
import os, sys
print("ready", flush=True)
while True:
    try: os.fork()
    except OSError: pass
"""


@needs_root
@pytest.mark.parametrize("how", ["cancel", "timeout"])
async def test_a_fork_bomb_stays_within_its_limit_and_ends(
    agent: AgentProcess, flavour: str, how: str
) -> None:
    word = f"opsjob-test-{os.urandom(6).hex()}"
    limit = 40
    await agent.offer(
        "t1", BOMB, script_type="python", args=(word,), run_as="nobody",
        limits=Limits(max_processes=limit), timeout_seconds=1.5 if how == "timeout" else 60,
    )  # fmt: skip

    def has_gone_off() -> bool:
        # Beside a bomb nobody looks often: its time may be over before anybody has counted.
        is_over = how == "timeout" and agent.gateway.is_done("t1")
        return is_over or len(processes_with(word)) >= limit // 2

    await eventually(has_gone_off, timeout=20)
    if how == "cancel":
        await agent.gateway.send(m.Cancel("t1", 1, "user", 1.0))
    began = time.monotonic()
    counts = [limit // 2]

    def is_over() -> bool:
        counts.append(len(processes_with(word)))
        return agent.gateway.is_done("t1")

    await eventually(is_over, timeout=DEADLINE_SECONDS)

    assert time.monotonic() - began < DEADLINE_SECONDS
    is_counted_by_the_kernel = has_controller(flavour, "pids")
    assert max(counts) <= limit or not is_counted_by_the_kernel
    assert max(counts) <= limit * 10
    assert agent.gateway.results["t1", 1]["processes"]["left"] == 0
    assert processes_with(word) == []
    assert (await agent.run("t2", "echo still here"))["exit_code"] == 0


HOG = """
import sys, time
kept = []
for step in range(300):
    kept.append(bytearray(b"x") * (4 * 1024 * 1024))
    time.sleep(0.003)
print("not stopped")
"""


async def test_a_task_beyond_its_memory_fails_and_the_agent_does_not(
    agent: AgentProcess, flavour: str
) -> None:
    result = await agent.run(
        "t1", HOG, script_type="python", limits=Limits(memory_bytes=128 * MIB), run_as=USER
    )

    assert b"not stopped" not in agent.gateway.output("t1")
    assert result["outcome"] == "exited"
    if has_controller(flavour, "memory"):
        assert (result["reason"], result["signal"]) == ("oom", 9)
    else:
        assert result["reason"] == "oom" or b"MemoryError" in agent.gateway.output("t1", "stderr")
    assert (await agent.run("t2", "echo still here"))["exit_code"] == 0


async def test_memory_is_counted_for_the_whole_tree(agent: AgentProcess) -> None:
    one = "head -c 60m /dev/zero | tail -c 60m | (sleep 3; wc -c)"
    script = f"for n in 1 2 3 4 5 6; do {one} & done; wait"

    result = await agent.run("t1", script, limits=Limits(memory_bytes=128 * MIB), run_as=USER)

    notices = [notice["code"] for notice in result.get("warnings", ())]
    assert result["reason"] == "oom" or "oom_kill" in notices
    assert result["processes"]["left"] == 0


async def test_a_child_that_the_kernel_ended_is_noted_if_the_script_went_on(
    agent: AgentProcess, flavour: str
) -> None:
    root = root_of(flavour)
    if root is None or "memory" not in root.controllers or root.controllers["memory"].is_v2:
        pytest.skip("only a memory group of version 1 ends one process of a task alone")
    script = "head -c 200m /dev/zero | tail -c 200m > /dev/null; echo went on"

    result = await agent.run("t1", script, limits=Limits(memory_bytes=64 * MIB))

    assert (result["exit_code"], result["reason"]) == (0, "")
    assert result["warnings"] == [{"code": "oom_kill", "name": ""}]
    assert agent.gateway.output("t1") == b"went on\n"


async def test_open_files_are_limited_for_each_process(agent: AgentProcess) -> None:
    result = await agent.run("t1", "ulimit -n; ulimit -Hn", limits=Limits(open_files=64))

    assert agent.gateway.output("t1") == b"64\n64\n"
    assert result["exit_code"] == 0


async def test_the_processor_is_shared_or_it_is_said_that_it_is_not(
    agent: AgentProcess, flavour: str
) -> None:
    script = """
import time
end = time.monotonic() + 1
while time.monotonic() < end: pass
print(time.process_time())
"""

    result = await agent.run("t1", script, script_type="python", limits=Limits(cpu_percent=20))

    if has_controller(flavour, "cpu"):
        assert float(agent.gateway.output("t1")) < 0.5
        assert "warnings" not in result
    else:
        assert result["warnings"] == [{"code": "limit_not_enforced", "name": "cpu_percent"}]


async def test_a_task_within_its_limits_ends_as_any_other(
    agent: AgentProcess, flavour: str
) -> None:
    limits = Limits(memory_bytes=256 * MIB, max_processes=200, cpu_percent=200, open_files=256)

    result = await agent.run("t1", "echo one; exit 3", limits=limits, run_as=USER)

    assert (result["exit_code"], result["reason"]) == (3, "")
    assert agent.gateway.output("t1") == b"one\n"
    await eventually(lambda: not groups_of(agent, flavour))  # removed after the end was told
