"""What agents are told when many of them speak at once, and when."""

import json
from collections import Counter

import msgspec
import pytest

from libs.contracts.agents import LOGS, RESULTS, gateway_key
from libs.kit.redis import Redis
from services.execution import consumers
from services.execution.downlink import service as downlink
from tests.support.courier import Agent, Message
from tests.support.execution import Rig
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

MANY = consumers.BUSY_MESSAGES + 2


async def test_many_hear_once_of_all_that_is_stored(
    rig: Rig, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downlink, "LATE_SECONDS", 1.0)
    agents = await _connected(rig, MANY)
    execution_id = await rig.run(*range(1, MANY + 1))
    orders = await _granted(rig, agents)

    await _all_say(rig, orders, b"hello\n")
    await rig.courier.handled(LOGS)
    await _all_end(rig, orders, b"hello\n")

    await rig.until(execution_id, "success")
    await rig.until_stored(execution_id)
    for agent, _ in orders:
        await rig.courier.expect(agent, "ack")
        await rig.courier.expect(agent, "result_ack")
    told = await _told(redis, rig.courier.gateway_id)
    assert [entry for entry in told if "ack" in entry or "result_ack" in entry] == [
        {"ack": MANY, "result_ack": MANY}
    ]


async def test_who_waits_is_answered_at_once_however_many_speak(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downlink, "LATE_SECONDS", 3600.0)
    agents = await _connected(rig, MANY)
    await rig.run(*range(1, MANY + 1))

    orders = await _granted(rig, agents)  # with leave for each, though all asked together
    long = b"x" * (consumers.LITTLE_BYTES + 1)
    await _all_say(rig, orders, long)

    for agent, _ in orders:  # its window must not fill up
        assert (await rig.courier.expect(agent, "ack"))["offset"] == len(long)


async def test_a_few_hear_of_their_results_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downlink, "LATE_SECONDS", 3600.0)
    agents = await _connected(rig, 1)
    await rig.run(1)
    orders = await _granted(rig, agents)

    await _all_say(rig, orders, b"hello\n")
    await _all_end(rig, orders, b"hello\n")

    await rig.courier.expect(agents[0], "ack")
    await rig.courier.expect(agents[0], "result_ack")


async def test_what_is_late_goes_with_what_its_agent_gets_anyway(
    rig: Rig, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downlink, "LATE_SECONDS", 3600.0)
    agents = await _connected(rig, MANY)
    execution_id = await rig.run(*range(1, MANY + 1))
    await _all_end(rig, await _granted(rig, agents), b"")
    await rig.until(execution_id, "success")
    await rig.courier.handled(RESULTS)

    await rig.run(1)

    await rig.courier.expect(agents[0], "result_ack")
    assert (await _told(redis, rig.courier.gateway_id))[-1] == {"result_ack": 1, "signed": 1}
    assert not await rig.courier.seen(agents[1], "result_ack")


async def test_an_acknowledgement_that_redis_lost_comes_with_the_next_result(
    rig: Rig, redis: Redis
) -> None:
    agents = await _connected(rig, MANY)
    execution_id = await rig.run(*range(1, MANY + 1))
    orders = await _granted(rig, agents)
    await _all_end(rig, orders, b"")
    await rig.until(execution_id, "success")

    await redis.delete(gateway_key(rig.courier.gateway_id))
    agent, order = orders[0]

    async def heard() -> list[Message]:
        await rig.courier.result(agent, order)
        return await rig.courier.seen(agent, "result_ack")

    await eventually(heard)


async def _connected(rig: Rig, count: int) -> list[Agent]:
    agents = [rig.agent(number) for number in range(1, count + 1)]
    for agent in agents:
        await rig.courier.connect(agent)
    await rig.courier.handled()
    return agents


async def _granted(rig: Rig, agents: list[Agent]) -> list[tuple[Agent, Message]]:
    """Let all ask together for what they are offered; returns their orders once they may start."""
    orders: list[tuple[Agent, Message]] = []
    for agent in agents:
        order = (await rig.courier.expect(agent, "offer"))["order"]
        assert isinstance(order, dict)
        orders.append((agent, order))
    async with rig.courier.together():
        for agent, order in orders:
            await rig.courier.say(agent, "claim", order)
    for agent, order in orders:
        await rig.courier.expect(agent, "grant", of=order)
    return orders


async def _all_say(rig: Rig, orders: list[tuple[Agent, Message]], said: bytes) -> None:
    async with rig.courier.together():
        for agent, order in orders:
            await rig.courier.output(agent, order, ("stdout", 0, 0, said))


async def _all_end(rig: Rig, orders: list[tuple[Agent, Message]], said: bytes) -> None:
    async with rig.courier.together():
        for agent, order in orders:
            await rig.courier.result(agent, order, stdout=said)


async def _told(redis: Redis, gateway_id: str) -> list[Counter[str]]:
    """The kinds of messages in each entry for a gateway."""
    return [
        Counter(
            json.loads(item["frame"])["type"] for item in msgspec.msgpack.decode(fields[b"batch"])
        )
        for _, fields in await redis.xrange(gateway_key(gateway_id))
    ]
