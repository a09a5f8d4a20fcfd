"""A thousand simulated agents: from the POST until every result is final.

The agents speak the real protocol over real sockets with real signatures, but start no process;
they share the machine with the platform. `make bench ONLY=swarm [N=agents]`. The limit is 3 s. In
the end the agent gateway is killed: all have to be back within 30 s, and all run once more.
"""

import asyncio
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from bench._ground import platform
from bench.report import Figure
from libs.contracts.hosts import HostsClient
from libs.kit.auth import InternalTokens
from libs.kit.client import remote_transport
from libs.kit.settings import Settings
from tests.support.agents import Swarm, Work, enrol_many
from tests.support.waiting import eventually_sync

LIMIT_SECONDS = 3.0
LIMIT_BACK_SECONDS = 30.0
LIMIT_GATEWAY_MB = 300.0
ROUNDS = 5
BACK = "back"
"""The word at which the crowd waits for the end of its connections, and connects again."""


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
            connected = ours.recv()
            yield Figure("swarm_connect", round(connected, 2), "s", count)
            hosts = eventually_sync(lambda: _hosts(client, count), timeout=60)
            seconds = [_round(client, hosts) for _ in range(ROUNDS + 1)][1:]
            gateway = running.find("agent-gateway")
            assert gateway is not None
            memory = gateway.memory_info().rss / 1e6
            began = time.perf_counter()
            gateway.kill()
            ours.send(BACK)
            ours.recv()
            back = time.perf_counter() - began
            _round(client, hosts)  # raises unless every agent took part
        finally:
            ours.send("stop")
            crowd.join(30)
            if crowd.is_alive():
                crowd.kill()
    yield Figure("swarm_all_terminal", round(median(seconds), 2), "s", count, LIMIT_SECONDS)
    yield Figure("swarm_all_terminal_worst", round(max(seconds), 2), "s", count, LIMIT_SECONDS)
    yield Figure("swarm_tasks", round(count / median(seconds)), "tasks/s", count)
    yield Figure("swarm_gateway", round(memory, 1), "MB RSS", count, LIMIT_GATEWAY_MB)
    yield Figure("swarm_back", round(back, 1), "s", count, LIMIT_BACK_SECONDS)


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
        async with httpx.AsyncClient(transport=remote_transport(settings)) as http:
            hosts = HostsClient(http, InternalTokens(settings.secret), "supervisor")
            identities = await enrol_many(hosts, count)
        work = Work(stdout=(b"hello\n",))
        async with Swarm(address.hostname or "", address.port or 0, identities, work=work) as swarm:
            pipe.send(swarm.connected_in)
            while await asyncio.to_thread(pipe.recv) == BACK:
                for agent in swarm.agents:
                    await agent.wait_ended()
                await swarm.connect()
                pipe.send(swarm.connected_in)

    asyncio.run(run())


def _hosts(client: httpx.Client, count: int) -> list[int]:
    hosts: list[int] = []
    for page in range(1, count // 200 + 2):
        query: dict[str, str | int] = {"agent_status": "online", "page_size": 200, "page": page}
        rows = client.get("/api/hosts/", params=query).json()["content"]["results"]
        hosts += [row["id"] for row in rows]
    return hosts if len(hosts) >= count else []


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
