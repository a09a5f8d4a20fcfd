"""Bad input on the agents' socket, B090 to B096: refused whole, counted, or left to execution."""

import json

import pytest

from libs.contracts.agents import LOGS, RESULTS, STATUS
from tests.gateway.agents.conftest import Rigs
from tests.gateway.agents.rig import Rig
from tests.gateway.agents.samples import (
    CLAIM,
    OUTPUT,
    RESULT,
    assert_serves_others,
)
from tests.support.agents import Ended, Message
from tests.support.waiting import eventually

# ---- B090, B091, B092 ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"seq": -1},
        {"seq": 2**63},
        {"offset": -1},
        {"length": 4},
        {"length": 0, "data": b""},
        {"length": 70_000, "data": b"x" * 70_000},
        {"stream": "stdfoo"},
        {"attempt": 0},
        {"type": "gap"},
    ],
    ids=str,
)
async def test_b090_output_that_cannot_be_right(gate: Rig, change: Message) -> None:
    agent = await gate.connected()

    agent.send(OUTPUT | change)

    assert (await agent.wait_ended()).code == 4400
    assert await gate.stream(LOGS) == []


@pytest.mark.parametrize("prefix", [0, 3, 2**31, 2**32 - 1])
async def test_b090_output_frames_with_a_wrong_header_length(gate: Rig, prefix: int) -> None:
    agent = await gate.connected()

    agent.send_raw(prefix.to_bytes(4, "big") + b'{"type":"output"}abc')

    assert (await agent.wait_ended()).code == 4400


async def test_b090_repeated_and_reordered_output_is_passed_on_for_judgement(gate: Rig) -> None:
    agent = await gate.connected()

    for seq in (5, 0, 0, 2):
        agent.send(OUTPUT | {"seq": seq})

    found = await gate.messages(LOGS, "output", 4)
    assert [m["seq"] for m in found] == [5, 0, 0, 2]


async def test_b091_a_message_can_name_tasks_but_never_another_agent(gate: Rig) -> None:
    victim, agent = await gate.connected(), await gate.connected()

    agent.send(RESULT | {"payload": json.dumps({"agent_id": victim.agent_id})})
    agent.send(OUTPUT)

    (result,) = await gate.messages(RESULTS, "result")
    (output,) = await gate.messages(LOGS, "output")
    assert result["agent_id"] == output["agent_id"] == agent.agent_id
    assert result["boot_id"] == agent.boot_id
    agent.send(CLAIM | {"agent_id": victim.agent_id})
    assert (await agent.wait_ended()).code == 4400


@pytest.mark.parametrize(
    "change",
    [
        {"payload": None},
        {"payload": {"exit_code": 0}},
        {"payload": "x" * 270_000},
        {"signature": "A" * 86},
        {"signature": "A A" + "A" * 83 + "=="},
        {"attempt": 2**40},
        {"attempt": "1"},
    ],
    ids=str,
)
async def test_b092_results_that_cannot_be_right(gate: Rig, change: Message) -> None:
    agent = await gate.connected()

    agent.send(RESULT | change)

    assert (await agent.wait_ended()).code == 4400
    assert await gate.stream(RESULTS) == []


async def test_b092_a_result_twice_is_passed_on_twice_and_answered_by_execution_alone(
    gate: Rig,
) -> None:
    agent = await gate.connected()

    agent.send(RESULT)
    agent.send(RESULT)

    await gate.messages(RESULTS, "result", 2)
    assert agent.counts["result_ack"] == 0


# ---- B093, B094, B095, B096 ------------------------------------------------------------------


async def test_b093_ten_thousand_claims_at_once_are_cut_off(rigs: Rigs) -> None:
    gate = await rigs(messages_per_second=200)
    agent = await gate.connected()

    for number in range(10_000):
        agent.send({"type": "claim", "task_id": f"t{number}", "attempt": 1})

    assert (await agent.wait_ended()).code == 4429
    await gate.gateway.uplink.drained()
    assert len(await gate.stream(RESULTS)) <= 2_000
    await assert_serves_others(gate)


@pytest.mark.parametrize("kind", ["ack", "want"])
async def test_b094_what_only_the_platform_may_say(gate: Rig, kind: str) -> None:
    agent = await gate.connected()

    agent.send(
        {"type": kind, "task_id": "t", "attempt": 1, "stream": "stdout", "seq": 1, "offset": 1}
    )

    assert (await agent.wait_ended()).code == 4400


@pytest.mark.parametrize(
    "change",
    [
        {"disk_free_bytes": -1},
        {"cpu_percent": 101},
        {"load1": 1e308},
        {"running": 1.5},
        {"at": "yesterday"},
        {"at": "1970-01-01T00:00:00"},
        {"disks": ["d"] * 1000},
    ],
    ids=str,
)
async def test_b095_heartbeats_that_cannot_be_right(gate: Rig, change: Message) -> None:
    agent = await gate.connected()

    agent.beat(**change)

    assert (await agent.wait_ended()).code == 4400


@pytest.mark.parametrize("at", ["2100-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
async def test_b095_a_wrong_clock_is_reported_but_never_believed(gate: Rig, at: str) -> None:
    agent = await gate.connected()

    agent.beat(at=at)

    (beat,) = await gate.messages(STATUS, "heartbeat")
    assert str(beat["at"])[:4] not in ("2100", "1970")
    assert isinstance(beat["metrics"], dict)
    assert beat["metrics"]["at"] == at


@pytest.mark.parametrize(
    "change",
    [
        {"hostname": "h" * 256},
        {"interpreters": ["cobol"]},
        {"tasks": [{"task_id": "t", "attempt": 1, "state": "cosy"}]},
        {"cpu_count": 0},
        {"memory_bytes": -1},
        {"os_version": "x" * 500_000},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_b095_an_inventory_that_cannot_be_right(gate: Rig, change: Message) -> None:
    agent = gate.agent()
    await agent.open()

    agent.send(agent.hello(await agent.expect("challenge"), **change))

    assert (await agent.wait_ended()).code == 4400
    assert await gate.stream(STATUS) == []


async def test_b095_a_thousand_heartbeats_a_second(gate: Rig) -> None:
    agent = await gate.connected()

    for _ in range(1_000):
        agent.beat()

    assert (await agent.wait_ended()).code == 4429


async def test_b096_many_connections_of_one_identity_leave_one_session(gate: Rig) -> None:
    agents = [gate.agent()]
    first = agents[0]
    agents += [gate.agent(first.identity, boot_id=first.boot_id) for _ in range(15)]

    for agent in agents[:4]:
        await agent.connect()
    for agent in agents[4:]:
        with pytest.raises(Ended) as refused:
            await agent.connect()
        assert refused.value.reason == "cloned"

    assert len(gate.gateway.roster) == 1
    await eventually(lambda: sum(agent.is_connected for agent in agents) == 1)
    assert {agent_id for agent_id, _ in gate.hosts.clones} == {first.agent_id}


async def test_b096_a_revoked_identity_with_a_valid_key(gate: Rig) -> None:
    agent = gate.agent()
    gate.revoke(agent)

    with pytest.raises(Ended) as refused:
        await agent.connect()

    assert refused.value.code == 4403
