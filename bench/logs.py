"""Output at full speed: from scripts on real agents to the durable store, one reader following all.

`make bench ONLY=logs [N=agents]`. 20 agents print 2,000,000 lines of 100 bytes; the clock runs from
the POST to the reader's `end`, which comes when all of it is durable, complete and delivered. Then
pages of 200 lines are read at places all over the stored log.
"""

import time
import zlib
from collections.abc import Iterator
from statistics import median

import httpx

from bench._ground import agents, platform
from bench._sse import Seen, follow, open_readers, runner
from bench.report import Figure
from tests.support.platform import Platform

LINE = "the quick brown fox jumps over the lazy dog and then, as every day, goes on to sleep in the sun"
LINES_PER_SECOND = 150_000
PAGE_MS = 20.0
LINES = 2_000_000
ROUNDS = 3


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """Lines per second with `n` (default 20) agents, then milliseconds for a page."""
    count = n or 20
    per_agent = LINES // count
    with (
        platform("--no-agent") as (running, client),
        agents(running, client, count) as hosts,
    ):
        rates = []
        execution_id = ""
        for _ in range(ROUNDS):
            execution_id, seconds = _run(running, client, hosts, per_agent)
            rates.append(per_agent * count / seconds)
        yield Figure(
            "logs_lines_per_second", round(median(rates)), "lines/s", LINES, LINES_PER_SECOND
        )


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
