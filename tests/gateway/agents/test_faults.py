"""Faults between agents and execution: lost gateways, broken links, shuffled frames."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from libs.contracts.hosts import AgentIdentity
from libs.kit.redis import Redis
from tests.gateway.agents.conftest import Rigs
from tests.gateway.agents.fake_hosts import FakeHosts
from tests.gateway.agents.rig import Rig, rig
from tests.gateway.agents.samples import CLAIM, OUTPUT, assert_serves_others
from tests.support.agents import Ended, FakeAgent, Identity, Message, Swarm, Work
from tests.support.fake_execution import FakeExecution, order_for
from tests.support.waiting import eventually

LINES = tuple(b"line %d\n" % number for number in range(40))


@pytest.fixture
async def execution(redis: Redis) -> AsyncIterator[FakeExecution]:
    """Somebody who answers the agents."""
    async with FakeExecution(redis) as found:
        yield found


async def test_a_task_goes_from_offer_to_result(gate: Rig, execution: FakeExecution) -> None:
    agent = await gate.connected(Work(stdout=LINES, stderr=(b"oops\n",)))
    await eventually(lambda: execution.knows(agent.agent_id))

    await execution.offer([order_for(agent.agent_id, 1)])

    await eventually(lambda: agent.tasks["task1", 1].state == "done" if agent.tasks else False)
    assert execution.output("task1") == b"".join(LINES)
    assert execution.output("task1", "stderr") == b"oops\n"
    assert agent.tasks["task1", 1].starts == 1


async def test_every_frame_twice_and_shuffled_changes_nothing(
    gate: Rig, execution: FakeExecution
) -> None:
    agent = await gate.connected(Work(stdout=LINES, copies=2, window=20))
    await eventually(lambda: execution.knows(agent.agent_id))

    await execution.offer([order_for(agent.agent_id, 1)])

    await eventually(lambda: agent.tasks["task1", 1].state == "done" if agent.tasks else False)
    await eventually(lambda: execution.output("task1") == b"".join(LINES))
    assert agent.tasks["task1", 1].starts == 1
    assert execution.claims["task1", 1] >= 1


async def test_a_link_that_breaks_all_the_time_delivers_everything_once(
    gate: Rig, execution: FakeExecution
) -> None:
    def loses(message: Message) -> bool:
        return message["type"] == "output" and random.random() < 0.3

    agent = await gate.connected(Work(stdout=LINES, seconds=0.2, loses=loses))
    await eventually(lambda: execution.knows(agent.agent_id))
    await execution.offer([order_for(agent.agent_id, 1)])
    await eventually(lambda: execution.starts["task1", 1] == 1)

    async def reconnect_until_done() -> bool:
        await agent.drop()
        await agent.connect()
        done = agent.tasks["task1", 1].state == "done"
        return done and execution.output("task1") == b"".join(LINES)

    await eventually(reconnect_until_done)
    assert agent.tasks["task1", 1].starts == 1


async def test_a_gateway_that_dies_loses_nothing(
    rigs: Rigs, redis: Redis, hosts: FakeHosts, execution: FakeExecution
) -> None:
    first, second = await rigs(), await rigs()
    identities = [hosts.know(Identity.fresh()) for _ in range(30)]
    work = Work(stdout=LINES, seconds=0.3)
    async with Swarm("127.0.0.1", first.port, identities, work=work) as swarm:
        await eventually(lambda: all(execution.knows(i.agent_id) for i in identities))
        execution.expected = len(identities)
        await execution.offer(
            [order_for(identity.agent_id, n) for n, identity in enumerate(identities)]
        )
        await eventually(lambda: len(execution.claims) > 10)
        for agent in swarm.agents:
            assert agent.line is not None
            agent.line.abort()
            agent.port = second.port

        await swarm.connect()

        async def everything() -> bool:
            await execution.offer_again()
            return len(execution.results) == len(identities)

        await eventually(everything)
        tasks = [f"task{number}" for number in range(len(identities))]
        await eventually(lambda: {execution.output(task) for task in tasks} == {b"".join(LINES)})
        starts = [task.starts for agent in swarm.agents for task in agent.tasks.values()]
        assert starts == [1] * len(identities)


async def test_a_swarm_reports_everything(
    gate: Rig, hosts: FakeHosts, execution: FakeExecution
) -> None:
    identities = [hosts.know(Identity.fresh()) for _ in range(100)]
    async with Swarm("127.0.0.1", gate.port, identities) as swarm:
        await eventually(lambda: all(execution.knows(i.agent_id) for i in identities))
        execution.expected = len(identities)

        await execution.offer(
            [order_for(identity.agent_id, n) for n, identity in enumerate(identities)]
        )

        async with asyncio.timeout(10):
            await execution.everything_in.wait()
        await eventually(lambda: swarm.finished == 100)
        assert swarm.count("grant") >= 100


@pytest.mark.parametrize("cut", range(1, 40, 3))
async def test_a_frame_that_is_cut_is_never_interpreted(gate: Rig, cut: int) -> None:
    agent = await gate.connected()
    whole = _frame_of(agent)

    assert agent.line is not None
    agent.line.write(whole[: min(cut, len(whole) - 1)])
    await agent.drop()

    await assert_serves_others(gate)
    found = await gate.stream("agent_results")
    assert agent.agent_id not in [m["agent_id"] for m in found]


async def test_frames_in_slices_of_one_byte_arrive_whole(gate: Rig) -> None:
    agent = await gate.connected()
    assert agent.line is not None

    for byte in _frame_of(agent) * 3:
        agent.line.write(bytes([byte]))

    assert len(await gate.messages("agent_results", "claim", 3)) == 3


async def test_output_of_one_agent_does_not_keep_heartbeats_of_another_waiting(gate: Rig) -> None:
    loud, calm = await gate.connected(), await gate.connected()
    for seq in range(300):
        loud.send(OUTPUT | {"seq": seq, "length": 60_000, "data": b"x" * 60_000})

    calm.beat()

    found = await gate.messages("agent_status", "heartbeat")
    assert found[0]["agent_id"] == calm.agent_id


def _frame_of(agent: FakeAgent) -> bytes:
    """A claim as a raw frame."""
    text = str(CLAIM).replace("'", '"').encode()
    return bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text


class SilentHosts(FakeHosts):
    """Is asked about agents, and never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = asyncio.Event()

    async def agent_identities(self, agent_ids: list[str]) -> dict[str, AgentIdentity]:
        self.is_asked.set()
        await asyncio.Event().wait()
        return await super().agent_identities(agent_ids)


async def test_a_gateway_stops_while_agents_wait_to_be_known(redis: Redis) -> None:
    """A process that never ended would keep the data folder locked against the next platform."""
    hosts = SilentHosts()
    async with asyncio.timeout(10), rig(redis, hosts, identity_calls=1) as gate:
        arriving = [asyncio.create_task(gate.agent().connect()) for _ in range(2)]
        await hosts.is_asked.wait()
        await eventually(lambda: gate.gateway.is_ready)

        gate.gateway.stop()

        for each in await asyncio.gather(*arriving, return_exceptions=True):
            assert isinstance(each, Ended)
