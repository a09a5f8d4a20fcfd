"""A real agent process on a state folder of its own, and a gateway that it connects to."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.processes import descendants, start_time
from agent.records import read_started
from agent.state import StateFolder
from libs.protocol.messages import Offer
from tests.agent.gateway import Gateway, gateway_for, order
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@dataclass
class AgentProcess:
    """One agent with its state folder; started and killed as often as a test likes."""

    state: StateFolder
    gateway: Gateway
    options: tuple[str, ...] = ()
    environment: dict[str, str] | None = None
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait for its session."""
        sessions = len(self.gateway.hellos)
        log = (Path(self.state.root) / "agent.log").open("ab")
        with log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "agent", "run", "--state", self.state.root),
                *self.options,
                cwd=ROOT,
                env=self.environment,
                stderr=log,
            )
        await eventually(lambda: len(self.gateway.hellos) > sessions, timeout=15)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """SIGTERM, as a supervisor does."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 10)

    def companion(self, name: str) -> int:
        """The pid of `spawner` or `signer`."""
        for pid in _children(self.pid):
            with contextlib.suppress(FileNotFoundError):
                if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        raise AssertionError(f"no {name}")

    async def offer(self, task_id: str, script: str, **changes: Any) -> None:
        """Offer one script."""
        await self.gateway.send(Offer(order(task_id, script, **changes)))

    async def run(self, task_id: str, script: str, **changes: Any) -> dict[str, Any]:
        """Offer a script and wait for its result and all its output."""
        await self.offer(task_id, script, **changes)
        await eventually(lambda: self.gateway.is_done(task_id), timeout=30)
        return self.gateway.results[task_id, 1]

    async def sessions(self, count: int) -> None:
        """Wait for that many sessions since the gateway began."""
        await eventually(lambda: len(self.gateway.hellos) >= count, timeout=15)

    async def result_of(self, task_id: str) -> dict[str, Any]:
        """Wait for the result of a first attempt, not for its output."""
        await eventually(lambda: (task_id, 1) in self.gateway.results, timeout=15)
        return self.gateway.results[task_id, 1]

    def log(self) -> str:
        """What the agent wrote to stderr."""
        return (Path(self.state.root) / "agent.log").read_text()


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway_for(StateFolder(str(tmp_path / "state"))) as gateway:
        yield gateway


@pytest.fixture
async def idle_agent(tmp_path: Path, gateway: Gateway) -> AsyncIterator[AgentProcess]:
    """An agent that is enrolled and not started."""
    agent = AgentProcess(StateFolder(str(tmp_path / "state")), gateway)
    yield agent
    await agent.stop()
    _end_shims(agent.state)


def _end_shims(state: StateFolder) -> None:
    """Shims and scripts of tests that killed the agent; they are found by their tasks' folders."""
    for name in os.listdir(state.tasks):
        started = read_started(state.task(name))
        if started is not None and start_time(started.shim_pid) == started.shim_start:
            sweep_descendants(started.shim_pid)


def sweep_descendants(pid: int) -> None:
    """Kill a process and everything below it."""
    for member in (*descendants(pid), pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


@pytest.fixture
async def agent(idle_agent: AgentProcess) -> AgentProcess:
    """An agent with an open session."""
    await idle_agent.start()
    return idle_agent
