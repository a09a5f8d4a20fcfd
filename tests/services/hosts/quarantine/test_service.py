"""Quarantine: an identity that two machines hold is shut out until somebody has looked."""

from datetime import timedelta

import pytest

from libs.contracts.hosts import AgentIdentity, EnrolAnswer
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from services.hosts.agents.service import Agents, PresenceIntake
from services.hosts.enrolment.service import Enrolment
from services.hosts.errors import AgentIsRetired, AgentNotFound
from services.hosts.quarantine.service import Quarantine
from services.hosts.settings import HostsSettings
from tests.services.hosts.agents.test_service import message, news
from tests.services.hosts.conftest import enrol, facts


@pytest.fixture
def quarantine(db: Database) -> Quarantine:
    return Quarantine(db)


@pytest.fixture
async def agent(enrolment: Enrolment) -> EnrolAnswer:
    """An enrolled agent that has not connected yet."""
    return await enrol(enrolment)


class Machine:
    """One machine that holds the key of an agent; `connect` is what its gateway says then."""

    def __init__(self, intake: PresenceIntake, agent_id: str, time: StandingClock) -> None:
        self._intake = intake
        self._agent_id = agent_id
        self._time = time

    async def connect(self, boot_id: str, **fields: object) -> None:
        """A new session on a boot, a minute later."""
        self._time.advance(timedelta(seconds=60))
        said = message("connected", self._agent_id, boot_id=boot_id, hello={}, **fields)
        await self._intake.note(news(said))

    async def beat(self, session_id: str, gateway_id: str, **fields: object) -> None:
        """A heartbeat of a session, some seconds after the last sign of life of any."""
        self._time.advance(timedelta(seconds=7))
        said = message("heartbeat", self._agent_id, session_id=session_id, gateway_id=gateway_id)
        await self._intake.note(news(said | fields))


@pytest.fixture
def machine(
    db: Database, quarantine: Quarantine, agent: EnrolAnswer, time: StandingClock
) -> Machine:
    intake = PresenceIntake(
        db,
        redis=None,  # type: ignore[arg-type]  # nothing is read from it here
        consumer="test",
        settings=HostsSettings(),
        watch=quarantine.watch,
    )
    return Machine(intake, agent.agent_id, time)


async def state(agents: Agents, agent: EnrolAnswer) -> str:
    """What sessions are checked against."""
    found = await agents.identity(agent.agent_id)
    assert isinstance(found, AgentIdentity)
    return str(found.status)


async def test_s5_a_boot_that_comes_back_shuts_the_identity_out(
    agents: Agents, machine: Machine, agent: EnrolAnswer, db: Database
) -> None:
    for boot in ("a", "b", "c"):
        await machine.connect(boot)
    assert await state(agents, agent) == "active"

    await machine.connect("b")

    assert await state(agents, agent) == "quarantined"
    shown, _ = await agents.one(agent.agent_id)
    assert "former boot" in (shown.quarantine_reason or "")
    assert not shown.is_online
    said = await facts(db)
    assert "agent_quarantined" in said


async def test_s5_two_machines_of_one_boot_at_two_gateways_are_shut_out(
    agents: Agents, machine: Machine, agent: EnrolAnswer
) -> None:
    await machine.connect("a", session_id="one", gateway_id="east")
    await machine.connect("a", session_id="two", gateway_id="west")

    beats = 0
    while await state(agents, agent) == "active" and beats < 20:
        await machine.beat("one", "east")
        await machine.beat("two", "west")
        beats += 1

    assert beats == 5
    shown, _ = await agents.one(agent.agent_id)
    assert "take turns" in (shown.quarantine_reason or "")
    assert not shown.is_online


async def test_what_arrives_late_of_a_broken_line_shuts_nobody_out(
    agents: Agents, machine: Machine, agent: EnrolAnswer, time: StandingClock
) -> None:
    """Lines that break often: each leaves behind what was on its way, then nothing."""
    for broken in range(8):
        for _ in range(3):
            await machine.beat(f"session {broken + 1}", "west")
            await machine.beat(f"session {broken}", "east")
        for _ in range(3):
            await machine.beat(f"session {broken + 1}", "west")
    repeated = time.now().isoformat()
    for number in range(20):
        await machine.beat(f"session {number % 2}", "east", at=repeated)

    assert await state(agents, agent) == "active"


async def test_reboots_and_reconnects_shut_nobody_out(
    agents: Agents, machine: Machine, agent: EnrolAnswer
) -> None:
    for boot in ("a", "a", "b", "b", "b", "c", "c"):
        await machine.connect(boot)

    assert await state(agents, agent) == "active"


async def test_an_announcement_that_is_old_or_repeated_shuts_nobody_out(
    agents: Agents, machine: Machine, agent: EnrolAnswer, time: StandingClock
) -> None:
    """Redis may repeat what it carried; a gateway repeats itself when Redis was away."""
    await machine.connect("a")
    old = (time.now() - timedelta(seconds=1)).isoformat()
    await machine.connect("b")

    await machine.connect("a", at=old)
    await machine.connect("a", again=True)

    assert await state(agents, agent) == "active"


async def test_what_a_gateway_saw_shuts_out_once_and_unknown_agents_are_nothing(
    agents: Agents, quarantine: Quarantine, agent: EnrolAnswer, db: Database
) -> None:
    for _ in range(3):
        await quarantine.cloned(agent.agent_id, ["a", "b"], "two living boots")
    await quarantine.cloned("0" * 32, ["a"], "two living boots")

    assert await state(agents, agent) == "quarantined"
    assert (await facts(db)).count("agent_quarantined") == 1


async def test_release_lets_in_again_and_forgets_the_boots(
    agents: Agents, quarantine: Quarantine, machine: Machine, agent: EnrolAnswer, db: Database
) -> None:
    await machine.connect("a")
    await machine.connect("b")
    await quarantine.put(agent.agent_id, "somebody looked over my shoulder")
    assert await state(agents, agent) == "quarantined"

    await quarantine.release(agent.agent_id)

    assert await state(agents, agent) == "active"
    assert "agent_enabled" in await facts(db)
    await machine.connect("a")
    assert await state(agents, agent) == "active"


async def test_a_new_enrolment_of_the_host_is_not_in_quarantine(
    agents: Agents, quarantine: Quarantine, enrolment: Enrolment, agent: EnrolAnswer
) -> None:
    await quarantine.put(agent.agent_id, "copied")

    fresh = await enrol(enrolment, agent.host_id)

    assert await state(agents, fresh) == "active"
    with pytest.raises(AgentIsRetired):
        await quarantine.release(agent.agent_id)


async def test_nobody_can_be_put_or_released_who_is_not_there(quarantine: Quarantine) -> None:
    with pytest.raises(AgentNotFound):
        await quarantine.put("0" * 32, "why")
    with pytest.raises(AgentNotFound):
        await quarantine.release("0" * 32)
