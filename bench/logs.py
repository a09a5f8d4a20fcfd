"""Output at full speed: from scripts on real agents to the durable store, one reader following all.

`make bench ONLY=logs [N=agents]`. 20 agents print 2,000,000 lines of 100 bytes; the clock runs from
the POST to the reader's `end`, which comes when all of it is durable, complete and delivered. Then
pages of 200 lines are read at places all over the stored log, before and after it is packed.
BENCH_LINES=10000000 makes it a log of 1 GB.
"""

import os
import random
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx

from bench._ground import agents, platform
from bench._sse import Seen, follow, open_readers, runner
from bench.report import Figure
from tests.support.platform import Platform
from tests.support.waiting import eventually_sync

LINE = "the quick brown fox jumps over the lazy dog and then, as every day, sleeps in the sun "
LINES_PER_SECOND = 150_000
PAGE_MS = 20.0
LINES = int(os.environ.get("BENCH_LINES", "2000000"))
AGENTS = 20
PAGES = 60
SOON = dict.fromkeys(
    ("OPSJOB_EXECUTION_LOG_PACK_SECONDS", "OPSJOB_EXECUTION_LOG_REPLACED_SECONDS"), "1"
)
ROUNDS = 3


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """Lines per second with `n` (default 20) agents, then milliseconds for a page."""
    count = n or AGENTS
    with (
        platform("--no-agent", **SOON) as (running, client),
        agents(running, client, count) as hosts,
    ):
        yield from _measure(running, client, hosts)


def _measure(running: Platform, client: httpx.Client, hosts: list[int]) -> Iterator[Figure]:
    per_agent = LINES // len(hosts)
    rates = []
    execution_id = ""
    for _ in range(ROUNDS):
        execution_id, seconds = _run(running, client, hosts, per_agent)
        rates.append(per_agent * len(hosts) / seconds)
    yield Figure("logs_lines_per_second", round(median(rates)), "lines/s", LINES, LINES_PER_SECOND)
    for state, wait in (("open", False), ("packed", True)):
        if wait:
            eventually_sync(lambda: not _unpacked(running, execution_id), timeout=120)
        for name, query in (("run", ""), ("host", f"&host_id={hosts[0]}")):
            total = LINES if name == "run" else per_agent
            times = _pages(client, execution_id, query, total)
            yield Figure(
                f"logs_page_{name}_{state}", round(median(times), 1), "ms", len(times), PAGE_MS
            )
            yield Figure(f"logs_page_{name}_{state}_worst", round(max(times), 1), "ms", len(times))


def _unpacked(running: Platform, execution_id: str) -> list[Path]:
    return list((running.data_dir / "logs").rglob(f"{execution_id}/*.log"))


def _pages(client: httpx.Client, execution_id: str, query: str, total: int) -> list[float]:
    """Milliseconds of pages of 200 lines at places all over the log; the first is a cold one."""
    chance = random.Random(7)
    times: list[float] = []
    for _ in range(PAGES):
        first = chance.randint(1, total - 200)
        path = f"/api/executor/execution-records/{execution_id}/logs/lines/"
        began = time.perf_counter()
        answer = client.get(f"{path}?from_line={first}&limit=200{query}")
        times.append((time.perf_counter() - began) * 1000)
        lines = answer.json()["content"]["lines"]
        if len(lines) != 200 or {line["text"] for line in lines} != {f"{LINE:.<99.99}"}:
            raise RuntimeError("a page is not what was printed")
    return times


def script(lines: int) -> str:
    """Prints so many lines of exactly 100 bytes each and costs next to nothing."""
    return f"yes '{LINE:.<99.99}' | head -c {lines * 100}"


def text_of(lines: int) -> bytes:
    """What `script` prints."""
    return f"{LINE:.<99.99}\n".encode() * lines


def _run(
    running: Platform, client: httpx.Client, hosts: list[int], lines: int
) -> tuple[str, float]:
    body = {"script_content": script(lines), "target_host_ids": hosts, "timeout": 600}
    token = client.headers["Authorization"]
    with runner() as loop:
        began = time.perf_counter()
        answer = client.post("/api/quick/execute_script/", json=body)
        execution_id = str(answer.json()["content"]["execution_id"])
        path = f"/api/realtime/sse/logs/{execution_id}/"
        readers = loop.run(open_readers(running.url, path, token, 1))
        (seen,) = loop.run(follow(readers, 300))
        seconds = time.perf_counter() - began
    _check(seen, hosts, lines)
    return execution_id, seconds


def _check(seen: Seen, hosts: list[int], lines: int) -> None:
    wanted = zlib.crc32(text_of(lines))
    good = seen.status == "success" and not seen.gaps and set(seen.crc.values()) == {wanted}
    if not good or len(seen.crc) != len(hosts):
        raise RuntimeError(f"the reader saw {seen.lines} lines, {seen.gaps} gaps, {seen.status}")
