"""A thousand simulated agents: from the POST until every result is final.

The agents speak the real protocol over real sockets with real signatures, but start no process;
they share the machine with the platform. `make bench ONLY=swarm [N=agents]`. The limit is 3 s, or
1,500 tasks a second. In the end the agent gateway is killed: all have to be back within 30 s, and
all run once more. Each figure is printed as soon as it is known, and what goes on to stderr.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
import uvloop
from pydantic import SecretStr

from bench._ground import platform
from bench.report import Figure
from libs.contracts.hosts import HostsClient
from libs.kit.auth import InternalTokens
from libs.kit.client import remote_transport
from libs.kit.settings import Settings
from tests.support.agents import Identity, Swarm, Work, enrol_many
from tests.support.platform import Platform
from tests.support.waiting import eventually_sync

LIMIT_SECONDS = 3.0
LIMIT_TASKS = 1_500.0
LIMIT_BACK_SECONDS = 30.0
LIMIT_GATEWAY_MB = 300.0
ROUNDS = 5
BACK = "back"
"""The word at which the crowd waits for the end of its connections, and connects again."""
ENROL_WIDTH = 32
CONNECT_WIDTH = 200
PAGE = 200
"""Hosts on a page of the API."""
LEAST_SECONDS = 60.0
"""What each phase may take, and more where there are many agents: 30 ms for each."""


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """The median of five rounds with `n` (default 1,000) agents."""
    count = n or 1_000
    with platform("--no-agent") as (running, client):
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        crowd = context.Process(
            target=_crowd, args=(str(running.data_dir), running.agent_url, count, theirs)
        )
        crowd.start()
        try:
            yield from _measured(running, client, count, ours)
        finally:
            ours.send("stop")
            crowd.join(30)
            if crowd.is_alive():
                crowd.kill()


def _measured(
    running: Platform, client: httpx.Client, count: int, crowd: Connection
) -> Iterator[Figure]:
    _say(f"enrolling {count} agents")
    _told(crowd, count)
    _say("connecting them")
    yield Figure("swarm_connect", round(_told(crowd, count), 2), "s", count)
    gateway = running.find("agent-gateway")
    assert gateway is not None
    yield Figure("swarm_gateway_idle", round(gateway.memory_info().rss / 1e6, 1), "MB RSS", count)
    eventually_sync(
        lambda: _online(client) >= count, timeout=LEAST_SECONDS, message="all are online"
    )
    hosts = _hosts(client)
    seconds = []
    for number in range(ROUNDS + 1):
        seconds.append(_round(client, hosts))
        _say(f"round {number} of {ROUNDS}: {seconds[-1]:.2f} s")
    middle, worst = median(seconds[1:]), max(seconds[1:])
    limit = max(LIMIT_SECONDS, count / LIMIT_TASKS)
    yield Figure("swarm_all_terminal", round(middle, 2), "s", count, limit)
    yield Figure("swarm_all_terminal_worst", round(worst, 2), "s", count, limit)
    yield Figure("swarm_tasks", round(count / middle), "tasks/s", count, LIMIT_TASKS)
    memory = gateway.memory_info().rss / 1e6
    yield Figure("swarm_gateway", round(memory, 1), "MB RSS", count, LIMIT_GATEWAY_MB)
    _say("killing the gateway")
    began = time.perf_counter()
    gateway.kill()
    crowd.send(BACK)
    _told(crowd, count)
    back = time.perf_counter() - began
    yield Figure("swarm_back", round(back, 1), "s", count, LIMIT_BACK_SECONDS)
    _say("once more after that")
    _round(client, hosts)  # raises unless every agent took part


def _say(what: str) -> None:
    print(f"swarm: {what}", file=sys.stderr, flush=True)


def _told(crowd: Connection, count: int) -> float:
    """The seconds that the crowd tells at the end of a phase."""
    if not crowd.poll(max(LEAST_SECONDS, 0.03 * count)):
        raise TimeoutError("The crowd is not ready in time.")
    return float(crowd.recv())


def _crowd(data: str, url: str, count: int, pipe: Connection) -> None:
    """The body of the process with the agents; they enrol over the control socket."""
    address = urlsplit(url)
    folder = Path(data)
    settings = Settings(
        database_url="sqlite:///{service}",
        secret=SecretStr((folder / "secret").read_text().strip()),
        internal_socket=folder / "run" / "control.sock",
    )

    async def run() -> None:
        began = time.perf_counter()
        identities = await _enrolled(settings, count)
        pipe.send(time.perf_counter() - began)
        work = Work(stdout=(b"hello\n",), tells_start=False)
        host, port = address.hostname or "", address.port or 0
        async with Swarm(host, port, identities, work=work, width=CONNECT_WIDTH) as swarm:
            pipe.send(swarm.connected_in)
            while await asyncio.to_thread(pipe.recv) == BACK:
                for agent in swarm.agents:
                    await agent.wait_ended()
                await swarm.connect()
                pipe.send(swarm.connected_in)

    uvloop.run(run())


async def _enrolled(settings: Settings, count: int) -> list[Identity]:
    async with httpx.AsyncClient(transport=remote_transport(settings)) as http:
        hosts = HostsClient(http, InternalTokens(settings.secret), "supervisor")
        return await enrol_many(hosts, count, width=ENROL_WIDTH)


def _online(client: httpx.Client) -> int:
    query: dict[str, str | int] = {"agent_status": "online", "page_size": 1}
    return int(client.get("/api/hosts/", params=query).json()["content"]["total"])


def _hosts(client: httpx.Client) -> list[int]:
    """The ids of all hosts that are online, page by page."""
    hosts: list[int] = []
    while True:
        page = len(hosts) // PAGE + 1
        query: dict[str, str | int] = {"agent_status": "online", "page_size": PAGE, "page": page}
        rows = client.get("/api/hosts/", params=query).json()["content"]["results"]
        hosts += [row["id"] for row in rows]
        if len(rows) < PAGE:
            return hosts


def _round(client: httpx.Client, hosts: list[int]) -> float:
    body = {"script_content": "echo hello", "target_host_ids": hosts, "timeout": 60}
    began = time.perf_counter()
    answer = client.post("/api/quick/execute_script/", json=body)
    execution_id = answer.json()["content"]["execution_id"]
    path = f"/api/realtime/sse/status/{execution_id}/"
    with client.stream("GET", path, timeout=httpx.Timeout(120)) as stream:
        for line in stream.iter_lines():
            if '"finished_at":"' in line.partition('"tasks"')[0] and line.startswith("data: "):
                break
    took = time.perf_counter() - began
    record = client.get(f"/api/executor/execution-records/{execution_id}/").json()["content"]
    if record["counts"] != {"success": len(hosts)}:
        raise RuntimeError(f"a round ended with {record['counts']}")
    return took
