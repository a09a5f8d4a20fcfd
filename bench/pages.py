"""A page of 50 of 10,000 hosts, through the API gateway of the embedded platform, on SQLite.

The control plane is kept on one core, the client on another. `make bench ONLY=pages [N=requests]`.
The limit is 800 requests a second.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import httpx
import uvloop

from bench._ground import pin, platform
from bench._load import Way, load, pinned
from bench.report import Figure

LIMIT_RATE = 800.0
HOSTS = 10_000
ROUNDS = 5
CONNECTIONS = 16
PATH = "/api/hosts/?page=7&page_size=50"


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """The median rate of five rounds of `n` (default 3,000) requests."""
    requests = n or 3_000
    with platform("--no-agent") as (running, client):
        _fill(client)
        control = running.find("control-plane")
        assert control is not None
        pin(control, 0)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        way = Way(client.base_url.port or 0, token, [control], slash="")
        with pinned(1):
            uvloop.run(_round(way, requests // 5))
            rounds = [uvloop.run(_round(way, requests)) for _ in range(ROUNDS)]
    rates, cpu = [rate for rate, _ in rounds], [used for _, used in rounds]
    yield Figure("page_of_hosts", round(median(rates)), "req/s", requests * ROUNDS, LIMIT_RATE)
    yield Figure("page_of_hosts_cpu", round(median(cpu)), "us/req", requests * ROUNDS)


def _fill(client: httpx.Client) -> None:
    def add(number: int) -> None:
        body = {"name": f"web-{number:05d}", "ip_address": f"10.{number >> 8}.{number & 255}.7"}
        answer = client.post("/api/hosts/", json=body)
        if answer.status_code != 201:
            raise RuntimeError(answer.text)

    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(add, range(HOSTS)):
            pass


async def _round(way: Way, requests: int) -> tuple[float, float]:
    before = way.cpu_seconds()
    async with load(way, PATH, CONNECTIONS, requests) as (seconds, _):
        used = way.cpu_seconds() - before
        return requests / seconds, used / requests * 1e6
