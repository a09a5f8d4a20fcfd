"""From the POST of a one-line script to its first line in an open stream; idle, a local agent.

`make bench ONLY=latency [N=repetitions]`. The limit is a median of 60 ms.
"""

import time
from collections.abc import Iterator
from statistics import median

from bench._ground import platform, watch
from bench.report import Figure
from tests.support.waiting import eventually_sync

LIMIT_MS = 60.0


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """The medians of `n` (default 30) runs one after the other."""
    repetitions = n or 30
    with platform() as (running, client):
        host = running.wait_online(client)
        first: list[float] = []
        whole: list[float] = []
        for number in range(repetitions + 3):
            began = time.perf_counter()
            execution_id = running.submit(client, "echo hello", host["id"])
            seen = watch(client, execution_id)
            if seen.status != "success" or seen.lines != 1:
                raise RuntimeError(f"a run ended as {seen.status} with {seen.lines} lines")
            if number >= 3:  # the first ones warm up
                first.append((seen.first_line - began) * 1000)
                whole.append((seen.ended - began) * 1000)
        eventually_sync(lambda: running.is_ready())
    yield Figure("latency_first_line", round(median(first), 1), "ms", repetitions, LIMIT_MS)
    yield Figure("latency_first_line_worst", round(max(first), 1), "ms", repetitions)
    yield Figure("latency_end", round(median(whole), 1), "ms", repetitions)
