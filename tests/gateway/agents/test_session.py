"""Sessions: proof, one per agent, ends."""

import pytest

from libs.contracts.agents import RESULTS, STATUS, session_key
from libs.contracts.hosts import AgentDisabled, AgentEnabled, AgentRetired, AgentState, HostsFact
from tests.gateway.agents.conftest import Rigs
from tests.gateway.agents.rig import Rig
from tests.support.agents import Ended, Identity, Refused, Work
from tests.support.waiting import eventually


async def test_a_known_key_opens_a_session_that_is_announced(gate: Rig) -> None:
    agent = gate.agent()

    welcome = await agent.connect()

    (entry,) = await gate.messages(STATUS, "connected")
    assert entry["agent_id"] == agent.agent_id
    assert entry["session_id"] == welcome["session_id"]
    assert entry["boot_id"] == agent.boot_id
    assert entry["gateway_id"] == gate.gateway.gateway_id
    assert isinstance(entry["hello"], dict)
    assert entry["hello"]["interpreters"] == ["shell", "python"]
    assert "signature" not in entry["hello"]
    assert entry["tasks"] == []
    assert "again" not in entry
    assert await gate.holder(agent) == gate.gateway.gateway_id


async def test_the_journal_of_the_agent_is_part_of_the_announcement(gate: Rig) -> None:
    agent = gate.agent()
    await agent.open()
    challenge = await agent.expect("challenge")
    tasks = [{"task_id": "t1", "attempt": 2, "state": "running"}]

    agent.send(agent.hello(challenge, tasks=tasks))

    await agent.expect("welcome")
    (entry,) = await gate.messages(STATUS, "connected")
    assert entry["tasks"] == tasks


async def test_a_simulated_agent_names_what_it_asked_for_as_agents_must(gate: Rig) -> None:
    """Its grant may be under way: a platform that reads the hello late would call it lost."""
    agent = await gate.connected(work=Work())
    order = {"task_id": "t1", "attempt": 1}
    await gate.frame(agent, {"type": "offer", "order": order})
    await gate.messages(RESULTS, "claim")
    await agent.drop()

    await agent.connect()

    (_, again) = await gate.messages(STATUS, "connected", 2)
    assert again["tasks"] == [{"task_id": "t1", "attempt": 1, "state": "granted"}]


@pytest.mark.parametrize(
    "fault", ["other key", "unknown id", "old epoch", "other gateway", "recorded"]
)
async def test_who_cannot_prove_the_key_learns_nothing(gate: Rig, fault: str) -> None:
    known = gate.hosts.know(Identity.fresh())
    identity = {
        "other key": Identity.fresh(known.agent_id),
        "unknown id": Identity.fresh(),
        "old epoch": Identity(known.agent_id, known.key, 0),
    }.get(fault, known)
    agent = gate.agent(identity)
    await agent.open()
    challenge = await agent.expect("challenge")
    if fault == "other gateway":
        challenge |= {"gateway_id": "gwother"}
    if fault == "recorded":
        challenge |= {"nonce": "A" * 32}

    agent.send(agent.hello(challenge))

    ended = await agent.wait_ended()
    assert (ended.code, ended.reason) == (4401, "unauthenticated")
    assert await gate.stream(STATUS) == []


@pytest.mark.parametrize("status", ["disabled", "quarantined", "retired"])
async def test_a_proven_key_that_is_not_active_is_told_so(gate: Rig, status: str) -> None:
    agent = gate.agent()
    gate.revoke(agent, AgentState(status))

    with pytest.raises(Ended) as refused:
        await agent.connect()

    assert refused.value.code == 4403


async def test_another_identity_than_in_the_address_is_refused(gate: Rig) -> None:
    agent, other = gate.agent(), gate.agent()
    await agent.open(f"/ws/agent/{other.agent_id}")
    challenge = await agent.expect("challenge")

    agent.send(agent.hello(challenge))

    assert (await agent.wait_ended()).code == 4401


async def test_hosts_out_of_reach_means_try_later(gate: Rig) -> None:
    gate.hosts.is_up = False
    agent = gate.agent()

    with pytest.raises(Ended) as refused:
        await agent.connect()

    assert refused.value.code == 1013
    assert "retry_after=" in refused.value.reason


async def test_a_newer_session_on_the_same_boot_replaces_the_older(gate: Rig) -> None:
    older = await gate.connected()
    newer = gate.agent(older.identity, boot_id=older.boot_id)

    await newer.connect()

    ended = await older.wait_ended()
    assert (ended.code, ended.reason) == (4409, "superseded")
    assert len(gate.gateway.roster) == 1
    newer.send({"type": "claim", "task_id": "t", "attempt": 1})
    (claim,) = await gate.messages(RESULTS, "claim")
    assert claim["agent_id"] == newer.agent_id
    assert await gate.holder(newer) == gate.gateway.gateway_id


async def test_a_second_machine_with_the_same_key_is_refused_while_the_first_lives(
    gate: Rig,
) -> None:
    first = await gate.connected()
    clone = gate.agent(first.identity)

    with pytest.raises(Ended) as refused:
        await clone.connect()

    assert (refused.value.code, refused.value.reason) == (4409, "cloned")
    assert first.is_connected


async def test_a_restarted_host_replaces_its_dead_session(gate: Rig) -> None:
    before = await gate.connected()
    assert before.line is not None
    before.line.stop_reading()
    after = gate.agent(before.identity)

    await after.connect()

    assert len(gate.gateway.roster) == 1
    entries = await gate.messages(STATUS, "connected", 2)
    assert entries[-1]["boot_id"] == after.boot_id


@pytest.mark.parametrize("fact", [AgentDisabled, AgentRetired])
async def test_a_revoked_agent_is_cut_off_by_the_fact(
    gate: Rig, fact: type[AgentDisabled] | type[AgentRetired]
) -> None:
    agent = await gate.connected()
    gate.revoke(agent)

    await gate.fact(fact(agent_id=agent.agent_id))

    assert (await agent.wait_ended(timeout=5)).code == 4403
    assert [m["t"] for m in await gate.messages(STATUS, "disconnected")] == [
        "connected",
        "disconnected",
    ][1:]
    with pytest.raises(Ended) as refused:
        await agent.connect()
    assert refused.value.code == 4403


async def test_an_old_fact_that_comes_again_ends_nothing(gate: Rig) -> None:
    agent, other = await gate.connected(), await gate.connected()
    facts: list[HostsFact] = [
        AgentDisabled(agent_id=agent.agent_id),
        AgentEnabled(agent_id=agent.agent_id),
    ]

    for fact in facts:
        await gate.fact(fact)
    gate.revoke(other)
    await gate.fact(AgentDisabled(agent_id=other.agent_id))

    await other.wait_ended()
    assert agent.is_connected


async def test_a_fact_that_got_lost_is_made_up_for_by_comparison(rigs: Rigs) -> None:
    gate = await rigs(reconcile_seconds=0.2)
    agent, other = await gate.connected(), await gate.connected()

    gate.revoke(agent)

    assert (await agent.wait_ended()).code == 4403
    assert other.is_connected


async def test_hosts_out_of_reach_ends_no_session(rigs: Rigs) -> None:
    gate = await rigs(reconcile_seconds=0.1)
    agent = await gate.connected()
    gate.hosts.is_up = False
    asked = gate.hosts.calls["agent_identities"]

    await eventually(lambda: gate.hosts.calls["agent_identities"] > asked + 2)

    assert agent.is_connected


async def test_bye_ends_the_session_and_is_announced(gate: Rig) -> None:
    agent = await gate.connected()

    await agent.close()

    (entry,) = await gate.messages(STATUS, "disconnected")
    assert entry["session_id"] == agent.session_id
    await eventually(lambda: gate.gateway.roster.find(agent.agent_id) is None)

    async def is_free() -> bool:
        return not await gate.redis.exists(session_key(agent.agent_id))

    await eventually(is_free)


async def test_a_stopping_gateway_says_when_to_come_back(rigs: Rigs) -> None:
    gate = await rigs()
    agents = [await gate.connected() for _ in range(3)]

    gate.gateway.stop()

    for agent in agents:
        bye = await agent.expect("bye")
        assert bye["code"] == 1012
        assert "retry_after=" in str(bye["reason"])
        assert (await agent.wait_ended()).code == 1012
    assert len(await gate.messages(STATUS, "disconnected", 3)) == 3


async def test_one_agent_that_reconnects_all_the_time_is_held_back(gate: Rig) -> None:
    agent = gate.agent()
    refused = None

    for _ in range(30):
        try:
            await agent.connect()
            await agent.drop()
        except Ended as ended:
            refused = ended
            break

    assert refused is not None
    assert refused.code == 1013


async def test_more_handshakes_than_the_rate_are_told_when_to_come(rigs: Rigs) -> None:
    gate = await rigs(handshakes_per_second=0.1, handshake_burst=2)
    await gate.connected()
    await gate.connected()

    with pytest.raises(Refused) as refused:
        await gate.connected()

    assert refused.value.status == 503
    assert int(refused.value.headers["retry-after"]) >= 1
