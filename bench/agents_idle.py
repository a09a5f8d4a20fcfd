"""What an idle agent costs the agent gateway, and how fast a claim is answered through it.

`make bench ONLY=agents_idle [N=agents]`. The gateway is a process of its own with a real Valkey;
agents are simulated here, with real keys and signatures. Memory is the growth of the gateway's
resident set per session; the reference is the bare `websockets` server of the design (13 KB).
"""

import asyncio
import gc
import shutil
import time
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection

import psutil
import uvloop

from bench.report import Figure
from gateway.agents.server import AgentGateway
from gateway.agents.settings import AgentGatewaySettings
from libs.contracts.hosts import AgentIdentity, AgentState, EnrolAnswer, EnrolRequest
from libs.kit.errors import Unauthenticated
from libs.kit.redis import connect
from tests.support.agents import FakeAgent, Identity, Swarm, Work
from tests.support.fake_execution import FakeExecution
from tests.support.valkey import ValkeyServer, short_folder
from tests.support.waiting import eventually

AGENTS = 5_000
BUSY = 50
SECONDS = 5.0
BARE_KILOBYTES = 13.0
BARE_ACCEPT_MICROSECONDS = 248.0


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """Memory and CPU per session with `n` agents, then round trips of 50 of them."""
    count = n or AGENTS
    folder = short_folder("opsjob-bench-")
    server = ValkeyServer(folder)
    server.start()
    identities = [Identity.fresh() for _ in range(count)]
    ours, theirs = get_context("spawn").Pipe()
    keys = {identity.agent_id: identity.public_key for identity in identities}
    gateway = get_context("spawn").Process(target=_gateway, args=(server.url, keys, theirs))
    gateway.start()
    try:
        port = ours.recv()
        yield from asyncio.run(_measured(port, identities, server.url, psutil.Process(gateway.pid)))
    finally:
        ours.send("stop")
        gateway.join(20)
        if gateway.is_alive():
            gateway.kill()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class _Hosts:
    """Knows the agents of the benchmark."""

    def __init__(self, keys: dict[str, str]) -> None:
        self._keys = keys

    async def agent_identities(self, agent_ids: list[str]) -> dict[str, AgentIdentity]:
        """All of them are active."""
        return {
            agent_id: AgentIdentity(
                agent_id=agent_id,
                public_key=self._keys[agent_id],
                identity_epoch=1,
                status=AgentState.ACTIVE,
            )
            for agent_id in agent_ids
        }

    async def trust_bundle(self) -> str:
        """These agents check nothing."""
        return ""

    async def report_clone(self, agent_id: str, boot_ids: list[str], evidence: str) -> None:
        """Nobody shares a key here."""

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Nobody enrols here."""
        raise Unauthenticated


def _gateway(url: str, keys: dict[str, str], pipe: Connection) -> None:
    async def run() -> None:
        redis = connect(url)
        settings = AgentGatewaySettings(
            port=0, heartbeat_seconds=300, handshakes_per_second=100_000, handshake_burst=100_000
        )
        gateway = AgentGateway(settings, redis=redis, hosts=_Hosts(keys))
        async with asyncio.TaskGroup() as group:
            group.create_task(gateway.run())
            await gateway.is_serving.wait()
            gc.collect()
            pipe.send(gateway.port)
            await asyncio.to_thread(pipe.recv)
            gateway.stop()
        await redis.aclose()

    uvloop.run(run())


async def _measured(
    port: int, identities: list[Identity], url: str, gateway: psutil.Process
) -> list[Figure]:
    count = len(identities)
    per_agent = 1024 * count
    before, cpu = gateway.memory_info().rss, _cpu(gateway)
    swarm = Swarm("127.0.0.1", port, identities, work=Work(is_finishing=False), beats=False)
    async with swarm:
        spent = _cpu(gateway) - cpu
        grown = gateway.memory_info().rss - before
        figures = [
            Figure("agents_idle_memory", round(grown / per_agent, 1), "KB", count, BARE_KILOBYTES),
            Figure(
                "agents_handshake_cpu",
                round(spent / count * 1e6),
                "us",
                count,
                BARE_ACCEPT_MICROSECONDS,
            ),
            Figure("agents_handshakes", round(count / swarm.connected_in), "1/s", count),
        ]
        cpu, began = _cpu(gateway), time.perf_counter()
        await asyncio.sleep(2)
        idle = (_cpu(gateway) - cpu) / (time.perf_counter() - began) * 100
        figures.append(Figure("agents_idle_cpu", round(idle, 2), "%", count))
        figures += await _round_trips(swarm.agents[:BUSY], url, gateway)
    return figures


async def _round_trips(agents: list[FakeAgent], url: str, gateway: psutil.Process) -> list[Figure]:
    """Claim to grant: agent, gateway, Redis, a reader that answers at once, and back."""
    redis = connect(url)
    waits: list[float] = []
    async with FakeExecution(redis) as execution:
        await eventually(lambda: all(execution.knows(agent.agent_id) for agent in agents))
        alone = [await _claim(agents[0], number) for number in range(200)]
        cpu, until = _cpu(gateway), time.perf_counter() + SECONDS

        async def busy(agent: FakeAgent) -> None:
            number = 1_000
            while time.perf_counter() < until:
                number += 1
                waits.append(await _claim(agent, number))

        await asyncio.gather(*(busy(agent) for agent in agents))
        spent = _cpu(gateway) - cpu
    await redis.aclose()
    alone.sort()
    return [
        Figure("agents_round_trip_alone", round(alone[100] * 1000, 2), "ms", len(alone)),
        Figure("agents_round_trips", round(len(waits) / SECONDS), "1/s", len(waits)),
        Figure("agents_round_trip_cpu", round(spent / len(waits) * 1e6, 1), "us", len(waits)),
    ]


async def _claim(agent: FakeAgent, number: int) -> float:
    began = time.perf_counter()
    granted = agent.arrival("grant")
    agent.send({"type": "claim", "task_id": f"{agent.agent_id}-{number}", "attempt": 1})
    await granted
    return time.perf_counter() - began


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
