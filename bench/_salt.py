"""Salt beside us: as many minions on this machine, asked through its LocalClient.

Needs a virtual environment with Salt (Python 3.10 fits its release best), named by the variable
OPSJOB_BENCH_SALT. Master and minions get folders of their own and are stopped afterwards.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.report import Figure

LIMIT_TIMES = 8.0
ROUNDS = 5
START_SECONDS = 300.0
_ASK = """
import json, sys, time
from salt.client import LocalClient
client = LocalClient(sys.argv[1])
for line in sys.stdin:
    began = time.perf_counter()
    answers = client.cmd("*", "cmd.run", ["echo hello"], timeout=60)
    good = sum(answer == "hello" for answer in answers.values())
    print(json.dumps([time.perf_counter() - began, good]), flush=True)
"""


def figures(count: int, ours: float) -> Iterator[Figure]:
    """The median of Salt, and how many times faster we were in the same run."""
    home = os.environ.get("OPSJOB_BENCH_SALT")
    if not home:
        raise SystemExit("PEERS=1 needs OPSJOB_BENCH_SALT, a virtual environment with Salt in it")
    with tempfile.TemporaryDirectory(prefix="opsjob-salt-") as folder:
        seconds = _measure(Path(home) / "bin", Path(folder), count)
    salt = median(seconds)
    yield Figure("fanout_salt_local_client", round(salt * 1000, 1), "ms", count)
    yield Figure("fanout_times_faster_than_salt", round(salt / ours, 1), "x", count, LIMIT_TIMES)


def _measure(binaries: Path, folder: Path, count: int) -> list[float]:
    master = folder / "master"
    started = [_start(binaries / "salt-master", master, _master_settings(master))]
    try:
        for number in range(count):
            place = folder / f"minion-{number:03d}"
            started.append(_start(binaries / "salt-minion", place, _minion_settings(place)))
        return _ask(binaries / "python", master / "master", count)
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(program: Path, folder: Path, settings: dict[str, object]) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    name = program.name.removeprefix("salt-")
    (folder / name).write_text(json.dumps(settings))
    return subprocess.Popen(
        [str(program), "-c", str(folder), "-l", "quiet"],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _master_settings(folder: Path) -> dict[str, object]:
    return {
        "root_dir": str(folder),
        "interface": "127.0.0.1",
        "publish_port": 24505,
        "ret_port": 24506,
        "auto_accept": True,
        "worker_threads": 5,
    }


def _minion_settings(folder: Path) -> dict[str, object]:
    return {
        "root_dir": str(folder),
        "id": folder.name,
        "master": "127.0.0.1",
        "publish_port": 24505,
        "master_port": 24506,
        "enable_fqdns_grains": False,
        "multiprocessing": False,
    }


def _ask(python: Path, settings: Path, count: int) -> list[float]:
    asker = subprocess.Popen(
        [str(python), "-c", _ASK, str(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asker.stdin is not None
    assert asker.stdout is not None
    seconds: list[float] = []
    deadline = time.monotonic() + START_SECONDS
    try:
        while len(seconds) < ROUNDS:
            if time.monotonic() > deadline:
                raise RuntimeError("Salt's minions did not all answer in time")
            asker.stdin.write("go\n")
            asker.stdin.flush()
            took, good = json.loads(asker.stdout.readline())
            if good == count:
                seconds.append(took)
    finally:
        asker.kill()
        asker.wait()
    return seconds
