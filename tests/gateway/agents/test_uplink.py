"""From agents to Redis: batches, order of streams, Redis away, memory bounded."""

import asyncio
import os
import signal

import msgspec
import pytest

from gateway.agents.settings import AgentGatewaySettings
from gateway.agents.uplink import Uplink
from libs.contracts.agents import (
    FIELD_BATCH,
    FIELD_GATEWAY,
    LOGS,
    RESULTS,
    STATUS,
    gateway_key,
    session_key,
)
from libs.kit.redis import Redis, connect
from tests.gateway.agents.conftest import Rigs
from tests.gateway.agents.fake_hosts import FakeHosts
from tests.gateway.agents.rig import Rig, rig
from tests.gateway.agents.samples import CLAIM, OUTPUT, PROGRESS, RESULT
from tests.support.agents import FakeAgent, Message
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually


def output(seq: int, size: int = 1000) -> Message:
    """One chunk of output."""
    data = b"x" * size
    return OUTPUT | {"seq": seq, "offset": seq * size, "length": size, "data": data}


async def test_a_message_keeps_all_its_fields(gate: Rig) -> None:
    agent = await gate.connected()

    agent.send(RESULT)
    agent.send(OUTPUT)

    (result,) = await gate.messages(RESULTS, "result")
    (chunk,) = await gate.messages(LOGS, "output")
    owner = {"agent_id": agent.agent_id}
    kind = {"type": None}
    assert result == {k: v for k, v in RESULT.items() if k not in kind} | owner | {
        "t": "result",
        "boot_id": agent.boot_id,
        "session_id": agent.session_id,
    }
    assert chunk == {k: v for k, v in OUTPUT.items() if k not in kind} | owner | {"t": "output"}


async def test_a_heartbeat_waits_for_company_but_nothing_waits_for_it(
    gate: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.agents.uplink.LATER_SECONDS", 60.0)
    calm, busy = await gate.connected(), await gate.connected()
    await gate.gateway.uplink.drained()
    await gate.redis.delete(session_key(calm.agent_id))

    calm.beat()
    one = await eventually(lambda: gate.gateway.uplink.waiting_bytes)
    calm.beat()
    await eventually(lambda: gate.gateway.uplink.waiting_bytes > one)
    assert "heartbeat" not in [message["t"] for message in await gate.stream(STATUS)]
    busy.send(CLAIM)

    await gate.messages(RESULTS, "claim")
    assert [message["t"] for message in await gate.stream(STATUS)].count("heartbeat") == 2
    assert await gate.holder(calm) == gate.gateway.gateway_id


async def test_progress_of_files_goes_with_the_results(gate: Rig) -> None:
    agent = await gate.connected()

    agent.send(PROGRESS)

    (progress,) = await gate.messages(RESULTS, "progress")
    assert progress["files"] == PROGRESS["files"]
    assert (progress["task_id"], progress["agent_id"]) == ("t1", agent.agent_id)


async def test_many_messages_share_entries_and_keep_their_order(gate: Rig) -> None:
    agent = await gate.connected()

    for seq in range(500):
        agent.send(output(seq, 100))

    found = await gate.messages(LOGS, "output", 500)
    entries = await gate.redis.xrange(LOGS)
    assert [m["seq"] for m in found] == list(range(500))
    assert len(entries) <= 50
    assert {fields[FIELD_GATEWAY.encode()] for _, fields in entries} == {
        gate.gateway.gateway_id.encode()
    }


async def test_an_entry_never_holds_more_than_a_quarter_megabyte(gate: Rig) -> None:
    agent = await gate.connected()

    for seq in range(20):
        agent.send(output(seq, 60_000))

    await gate.messages(LOGS, "output", 20)
    sizes = [len(fields[b"batch"]) for _, fields in await gate.redis.xrange(LOGS)]
    assert max(sizes) <= 256 * 1024


class Quiet:
    """A source that nobody has to stop."""

    buffered = 0

    def pause(self) -> None:
        """Nothing to stop."""

    def resume(self) -> None:
        """Nothing to go on with."""


async def test_results_go_ahead_of_logs(redis: Redis) -> None:
    uplink = Uplink(redis, "gw", AgentGatewaySettings())
    for seq in range(40):
        uplink.put(LOGS, msgspec.msgpack.encode({"seq": seq, "data": b"x" * 60_000}), Quiet())
    uplink.put(RESULTS, msgspec.msgpack.encode({"t": "result"}), Quiet())

    writing = asyncio.create_task(uplink.run())
    await uplink.drained()
    writing.cancel()
    await asyncio.wait([writing])

    ((result, _),) = await redis.xrange(RESULTS)
    logs = [position for position, _ in await redis.xrange(LOGS)]
    assert len(logs) == 10
    assert _stamp(result) <= min(map(_stamp, logs))


def _stamp(position: bytes) -> int:
    return int(position.split(b"-")[0])


class away:  # noqa: N801 - reads as a clause in tests
    """A gateway with one agent whose Redis has just been killed."""

    def __init__(self, server: ValkeyServer, hosts: FakeHosts, **settings: object) -> None:
        self._server = server
        self._hosts = hosts
        self._settings = settings

    async def __aenter__(self) -> tuple[Rig, FakeAgent, Redis]:
        self._server.start()
        self._redis = connect(self._server.url)
        self._rig = rig(self._redis, self._hosts, files=None, **self._settings)
        gate = await self._rig.__aenter__()
        agent = await gate.connected()
        await gate.gateway.uplink.drained()
        self._server.kill()
        return gate, agent, self._redis

    async def __aexit__(self, *error: object) -> None:
        await self._rig.__aexit__(None, None, None)
        await self._redis.aclose()


async def test_nothing_is_lost_while_redis_is_away(
    own_valkey: ValkeyServer, hosts: FakeHosts
) -> None:
    async with away(own_valkey, hosts) as (gate, agent, _):
        agent.send(CLAIM)
        for seq in range(300):
            agent.send(output(seq))
        await eventually(lambda: not gate.gateway.uplink.is_healthy)
        own_valkey.start()

        claims = await gate.messages(RESULTS, "claim")
        chunks = await gate.messages(LOGS, "output", 300)

        assert len(claims) >= 1
        assert sorted({m["seq"] for m in chunks}) == list(range(300))  # type: ignore[type-var]
        assert agent.is_connected


async def test_progress_takes_no_room_while_redis_is_away(
    own_valkey: ValkeyServer, hosts: FakeHosts
) -> None:
    async with away(own_valkey, hosts) as (gate, agent, _):
        agent.send(CLAIM)
        await eventually(lambda: not gate.gateway.uplink.is_healthy)
        agent.send(PROGRESS)
        agent.send(RESULT)
        own_valkey.start()

        await gate.messages(RESULTS, "result")

        assert "progress" not in [m["t"] for m in await gate.stream(RESULTS)]


async def test_while_redis_is_away_no_more_is_read_than_the_budget(
    own_valkey: ValkeyServer, hosts: FakeHosts
) -> None:
    async with away(own_valkey, hosts, session_buffer_bytes=64 * 1024) as (gate, agent, _):
        for seq in range(400):
            agent.send(output(seq, 60_000))

        await eventually(lambda: not gate.gateway.uplink.is_healthy)
        session = gate.gateway.roster.find(agent.agent_id)
        assert session is not None
        await eventually(lambda: session.is_paused)
        assert gate.gateway.uplink.waiting_bytes < 2 * 1024 * 1024
        own_valkey.start()

        chunks = await gate.messages(LOGS, "output", 400)
        assert [m["seq"] for m in chunks] == list(range(400))


async def test_all_sessions_are_announced_again_after_redis_was_away(
    own_valkey: ValkeyServer, hosts: FakeHosts
) -> None:
    async with away(own_valkey, hosts) as (gate, agent, _):
        other = gate.agent()
        agent.send(CLAIM)
        await eventually(lambda: not gate.gateway.uplink.is_healthy)
        own_valkey.start()

        (entry,) = await gate.messages(STATUS, "connected")

        assert entry["again"] is True
        assert entry["agent_id"] == agent.agent_id
        assert isinstance(entry["hello"], dict)
        assert await gate.holder(agent) == gate.gateway.gateway_id
        await other.connect()


async def test_an_emptied_redis_is_noticed_without_any_error(gate: Rig) -> None:
    agent = await gate.connected(beats=True)
    await gate.messages(STATUS, "connected")

    await gate.redis.flushall()

    (entry,) = await gate.messages(STATUS, "connected")
    assert entry["again"] is True
    await gate.frame(agent, {"type": "result_ack", "task_id": "t", "attempt": 1})
    await agent.expect("result_ack")


async def test_frames_arrive_after_redis_was_restarted_empty(
    own_valkey: ValkeyServer, hosts: FakeHosts
) -> None:
    async with away(own_valkey, hosts, heartbeat_seconds=5) as (gate, agent, _):
        own_valkey.start()
        async with connect(own_valkey.url) as fresh:
            execution = Rig(gate.gateway, hosts, fresh)

            await execution.frame(agent, {"type": "result_ack", "task_id": "t", "attempt": 1})

            await agent.expect("result_ack")


async def test_new_agents_wait_while_redis_is_away(
    own_valkey: ValkeyServer, hosts: FakeHosts
) -> None:
    async with away(own_valkey, hosts) as (gate, agent, _):
        agent.send(CLAIM)
        await eventually(lambda: not gate.gateway.uplink.is_healthy)
        other = gate.raw()
        await other.open()

        other.write(
            b"GET /ws/agent/x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Protocol: opsjob.agent.v1\r\n\r\n"
        )

        answer = await other.everything()
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after" in answer.lower()


async def test_a_redis_that_hangs_is_waited_for(own_valkey: ValkeyServer, hosts: FakeHosts) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    async with rig(redis, hosts, heartbeat_seconds=5) as gate:
        agent = await gate.connected()
        os.kill(own_valkey.pid, signal.SIGSTOP)
        agent.send(CLAIM)
        await eventually(lambda: not gate.gateway.uplink.is_healthy)
        os.kill(own_valkey.pid, signal.SIGCONT)

        found = await gate.messages(RESULTS, "claim")

        assert {m["task_id"] for m in found} == {"t1"}
    await redis.aclose()


async def test_a_lonely_message_is_not_kept_waiting(rigs: Rigs) -> None:
    gate = await rigs(linger_seconds=0.1)
    agent = await gate.connected()
    await gate.gateway.uplink.drained()
    key = gateway_key(gate.gateway.gateway_id)
    assert await gate.redis.exists(f"{key}:mark")

    agent.send(CLAIM)

    await gate.messages(RESULTS, "claim")


async def test_where_many_speak_one_by_one_they_wait_for_each_other(redis: Redis) -> None:
    uplink = Uplink(redis, "gw", AgentGatewaySettings(linger_seconds=0.01))
    writing = asyncio.create_task(uplink.run())
    for many in (120, 1):  # the last write holds one message, but many came of late
        for number in range(many):
            uplink.put(RESULTS, msgspec.msgpack.encode({"t": number}), Quiet())
        await uplink.drained()

    uplink.put(RESULTS, msgspec.msgpack.encode({"t": "first"}), Quiet())
    for _ in range(5):
        await asyncio.sleep(0)
    uplink.put(RESULTS, msgspec.msgpack.encode({"t": "second"}), Quiet())
    await uplink.drained()
    writing.cancel()
    await asyncio.wait([writing])

    (newest,) = await redis.xrevrange(RESULTS, count=1)
    messages = msgspec.msgpack.decode(newest[1][FIELD_BATCH.encode()])
    assert messages == [{"t": "first"}, {"t": "second"}]
