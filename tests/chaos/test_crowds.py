"""F13, F3 and F58 in numbers: 1,000 tasks, 200 watchers, readers that hardly read."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.history import RECORDS
from tests.chaos.run import Site
from tests.chaos.scripts import Plan, marked
from tests.chaos.watching import Collected, live
from tests.chaos.world import address_of
from tests.support.agents import Swarm, Work, enrol_over_http
from tests.support.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.slow]

AGENTS, RUNS = 100, 10
WATCHERS, SLOW = 200, 20


@pytest.fixture
async def swarm(built: Site) -> AsyncIterator[tuple[Swarm, list[int]]]:
    """A hundred simulated agents, directly at the gateway, and the ids of their hosts."""
    host, port = address_of(built.world.gateways[0])
    before = set(await host_ids(built))
    identities = []
    async with httpx.AsyncClient(trust_env=False) as http:
        for number in range(AGENTS):
            issued = await built.client.ask("POST", "/api/agents/enrolment_tokens/", json={})
            token = issued.json()["content"]["token"]
            name = f"crowd-{built.seed}-{number}"
            identities.append(await enrol_over_http(host, port, token, hostname=name, client=http))
    work = Work(stdout=(b"one\n", b"two\n"), seconds=0.3)
    async with Swarm(host, port, identities, work=work) as swarm:
        ids = sorted(set(await host_ids(built)) - before)
        assert len(ids) == AGENTS
        yield swarm, ids


async def host_ids(built: Site) -> list[int]:
    answer = await built.client.ask("GET", "/api/hosts/", params={"page_size": 200})
    return [row["id"] for row in answer.json()["content"]["results"]]


async def test_f13_a_gateway_killed_amid_a_thousand_tasks_loses_and_repeats_nothing(
    built: Site, swarm: tuple[Swarm, list[int]]
) -> None:
    agents, hosts = swarm
    ids = []
    for number in range(RUNS):
        body = {"script_content": f"echo {number}", "target_host_ids": hosts, "timeout": 60}
        answer = await built.client.ask("POST", "/api/quick/execute_script/", json=body)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["content"]["execution_id"])
    await eventually(lambda: agents.finished > AGENTS * RUNS / 5, timeout=60)

    built.world.kill("agent-gateway" if "agent-gateway" in built.world.parts else "left")
    await asyncio.to_thread(built.world.revive)
    await eventually(lambda: not any(a.is_connected for a in agents.agents), timeout=10)
    await agents.connect()

    async def ended() -> bool:
        shown = [await built.client.ask("GET", f"{RECORDS}/{each}/") for each in ids]
        counts = [each.json()["content"]["counts"] for each in shown]
        assert counts == [{"success": AGENTS}] * RUNS
        return True

    await eventually(ended, timeout=90)
    tasks = [task for agent in agents.agents for task in agent.tasks.values()]
    assert len(tasks) == AGENTS * RUNS
    assert {task.starts for task in tasks} == {1}


async def test_f3_f58_watchers_survive_a_killed_api_gateway_and_neighbours_that_hardly_read(
    built: Site,
) -> None:
    """Fast watchers resume and have every byte; slow ones cost the producers nothing."""
    hosts = tuple(sorted(built.hosts))
    lines = [f"line {number}" for number in range(600)]
    body = "for n in $(seq 0 599); do echo line $n; sleep 0.02; done"
    text = "".join(f"{line}\n" for line in lines).encode()
    plan = Plan("watched", body, text, b"", endings=frozenset({"success"}))
    operation = await built.client.submit(marked(plan, built.markers), hosts)
    assert operation.execution_id
    path = f"/api/realtime/sse/logs/{operation.execution_id}/"
    lazy = [asyncio.create_task(_hardly_read(built, path)) for _ in range(SLOW)]
    seen = [Collected() for _ in range(WATCHERS)]
    fast = [asyncio.create_task(live(built.client, operation.execution_id, each)) for each in seen]
    await eventually(lambda: sum(bool(each.streams) for each in seen) > WATCHERS / 4, timeout=30)
    built.world.kill("control-plane" if "control-plane" in built.world.parts else "gateway-api")
    await asyncio.to_thread(built.world.revive)

    await asyncio.wait_for(asyncio.gather(*fast), 90)
    for task in lazy:
        task.cancel()
    await asyncio.gather(*lazy, return_exceptions=True)
    await built.settle(patience=60)

    wanted = operation.plan.stdout
    for collected in seen:
        assert not collected.faults
        assert list(collected.streams.values()) == [wanted] * len(hosts)
    assert sum(collected.resumed for collected in seen) > 0
    verdicts = judge(await gather(built))
    assert not [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]


async def _hardly_read(built: Site, path: str) -> None:
    """A watcher that takes a few bytes a second."""
    while True:
        try:
            async with built.client.http.stream("GET", path, timeout=60) as answer:
                async for _ in answer.aiter_bytes(64):
                    await asyncio.sleep(0.5)
        except httpx.HTTPError:
            await asyncio.sleep(0.2)
