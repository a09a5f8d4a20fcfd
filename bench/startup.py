"""From the start of `opsjob up` to the first ready answer, and the memory of the idle platform.

`make bench ONLY=startup [N=repetitions]`. The folder is migrated beforehand. Limits: 3 s until
/health/ready answers 200, and 300 MB PSS for all processes together, the local agent included.
"""

import contextlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx
import psutil

from bench._ground import memory
from bench.report import Figure
from tests.support.platform import Platform, clean_environment, command_line

LIMIT_SECONDS = 3.0
LIMIT_MB = 300.0
IDLE_SECONDS = 15.0


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """The median of `n` (default 5) starts; then the processes after a while of doing nothing."""
    repetitions = n or 5
    with tempfile.TemporaryDirectory(prefix="opsjob-bench-") as folder:
        data = Path(folder) / "data"
        Platform.start(data).stop()  # migrates, makes the first admin, enrols the agent
        seconds = [_start(data) for _ in range(repetitions)]
        yield Figure("start_to_ready", round(median(seconds), 2), "s", repetitions, LIMIT_SECONDS)
        running = Platform.start(data)
        try:
            running.wait_online(running.client())
            time.sleep(IDLE_SECONDS)
            yield from _memory(running)
        finally:
            running.stop()


def _start(data: Path) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = command_line("up", "--data-dir", str(data), "--port", str(port), "--agent-port", "0")
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() - began < 60:
            with contextlib.suppress(httpx.HTTPError):
                ready = f"http://127.0.0.1:{port}/health/ready"
                if httpx.get(ready, timeout=2, trust_env=False).status_code == 200:
                    return time.perf_counter() - began
            time.sleep(0.01)
    finally:
        process.terminate()
        process.wait(timeout=30)
    raise RuntimeError("the platform did not become ready")


def _memory(running: Platform) -> Iterator[Figure]:
    total = 0.0
    for process in running.processes():
        with contextlib.suppress(psutil.Error):
            used = memory(process)
            total += used
            name = " ".join(process.cmdline())[:40].replace("opsjob: ", "").strip()
            resident = process.memory_info().rss / 1e6
            yield Figure(f"idle_pss[{name}]", round(used, 1), "MB", 1)
            yield Figure(f"idle_rss[{name}]", round(resident, 1), "MB", 1)
    yield Figure("idle_pss_all", round(total, 1), "MB", 1, LIMIT_MB)
