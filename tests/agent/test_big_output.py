"""However much a script writes, memory stays bounded, and a limit cuts or ends as was asked."""

import hashlib
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent.processes import descendants
from libs.protocol import messages as m
from tests.agent.conftest import AgentProcess
from tests.agent.gateway import StoredStream
from tests.support.waiting import eventually

MIB = 1024 * 1024
AGENT_MIB, SHIM_MIB = 48, 48
"""What each process may ever hold; far below what is written."""


@dataclass
class HashedStream(StoredStream):
    """Keeps no bytes, so that the gateway of the test does not need a gigabyte itself."""

    digest: Any = field(default_factory=hashlib.sha256)

    def chunk(self, header: m.Output, payload: bytes) -> bool:
        if header.seq != self.seq:
            return False
        assert header.offset == self.offset
        self.digest.update(payload)
        self.seq, self.offset = self.seq + 1, self.offset + header.length
        return True


def peaks(pid: int) -> dict[str, int]:
    """The most memory that each process of an agent ever had, in MiB, by its name."""
    found: dict[str, int] = {}
    for member in {pid, *descendants(pid)}:
        try:
            name = Path(f"/proc/{member}/cmdline").read_bytes().rstrip(b"\0").decode()
            status = Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        if name.startswith("opsjob-agent") and "VmHWM:" in status:
            kib = int(status.split("VmHWM:")[1].split()[0])
            found[name] = max(found.get(name, 0), kib // 1024)
    return found


def size_of(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*"))


async def run(agent: AgentProcess, script: str, **changes: Any) -> dict[str, int]:
    """Run a script that writes a lot; the peaks of the agent's processes meanwhile."""
    agent.gateway.streams = defaultdict(HashedStream)
    await agent.offer("t1", script, timeout_seconds=600, **changes)
    most: dict[str, int] = {}

    def is_done() -> bool:
        for name, size in peaks(agent.pid).items():
            most[name] = max(most.get(name, 0), size)
        return agent.gateway.is_done("t1")

    await eventually(is_done, timeout=400)
    return most


SCRIPTS = {
    "lines": "yes 'a line of output with some words in it' | head -c {size}",
    "no newline": "head -c {size} /dev/zero | tr '\\0' x",
    "random bytes": "head -c {size} /dev/urandom",
    "standard error": "head -c {size} /dev/zero | tr '\\0' e >&2",
}
_SMALL = [(name, 40 * MIB) for name in SCRIPTS]
_LARGE = [("lines", 1024 * MIB), ("no newline", 300 * MIB), ("random bytes", 50 * MIB)]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        *_SMALL,
        *(pytest.param(*case, marks=pytest.mark.slow, id=f"{case[0]}-large") for case in _LARGE),
    ],
)
async def test_memory_stays_bounded_and_every_byte_arrives(
    agent: AgentProcess, name: str, size: int
) -> None:
    if size > 40 * MIB and not os.environ.get("OPSJOB_LARGE"):
        pytest.skip("set OPSJOB_LARGE=1 to write a gigabyte")

    most = await run(agent, SCRIPTS[name].format(size=size))

    stream = "stderr" if name == "standard error" else "stdout"
    total = agent.gateway.results["t1", 1]["streams"][stream]
    stored = agent.gateway.streams["t1", 1, stream]
    assert isinstance(stored, HashedStream)
    assert total["bytes"] == size
    if not stored.gaps:
        assert stored.digest.hexdigest() == total["sha256"]
    assert {reason for _, _, reason in stored.gaps} <= {"spool_full"}
    assert most["opsjob-agent"] <= AGENT_MIB
    assert max(size for name, size in most.items() if "shim" in name) <= SHIM_MIB


async def test_memory_stays_bounded_while_nobody_takes_the_output(
    idle_agent: AgentProcess,
) -> None:
    idle_agent.options = ("--spool-mib", "8")
    idle_agent.gateway.stores = False
    await idle_agent.start()
    await idle_agent.offer("t1", SCRIPTS["lines"].format(size=200 * MIB))

    await idle_agent.result_of("t1")

    most = peaks(idle_agent.pid)
    assert max(most.values()) <= AGENT_MIB
    assert size_of(idle_agent.state.tasks) <= 10 * MIB
    idle_agent.gateway.stores = True
    await eventually(lambda: idle_agent.gateway.is_done("t1"), timeout=30)
    ((_, _, reason),) = idle_agent.gateway.streams["t1", 1, "stdout"].gaps
    assert reason == "spool_full"


async def test_a_cut_is_stated_and_the_script_goes_on(agent: AgentProcess, tmp_path: Path) -> None:
    script = f"yes | head -c 3000000; echo last; touch {tmp_path}/on"

    result = await agent.run("t1", script, max_output_bytes=MIB)

    assert (result["outcome"], result["exit_code"], result["reason"]) == ("exited", 0, "")
    assert result["warnings"] == [{"code": "truncated", "name": "stdout"}]
    assert (tmp_path / "on").exists()
    stream = agent.gateway.streams["t1", 1, "stdout"]
    ((_, length, reason),) = stream.gaps
    assert reason == "output_limit"
    assert len(stream.content) + length == 3_000_005
    assert len(stream.content) <= MIB
    assert stream.content.endswith(b"last\n")


@pytest.mark.parametrize("script", ["yes", "trap '' TERM; yes", "trap 'exit 0' TERM; yes"])
async def test_a_script_that_writes_too_much_is_ended_if_that_was_asked(
    agent: AgentProcess, script: str
) -> None:
    result = await agent.run(
        "t1", script, max_output_bytes=MIB, on_output_limit="fail", timeout_seconds=60
    )

    assert (result["outcome"], result["reason"]) == ("exited", "output_limit")
    assert result["processes"]["left"] == 0
    assert result["duration_ms"] < 15_000
    assert len(agent.gateway.output("t1")) <= 2 * MIB


async def test_one_that_wrote_too_much_and_is_over_has_failed_too(agent: AgentProcess) -> None:
    result = await agent.run(
        "t1", "head -c 60000 /dev/zero", max_output_bytes=50_000, on_output_limit="fail"
    )

    assert (result["outcome"], result["reason"]) == ("exited", "output_limit")


async def test_one_within_the_limit_is_not_touched(agent: AgentProcess) -> None:
    result = await agent.run(
        "t1", "head -c 50000 /dev/zero", max_output_bytes=50_000, on_output_limit="fail"
    )

    assert (result["exit_code"], result["reason"]) == (0, "")
    assert "warnings" not in result
