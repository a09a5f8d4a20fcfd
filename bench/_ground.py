"""What several benchmarks stand on: a real embedded platform, real agents, a watcher."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.support.platform import Platform, clean_environment
from tests.support.waiting import eventually_sync

START_SECONDS = 120.0


@contextmanager
def platform(*options: str, **environment: str) -> Iterator[tuple[Platform, httpx.Client]]:
    """The embedded platform on a temporary folder, and its API as the first admin."""
    with tempfile.TemporaryDirectory(prefix="opsjob-bench-") as folder:
        running = Platform.start(Path(folder) / "data", *options, wait=True, **environment)
        try:
            yield running, running.client()
        finally:
            running.stop()


@contextmanager
def agents(running: Platform, client: httpx.Client, count: int) -> Iterator[list[int]]:
    """So many real agents with folders of their own; the ids of their hosts once all are online."""
    folder = running.data_dir.parent / "agents"
    folder.mkdir()
    started: list[subprocess.Popen[bytes]] = []
    try:
        for number in range(count):
            token = client.post("/api/agents/enrolment_tokens/", json={}).json()["content"]["token"]
            state = folder / f"{number:03d}"
            _agent(
                "enrol",
                "--gateway",
                running.agent_url,
                "--state",
                str(state),
                "--name",
                f"bench-{number:03d}",
                token=token,
            )
            started.append(_spawn(state))
        hosts = eventually_sync(
            lambda: _all_online(client, count), timeout=START_SECONDS, message="agents online"
        )
        yield hosts
    finally:
        for process in started:
            process.terminate()
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            if process.poll() is None:
                process.kill()
                process.wait()


def _agent(*arguments: str, token: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        input=token.encode(),
        env=clean_environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _spawn(state: Path) -> subprocess.Popen[bytes]:
    with (state / "agent.out").open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "agent", "run", "--state", str(state)],
            env=clean_environment(),
            stdout=out,
            stderr=out,
        )


def _all_online(client: httpx.Client, count: int) -> list[int]:
    answer = client.get("/api/hosts/", params={"agent_status": "online", "page_size": 200})
    rows = answer.json()["content"]["results"]
    return [row["id"] for row in rows] if len(rows) >= count else []


@dataclass
class Watched:
    """What a watcher of an execution saw, with times of `perf_counter`."""

    first_line: float = 0.0
    ended: float = 0.0
    status: str = ""
    lines: int = 0


def watch(client: httpx.Client, execution_id: str, kind: str = "combined") -> Watched:
    """Follow a stream to its end."""
    seen = Watched()
    path = f"/api/realtime/sse/{kind}/{execution_id}/"
    with client.stream("GET", path, timeout=httpx.Timeout(120)) as answer:
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
                if name == "log" and not seen.first_line:
                    seen.first_line = time.perf_counter()
            elif line.startswith("data: ") and name == "log":
                seen.lines += json.loads(line[6:])["text"].count("\n")
            elif line.startswith("data: ") and name == "end":
                seen.ended = time.perf_counter()
                seen.status = json.loads(line[6:])["status"]
                return seen
    raise RuntimeError("the stream ended without its last event")


def memory(process: psutil.Process) -> float:
    """Proportional set size in MB: shared pages count once."""
    return float(process.memory_full_info().pss) / 1e6


def pin(process: psutil.Process, core: int) -> None:
    """Keep a process on one core, where there are several."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {cores[core % len(cores)]})
