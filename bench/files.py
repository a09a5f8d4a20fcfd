"""One file to many real agents, beside plain streaming of the same bytes over loopback.

`make bench ONLY=files [N=agents]`. Wanted: at least 60 % of the plain rate with 100 MB to 20
agents, checksums verified; with a limit of 5 MB/s per host, a rate within 10 % of it. Both sides
take turns in one run. Ours begins with the POST and ends when every task has succeeded, so starting
the programs, the checksum, the wait for the disk and the renaming are in it; the plain side has
ready processes that only copy from a socket into a file. A third side, the same ready processes
with checksum and fsync, says how much of the difference is the price of what is promised; a fourth
is the bare disk, which whoever waits for it cannot beat.
"""

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx

from bench import _disk
from bench._ground import agents, platform, watch
from bench.report import Figure
from tests.support.platform import Platform

SIZE = 100_000_000
WANTED_PERCENT = 60.0
LIMIT_MB = 5.0
LIMITED_SIZE = 50_000_000
LIMITED_HOSTS = 4
TURNS = 5


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """Rates over all hosts together, in MB/s (1,000,000 bytes), as medians of the turns."""
    count = n or 20
    with (
        platform("--no-agent") as (running, client),
        agents(running, client, count) as hosts,
    ):
        source = running.data_dir.parent / "source"
        source.write_bytes(os.urandom(SIZE))
        file_id = upload(client, source)
        plain, checked, ours, disk = [], [], [], []
        for _ in range(TURNS):
            warm(source.parent, SIZE * len(hosts))
            plain.append(plain_copies(source, len(hosts)))
            warm(source.parent, SIZE * len(hosts))
            checked.append(plain_copies(source, len(hosts), "checked"))
            warm(source.parent, SIZE * len(hosts))
            ours.append(transfer(running, client, file_id, hosts))
            disk.append(_disk.seconds(source.parent, SIZE * len(hosts)))
        total = SIZE * len(hosts) / 1e6
        ratio = median(100 * p / o for p, o in zip(plain, ours, strict=True))
        yield Figure("files_rate", round(total / median(ours), 1), "MB/s", TURNS)
        yield Figure("files_plain_rate", round(total / median(plain), 1), "MB/s", TURNS)
        yield Figure("files_checked_rate", round(total / median(checked), 1), "MB/s", TURNS)
        yield Figure("files_disk_rate", round(total / median(disk), 1), "MB/s", TURNS)
        yield Figure("files_of_plain", round(ratio, 1), "%", TURNS, WANTED_PERCENT)
        small = running.data_dir.parent / "limited"
        small.write_bytes(os.urandom(LIMITED_SIZE))
        rates = limited(running, client, upload(client, small), hosts[:LIMITED_HOSTS])
        yield Figure("files_limited_slowest", round(min(rates), 2), "MB/s", len(rates))
        yield Figure("files_limited_fastest", round(max(rates), 2), "MB/s", len(rates))


def warm(folder: Path, size: int) -> None:
    """Use as much memory for files as a turn will, and free it again.

    A virtual machine may give free memory back to its host; whoever comes next then pays for
    getting it, which made the same transfer last 2.3 or 3.8 seconds. Now no side pays.
    """
    piece = bytes(1024 * 1024)
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(size // len(piece)):
            file.write(piece)


def upload(client: httpx.Client, source: Path) -> str:
    """The file in the library, in pieces."""
    content = source.read_bytes()
    body = {
        "name": source.name,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    shown = client.post("/api/files/uploads/", json=body).json()["content"]
    place = f"/api/files/uploads/{shown['upload_id']}/"
    while shown["offset"] < len(content):
        piece = content[shown["offset"] : shown["offset"] + shown["chunk_bytes"]]
        answer = client.put(place, params={"offset": shown["offset"]}, content=piece)
        shown = answer.raise_for_status().json()["content"]
    return str(client.post(f"{place}complete/").raise_for_status().json()["content"]["id"])


def transfer(running: Platform, client: httpx.Client, file_id: str, hosts: list[int]) -> float:
    """Seconds from the POST until every task has succeeded; every file is then checked."""
    with tempfile.TemporaryDirectory(dir=running.data_dir.parent) as folder:
        began = time.perf_counter()
        execution_id = _post(client, file_id, hosts, f"{folder}/${{HOST}}/file")
        watch(client, execution_id, "status")
        took = time.perf_counter() - began
        _check(client, execution_id, len(hosts))
        if sum(path.stat().st_size for path in Path(folder).glob("*/file")) != SIZE * len(hosts):
            raise RuntimeError("a file is not whole")
    return took


def limited(running: Platform, client: httpx.Client, file_id: str, hosts: list[int]) -> list[float]:
    """MB/s of each host under a limit, over the whole time that its task took."""
    with tempfile.TemporaryDirectory(dir=running.data_dir.parent) as folder:
        execution_id = _post(
            client, file_id, hosts, f"{folder}/${{HOST}}/file", bandwidth_limit=LIMIT_MB
        )
        watch(client, execution_id, "status")
        tasks = _check(client, execution_id, len(hosts))
    return [LIMITED_SIZE / 1e6 / (int(str(task["duration_ms"])) / 1000) for task in tasks]


def _post(client: httpx.Client, file_id: str, hosts: list[int], target: str, **more: object) -> str:
    body = {"artifact_ids": [file_id], "remote_path": target, "target_host_ids": hosts, **more}
    answer = client.post("/api/quick/transfer_file/", json=body)
    return str(answer.raise_for_status().json()["content"]["execution_id"])


def _check(client: httpx.Client, execution_id: str, count: int) -> list[dict[str, object]]:
    answer = client.get(f"/api/executor/execution-records/{execution_id}/tasks/?page_size=200")
    tasks: list[dict[str, object]] = answer.json()["content"]["results"]
    if [task["status"] for task in tasks] != ["success"] * count:
        raise RuntimeError(f"tasks ended as {[(t['status'], t['reason']) for t in tasks]}")
    return tasks


def plain_copies(source: Path, count: int, *options: str) -> float:
    """Seconds until so many ready processes have taken the file from a socket, all at once."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(count)
        threading.Thread(target=_serve, args=(listener, source, count), daemon=True).start()
        port = str(listener.getsockname()[1])
        program = (sys.executable, "-m", "bench._plain_copy")
        copies = [
            subprocess.Popen(
                [*program, port, f"{folder}/{n}", str(SIZE), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for n in range(count)
        ]
        for copy in copies:
            assert copy.stdout is not None
            copy.stdout.readline()
        began = time.perf_counter()
        for copy in copies:
            assert copy.stdin is not None
            copy.stdin.write(b"go\n")
            copy.stdin.close()
        codes = [copy.wait() for copy in copies]
        took = time.perf_counter() - began
        for copy in copies:
            assert copy.stdout is not None
            copy.stdout.close()
        if any(codes):
            raise RuntimeError("a plain copy failed")
    return took


def _serve(listener: socket.socket, source: Path, count: int) -> None:
    """A thread for each copy; sendfile lets them run side by side."""
    threads = []
    for _ in range(count):
        wire, _ = listener.accept()
        thread = threading.Thread(target=_send, args=(wire, source), daemon=True)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()


def _send(wire: socket.socket, source: Path) -> None:
    with wire, source.open("rb") as file:
        wire.sendfile(file)
