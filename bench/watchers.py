"""Many people follow one run: what reaches all of them together, and what one costs while idle.

`make bench ONLY=watchers [N=watchers]`. Two agents print 60,000 lines of 100 bytes while 200
readers follow; each must get every byte. Before that the readers sit on a run that prints nothing.
"""

import time
import zlib
from collections.abc import Iterator

import httpx

from bench._ground import agents, memory, platform
from bench._sse import Seen, follow, open_readers, runner
from bench.logs import script, text_of
from bench.report import Figure
from tests.support.platform import Platform

LINES = 60_000
AGENTS = 2
DELIVERED_PER_SECOND = 500_000
IDLE_KB = 40.0
WAIT = "while [ ! -e {gate} ]; do sleep 0.05; done; "


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """With `n` (default 200) readers."""
    count = n or 200
    with (
        platform("--no-agent", OPSJOB_GATEWAY_STREAMS_PER_USER="10000") as (running, client),
        agents(running, client, AGENTS) as hosts,
    ):
        idle, rate = _run(running, client, hosts, count)
    yield Figure("watchers_lines_per_second", round(rate), "lines/s", count, DELIVERED_PER_SECOND)
    yield Figure("watcher_idle_kb", round(idle, 1), "KB", count, IDLE_KB)


def _run(
    running: Platform, client: httpx.Client, hosts: list[int], count: int
) -> tuple[float, float]:
    """Kilobytes per idle reader, lines per second of all readers together."""
    gate = running.data_dir.parent / "gate"
    per_agent = LINES // len(hosts)
    content = WAIT.format(gate=gate) + script(per_agent)
    body = {"script_content": content, "target_host_ids": hosts, "timeout": 600}
    answer = client.post("/api/quick/execute_script/", json=body)
    path = f"/api/realtime/sse/logs/{answer.json()['content']['execution_id']}/"
    token = client.headers["Authorization"]
    plane = running.find("control-plane")
    assert plane is not None
    with runner() as loop:
        warm = loop.run(open_readers(running.url, path, token, 20))
        before = memory(plane)
        readers = loop.run(open_readers(running.url, path, token, count))
        idle = (memory(plane) - before) * 1000 / count
        began = time.perf_counter()
        gate.touch()
        seen = loop.run(follow([*warm, *readers], 300))
        seconds = time.perf_counter() - began
    for each in seen:
        _check(each, per_agent, len(hosts))
    return idle, sum(each.lines for each in seen) / seconds


def _check(seen: Seen, lines: int, hosts: int) -> None:
    wanted = zlib.crc32(text_of(lines))
    good = seen.status == "success" and set(seen.crc.values()) == {wanted}
    if not good or len(seen.crc) != hosts:
        raise RuntimeError(f"a reader saw {seen.lines} lines, {seen.gaps} gaps, {seen.status}")
