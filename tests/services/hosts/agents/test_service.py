"""Agents: identities that are shut out and let in, and who is there, with and without Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from libs.contracts.agents import STATUS
from libs.contracts.hosts import EnrolAnswer
from libs.kit import clock
from libs.kit.bus import BatchStream
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from libs.kit.redis import Redis
from services.hosts.agents.domain import Presence, boiled_down
from services.hosts.agents.schemas import AgentQuery
from services.hosts.agents.service import Agents, PresenceIntake, PresenceSweep
from services.hosts.enrolment.service import Enrolment
from services.hosts.errors import AgentIsRetired, AgentNotFound
from services.hosts.schemas import HostQuery
from services.hosts.service import Hosts
from services.hosts.settings import HostsSettings
from tests.services.hosts.conftest import enrol, facts, make_host
from tests.support.doors import ADMIN
from tests.support.waiting import eventually


@pytest.fixture
async def agent(enrolment: Enrolment) -> EnrolAnswer:
    """An enrolled agent that has not connected yet."""
    return await enrol(enrolment)


def message(kind: str, agent_id: str, **fields: object) -> dict[str, object]:
    return {
        "t": kind,
        "agent_id": agent_id,
        "gateway_id": "g1",
        "session_id": "s1",
        "boot_id": "b1",
        "at": clock.now().isoformat(),
        "metrics": {"cpu_percent": 5},
        **fields,
    }


def news(*messages: dict[str, object]) -> Presence:
    return boiled_down(messages, clock.now())


async def status(hosts: Hosts, host_id: int) -> str:
    return str((await hosts.one(host_id, ADMIN)).agent_status)


# ---- identities --------------------------------------------------------------------------------


async def test_disabling_shuts_out_and_enabling_lets_in(
    agents: Agents, hosts: Hosts, intake: PresenceIntake, agent: EnrolAnswer, db: Database
) -> None:
    await intake.note(news(message("connected", agent.agent_id)))

    for _ in range(2):
        await agents.disable(agent.agent_id)
    disabled = await agents.identity(agent.agent_id)
    await intake.note(news(message("heartbeat", agent.agent_id)))
    shown = await status(hosts, agent.host_id)
    for _ in range(2):
        await agents.enable(agent.agent_id)
    enabled = await agents.identity(agent.agent_id)

    assert disabled is not None
    assert enabled is not None
    assert (disabled.status, enabled.status) == ("disabled", "active")
    assert shown == "disabled"
    assert await status(hosts, agent.host_id) == "offline"
    assert (await facts(db))[2:] == ["agent_disabled", "agent_enabled"]


async def test_a_retired_agent_is_gone_for_good(
    agents: Agents, hosts: Hosts, intake: PresenceIntake, agent: EnrolAnswer
) -> None:
    await agents.retire(agent.agent_id)
    await intake.note(news(message("connected", agent.agent_id)))

    identity = await agents.identity(agent.agent_id)
    assert identity is not None
    assert identity.status == "retired"
    assert await status(hosts, agent.host_id) == "none"
    assert (await agents.page(AgentQuery()))[0] == 0
    with pytest.raises(AgentIsRetired):
        await agents.enable(agent.agent_id)
    for refused in (agents.one, agents.disable, agents.retire):
        with pytest.raises(AgentNotFound):
            await refused(agent.agent_id)


async def test_identities_come_in_one_answer(agents: Agents, enrolment: Enrolment) -> None:
    answers = [await enrol(enrolment) for _ in range(3)]
    await agents.retire(answers[0].agent_id)

    found = await agents.identities([*(one.agent_id for one in answers), "unknown"])

    assert {one.agent_id: one.status for one in found} == {
        answers[0].agent_id: "retired",
        answers[1].agent_id: "active",
        answers[2].agent_id: "active",
    }
    assert await agents.identity("unknown") is None


async def test_agents_are_listed_with_their_hosts(
    agents: Agents, enrolment: Enrolment, intake: PresenceIntake
) -> None:
    answers = [await enrol(enrolment, hostname=name) for name in ("b", "a", "c")]
    await intake.note(news(message("connected", answers[0].agent_id)))
    await agents.disable(answers[2].agent_id)

    total, found = await agents.page(AgentQuery())
    online = await agents.page(AgentQuery.model_validate({"status": "online"}))
    offline = await agents.page(AgentQuery.model_validate({"status": "offline"}))
    disabled = await agents.page(AgentQuery.model_validate({"status": "disabled"}))
    by_id = await agents.page(AgentQuery(search=answers[1].agent_id[:8]))
    last_seen_first = await agents.page(AgentQuery(sort="-last_seen_at", page_size=1))

    assert total == 3
    assert [host.name for _, host in found] == ["a", "b", "c"]
    assert [host.name for _, host in online[1]] == ["b"]
    assert [host.name for _, host in offline[1]] == ["a"]
    assert [host.name for _, host in disabled[1]] == ["c"]
    assert [host.name for _, host in by_id[1]] == ["a"]
    assert [host.name for _, host in last_seen_first[1]] == ["b"]


# ---- presence ----------------------------------------------------------------------------------


async def test_connecting_and_leaving_shows(
    hosts: Hosts, intake: PresenceIntake, agent: EnrolAnswer
) -> None:
    hello = {"agent_version": "1.2.3", "arch": "x86_64"}
    await intake.note(news(message("connected", agent.agent_id, hello=hello)))
    online = await hosts.one(agent.host_id, ADMIN)
    await intake.note(news(message("heartbeat", agent.agent_id)))
    measured = await hosts.one(agent.host_id, ADMIN)
    await intake.note(news(message("disconnected", agent.agent_id)))
    left = await hosts.one(agent.host_id, ADMIN)

    assert (online.agent_status, online.agent_version) == ("online", "1.2.3")
    assert bytes(measured.metrics or b"") == b'{"cpu_percent": 5}'
    assert measured.agent_version == "1.2.3"
    assert left.agent_status == "offline"
    assert left.last_seen_at is not None


async def test_the_end_of_an_old_session_does_not_end_the_new_one(
    hosts: Hosts, intake: PresenceIntake, agent: EnrolAnswer
) -> None:
    await intake.note(news(message("connected", agent.agent_id, session_id="old")))
    await intake.note(news(message("connected", agent.agent_id, session_id="new")))

    await intake.note(news(message("disconnected", agent.agent_id, session_id="old")))
    assert await status(hosts, agent.host_id) == "online"

    await intake.note(news(message("disconnected", agent.agent_id, session_id="new")))
    assert await status(hosts, agent.host_id) == "offline"


async def test_old_news_does_not_bring_anybody_back(
    hosts: Hosts, intake: PresenceIntake, agent: EnrolAnswer
) -> None:
    old = (clock.now() - timedelta(minutes=10)).isoformat()

    await intake.note(news(message("heartbeat", agent.agent_id, at=old)))

    assert await status(hosts, agent.host_id) == "offline"


async def test_news_in_the_wrong_order_keeps_the_latest(
    hosts: Hosts, intake: PresenceIntake, agent: EnrolAnswer
) -> None:
    late = message("heartbeat", agent.agent_id, metrics={"cpu_percent": 1})
    later = message("heartbeat", agent.agent_id, metrics={"cpu_percent": 2})

    await intake.note(news(later))
    await intake.note(news(late))

    assert bytes((await hosts.one(agent.host_id, ADMIN)).metrics or b"") == b'{"cpu_percent": 2}'


async def test_strangers_in_a_batch_change_nothing(
    hosts: Hosts, intake: PresenceIntake, agent: EnrolAnswer
) -> None:
    await intake.note(
        news(message("heartbeat", "0" * 32), message("heartbeat", agent.agent_id), {"t": "x"})
    )

    assert await status(hosts, agent.host_id) == "online"


async def test_silence_means_offline_from_the_database_alone(
    hosts: Hosts,
    intake: PresenceIntake,
    sweep: PresenceSweep,
    agent: EnrolAnswer,
    time: StandingClock,
) -> None:
    await intake.note(news(message("connected", agent.agent_id)))
    time.advance(timedelta(seconds=29))
    assert await sweep.sweep() == 0
    assert await status(hosts, agent.host_id) == "online"

    time.advance(timedelta(seconds=2))
    assert await sweep.sweep() == 1

    assert await status(hosts, agent.host_id) == "offline"
    assert await sweep.sweep() == 0


async def test_who_beats_slowly_has_three_heartbeats_of_time(
    hosts: Hosts,
    intake: PresenceIntake,
    sweep: PresenceSweep,
    agent: EnrolAnswer,
    time: StandingClock,
) -> None:
    await intake.note(news(message("connected", agent.agent_id, heartbeat_seconds=10.0)))
    await intake.note(news(message("heartbeat", agent.agent_id, heartbeat_seconds=50.0)))
    time.advance(timedelta(seconds=149))
    assert await sweep.sweep() == 0
    assert await status(hosts, agent.host_id) == "online"

    time.advance(timedelta(seconds=2))
    assert await sweep.sweep() == 1

    assert await status(hosts, agent.host_id) == "offline"


async def test_a_thousand_agents_are_one_statement_per_batch(
    hosts: Hosts, intake: PresenceIntake, enrolment: Enrolment
) -> None:
    answers = [await enrol(enrolment) for _ in range(20)]

    await intake.note(news(*(message("heartbeat", one.agent_id) for one in answers * 50)))

    page = await hosts.page(HostQuery.model_validate({"agent_status": "online"}), ADMIN)
    assert page.total == 20


# ---- through Redis -----------------------------------------------------------------------------


@asynccontextmanager
async def running(db: Database, redis: Redis) -> AsyncIterator[None]:
    """The intake loop, as the service runs it."""
    intake = PresenceIntake(db, redis=redis, consumer="test", settings=HostsSettings())
    task = asyncio.create_task(intake.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_presence_arrives_through_the_stream(
    db: Database, redis: Redis, hosts: Hosts, agent: EnrolAnswer
) -> None:
    async with running(db, redis):
        await BatchStream.append(
            redis, STATUS, [message("connected", agent.agent_id)], maxlen=1000, gateway="g1"
        )

        async def online() -> bool:
            return await status(hosts, agent.host_id) == "online"

        await eventually(online)


async def test_presence_is_right_again_after_redis_was_emptied(
    db: Database, redis: Redis, hosts: Hosts, agent: EnrolAnswer
) -> None:
    async with running(db, redis):
        for kind, expected in (("connected", "online"), ("disconnected", "offline")) * 2:
            await redis.flushall()
            await BatchStream.append(
                redis, STATUS, [message(kind, agent.agent_id)], maxlen=1000, gateway="g1"
            )

            async def reached(expected: str = expected) -> bool:
                return await status(hosts, agent.host_id) == expected

            await eventually(reached)


async def test_rubbish_in_the_stream_does_not_stop_the_loop(
    db: Database, redis: Redis, hosts: Hosts, agent: EnrolAnswer
) -> None:
    async with running(db, redis):
        await redis.xadd(STATUS, {"batch": b"\xc1 not msgpack"})
        await redis.xadd(STATUS, {"nothing": b"at all"})
        await BatchStream.append(
            redis, STATUS, [{}, message("connected", agent.agent_id)], maxlen=1000
        )

        async def online() -> bool:
            return await status(hosts, agent.host_id) == "online"

        await eventually(online)


async def test_a_host_without_an_agent_stands_apart(hosts: Hosts) -> None:
    host = await make_host(hosts)

    assert await status(hosts, host.id) == "none"
