"""From Redis to agents, and who is there: frames, closes, heartbeats, silence."""

import pytest

from gateway.agents.presence import Presence
from libs.contracts.agents import STATUS, gateway_key, session_key
from tests.gateway.agents.conftest import Rigs
from tests.gateway.agents.rig import Rig
from tests.gateway.agents.samples import CLAIM
from tests.support.agents import Message
from tests.support.waiting import eventually, later

ACK: Message = {"type": "result_ack", "task_id": "t1", "attempt": 1}


async def test_frames_reach_their_agents_as_they_are_and_in_order(gate: Rig) -> None:
    first, second = await gate.connected(), await gate.connected()

    for attempt in range(1, 50):
        await gate.frame(first, ACK | {"attempt": attempt})
    await gate.frame(second, ACK)

    await second.expect("result_ack")
    await eventually(lambda: first.counts["result_ack"] == 49)
    assert [m["attempt"] for m in first.received if m["type"] == "result_ack"] == list(range(1, 50))
    assert second.counts["result_ack"] == 1


async def test_frames_for_agents_that_are_not_here_are_dropped(gate: Rig) -> None:
    agent, away = await gate.connected(), gate.agent()

    await gate.frame(away, ACK)
    await gate.frame(agent, ACK)

    await agent.expect("result_ack")
    await away.connect()
    assert away.counts["result_ack"] == 0


async def test_an_unreadable_entry_stops_nothing(gate: Rig) -> None:
    agent = await gate.connected()
    key = gateway_key(gate.gateway.gateway_id)

    await gate.redis.xadd(key, {"batch": b"\xc1"})
    await gate.redis.xadd(key, {"other": b"x"})
    await gate.redis.xadd(key, {"batch": b"\x91\x81\xa2to\x05"})
    await gate.frame(agent, ACK)

    await agent.expect("result_ack")


async def test_a_session_can_be_closed_from_outside(gate: Rig) -> None:
    agent = await gate.connected()

    await gate.send({"close": agent.agent_id, "code": 4403, "reason": "disabled"})

    ended = await agent.wait_ended()
    assert (ended.code, ended.reason) == (4403, "closed_by_platform: disabled")


async def test_an_agent_that_does_not_read_is_cut_off(rigs: Rigs) -> None:
    gate = await rigs(downlink_buffer_bytes=1024 * 1024, heartbeat_seconds=30)
    agent, other = await gate.connected(), await gate.connected()
    assert agent.line is not None
    agent.line.stop_reading()

    for _ in range(200):
        await gate.frame(agent, ACK | {"x_padding": "x" * 100_000})

    await eventually(lambda: gate.gateway.roster.find(agent.agent_id) is None)
    await gate.frame(other, ACK)
    await other.expect("result_ack")


async def test_a_heartbeat_says_enough_to_rebuild_everything(gate: Rig) -> None:
    agent = await gate.connected()
    await gate.gateway.uplink.drained()
    await gate.redis.delete(session_key(agent.agent_id))

    agent.beat(cpu_percent=42)

    (beat,) = await gate.messages(STATUS, "heartbeat")
    assert beat["agent_id"] == agent.agent_id
    assert beat["gateway_id"] == gate.gateway.gateway_id
    assert beat["session_id"] == agent.session_id
    assert beat["boot_id"] == agent.boot_id
    assert isinstance(beat["metrics"], dict)
    assert beat["metrics"]["cpu_percent"] == 42
    assert await gate.holder(agent) == gate.gateway.gateway_id
    assert 40 <= await gate.redis.ttl(session_key(agent.agent_id)) <= 45


async def test_a_silent_agent_is_given_up_after_three_heartbeats(rigs: Rigs) -> None:
    gate = await rigs(heartbeat_seconds=60)  # of each 48 to 72 s, so patience ends after 144 to 216
    silent, alive = await gate.connected(), await gate.connected()

    with later(seconds=100):
        alive.beat()
        await gate.messages(STATUS, "heartbeat")
        with later(seconds=120):
            entries = await gate.messages(STATUS, "disconnected")

            assert [entry["agent_id"] for entry in entries] == [silent.agent_id]
            assert (await silent.wait_ended()).code in (4408, 1006)
            assert alive.is_connected


async def test_pings_are_a_sign_of_life_too(rigs: Rigs) -> None:
    gate = await rigs(heartbeat_seconds=60)
    silent, pinging = await gate.connected(), await gate.connected()
    session = gate.gateway.roster.find(pinging.agent_id)
    assert pinging.line is not None
    assert session is not None

    with later(seconds=100):
        before = session.last_heard
        pinging.line.ping()
        await eventually(lambda: session.last_heard > before)
        with later(seconds=120):
            await eventually(lambda: gate.gateway.roster.find(silent.agent_id) is None)
            assert pinging.is_connected


async def test_the_key_of_an_agent_that_moved_stays_with_the_other_gateway(rigs: Rigs) -> None:
    one, two = await rigs(), await rigs()
    agent = await one.connected()
    assert await one.holder(agent) == one.gateway.gateway_id
    moved = two.agent(agent.identity, boot_id=agent.boot_id)
    await moved.connect()
    await two.gateway.uplink.drained()

    await agent.drop()
    await one.messages(STATUS, "disconnected")
    await one.gateway.uplink.drained()

    assert await two.holder(agent) == two.gateway.gateway_id
    moved.send(CLAIM)


@pytest.mark.parametrize(
    ("expected", "seconds"), [(0, 10.0), (2_000, 10.0), (10_000, 50.0), (40_000, 60.0)]
)
async def test_a_larger_fleet_beats_more_slowly(rigs: Rigs, expected: int, seconds: float) -> None:
    gate = await rigs(heartbeat_seconds=10, expected_agents=expected)
    presence: Presence = gate.gateway.presence

    intervals = [presence.interval() for _ in range(500)]

    assert min(intervals) >= 0.8 * seconds
    assert max(intervals) <= 1.2 * seconds
    assert abs(sum(intervals) / 500 - seconds) < 0.05 * seconds
    assert len(set(intervals)) > 100


async def test_early_agents_are_slowed_down_once_the_fleet_has_grown(rigs: Rigs) -> None:
    gate = await rigs(heartbeat_seconds=2, heartbeats_per_second=1)  # 2 s for two, 6 s for six
    first = await gate.connected()
    older = gate.agent()
    hello = older.hello
    older.hello = lambda challenge, **_: hello(challenge, protocol=4)  # type: ignore[method-assign]
    await older.connect()
    *_, last = [await gate.connected() for _ in range(4)]

    for agent in (first, older, last):
        agent.beat()

    tempo = await first.expect("tempo")
    assert 4.8 <= float(str(tempo["heartbeat_seconds"])) <= 7.2
    beats = await gate.messages(STATUS, "heartbeat", 3)
    told = {str(beat["agent_id"]): beat["heartbeat_seconds"] for beat in beats}
    assert told[first.agent_id] == tempo["heartbeat_seconds"]  # readers know before it is slow
    assert told[older.agent_id] == older.heartbeat_seconds
    assert told[last.agent_id] == last.heartbeat_seconds

    # More than three first pauses of these two, at most 7.2 s, and less than the others wait, at
    # least 9.6 s but for one: so the fleet does not shrink as much as to be told to hurry again.
    with later(seconds=8):
        await eventually(lambda: gate.gateway.roster.find(older.agent_id) is None)
        assert first.is_connected
        for _ in range(34):  # all that it might have sent before it heard
            first.beat()
        await gate.messages(STATUS, "heartbeat", 37)
    assert first.counts["tempo"] == 1
    assert older.counts["tempo"] == last.counts["tempo"] == 0


async def test_slow_agents_are_sped_up_once_the_fleet_has_shrunk(rigs: Rigs) -> None:
    gate = await rigs(heartbeat_seconds=2, heartbeats_per_second=1)  # 3 s for 3, 10 s for 10
    early, *others = [await gate.connected() for _ in range(8)]
    older = gate.agent()
    hello = older.hello
    older.hello = lambda challenge, **_: hello(challenge, protocol=4)  # type: ignore[method-assign]
    await older.connect()
    last = await gate.connected()
    slow = last.heartbeat_seconds
    roster = gate.gateway.roster

    async def told(beats: int) -> object:
        found = await gate.messages(STATUS, "heartbeat", beats)
        return next(
            m["heartbeat_seconds"] for m in reversed(found) if m["agent_id"] == last.agent_id
        )

    for agent in others[:3]:
        await agent.drop()
    await eventually(lambda: len(roster) <= 7)
    last.beat()
    assert await told(1) == slow
    assert last.counts["tempo"] == 0  # that it is a little smaller is no reason

    for agent in others[3:]:
        await agent.drop()
    await eventually(lambda: len(roster) <= 3)
    older.beat()
    last.beat()
    tempo = await last.expect("tempo")
    assert 1.6 <= float(str(tempo["heartbeat_seconds"])) <= 3.6
    assert await told(3) == slow  # it may hear of it late

    with later(seconds=12):  # more than three of its new pauses, less than two of its former ones
        await eventually(lambda: roster.find(early.agent_id) is None)
        assert last.is_connected
        for _ in range(28):  # more than one so slow might send, fewer than this one may now
            last.beat()
        assert await told(31) == tempo["heartbeat_seconds"]
        with later(seconds=12):
            await eventually(lambda: roster.find(last.agent_id) is None)
    assert last.counts["tempo"] == 1
    assert older.counts["tempo"] == 0
