"""The sweeps: what waits is offered again, what is late expires, what is silent is lost."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.kit import clock
from libs.kit.redis import Redis
from services.execution.app import service
from services.execution.dispatch import service as dispatch
from services.execution.dispatch.service import sweeps
from tests.support.courier import Agent, Courier
from tests.support.database import Declared
from tests.support.execution import Neighbours, Rig, running
from tests.support.runs import tasks_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


class ShiftedClock(clock.Clock):
    """Real time plus what a test adds to it."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def monotonic(self) -> float:
        return super().monotonic() + self.shift.total_seconds()


@pytest.fixture
def time() -> Iterator[ShiftedClock]:
    shifted = ShiftedClock()
    before = clock.use(shifted)
    yield shifted
    clock.use(before)


async def beat(rig: Rig, agent: Agent) -> None:
    """A sign of life, until it is written down."""
    await rig.courier.connect(agent, again=True)
    await rig.courier.handled()


async def pass_time(rig: Rig, time: ShiftedClock, seconds: float) -> None:
    """Let time pass as it does, with the sweeps that belong to it, and not in one jump.

    Nobody is heard meanwhile: what was said before is handled by then.
    """
    await rig.courier.handled()
    until = time.shift + timedelta(seconds=seconds)
    while time.shift < until:
        time.shift = min(until, time.shift + timedelta(seconds=20))
        before = sweeps._value.get()
        await eventually(lambda before=before: sweeps._value.get() > before + 1)  # type: ignore[misc]  # defaults bind the loop's value


async def have_looked(rig: Rig, other: Agent) -> None:
    """Have outputs looked at: only a look finds that one has another hash than was signed."""
    execution_id = await rig.run(2)
    order = await rig.courier.start(other)
    await rig.courier.output(other, order, ("stdout", 0, 0, b"seen"))
    await rig.courier.expect(other, "ack", of=order)
    await rig.courier.result(other, order, stdout=b"said")
    await rig.until_task(execution_id, log_status="gap")


@pytest.fixture
async def rig(
    time: ShiftedClock,
    monkeypatch: pytest.MonkeyPatch,
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
) -> AsyncIterator[Rig]:
    monkeypatch.setenv("OPSJOB_EXECUTION_SWEEP_SECONDS", "0.05")
    async with running(database_url(service), redis_url, tmp_path) as made:
        yield made


async def test_an_offer_that_nobody_answered_is_repeated(rig: Rig, time: ShiftedClock) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    await rig.run(1)
    await rig.courier.expect(agent, "offer")

    time.shift += timedelta(seconds=16)

    await rig.courier.expect(agent, "offer")


async def test_a_grant_that_nobody_answered_is_offered_again_and_granted_the_same(
    rig: Rig, time: ShiftedClock
) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    await rig.courier.say(agent, "claim", order)
    first = await rig.courier.expect(agent, "grant")

    time.shift += timedelta(seconds=16)
    await rig.courier.expect(agent, "offer")
    await rig.courier.say(agent, "claim", order)

    assert await rig.courier.expect(agent, "grant") == first


async def test_every_page_of_a_new_execution_is_offered_and_absent_hosts_wait(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "FIRST_PAGE", 1)
    monkeypatch.setattr(dispatch, "PAGE", 2)
    agents = [rig.agent(number) for number in range(1, 7)]
    there = [agent for agent in agents if agent is not agents[2]]
    for agent in there:
        await rig.courier.connect(agent)

    execution_id = await rig.run(*range(1, 7))

    offers = [await rig.courier.expect(agent, "offer") for agent in there]
    assert len({str(offer["order"]) for offer in offers}) == 5
    tasks = tasks_of(await rig.show(execution_id))
    waiting = ["offered"] * 2 + ["queued"] + ["offered"] * 3
    assert [task["status"] for task in tasks] == waiting


async def test_offers_go_to_the_gateway_that_holds_the_agent_at_each_request(
    rig: Rig, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "EXPECTED_SECONDS", 60.0)
    agent, other = rig.agent(), Courier(redis, "gateway-2")
    await rig.courier.connect(agent)
    await rig.run(1)
    await rig.courier.expect(agent, "offer")

    await other.connect(agent)
    await other.handled()
    execution_id = await rig.run(1)

    async def offered() -> bool:
        return execution_id in {order["execution_id"] for order in await other.offered(agent)}

    await eventually(offered)
    assert execution_id not in {order["execution_id"] for order in await rig.courier.offered(agent)}


async def test_a_task_that_nobody_claims_in_time_expires(rig: Rig, time: ShiftedClock) -> None:
    rig.agent()
    execution_id = await rig.run(1, not_after_seconds=30)

    time.shift += timedelta(seconds=31)

    task = await rig.until_task(execution_id, status="expired")
    assert task["reason"] == "not_claimed_in_time"
    assert task["log_status"] == "none"
    await rig.until(execution_id, "expired")


async def test_an_expired_offer_is_not_granted(rig: Rig, time: ShiftedClock) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1, not_after_seconds=30)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    time.shift += timedelta(seconds=31)
    await rig.courier.say(agent, "claim", order)

    assert (await rig.courier.expect(agent, "refuse"))["reason"] == "expired"
    await rig.until(execution_id, "expired")


async def test_r39_a_silent_host_is_lost_only_when_agents_had_time_to_return(
    rig: Rig, time: ShiftedClock
) -> None:
    agent, other = rig.agent(1), rig.agent(2)
    await rig.courier.connect(agent)
    await rig.courier.connect(other)
    execution_id = await rig.run(1)
    await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    await pass_time(rig, time, 290)
    control = await rig.run(2)
    await rig.courier.result(other, await rig.courier.start(other))
    await rig.until(control, "success")
    assert (await rig.task(execution_id))["status"] == "running"
    await pass_time(rig, time, 60)

    task = await rig.until_task(execution_id, status="lost")
    assert task["reason"] == "agent_silent"


async def test_r39_f54_after_a_sleep_of_the_machine_nobody_is_lost_at_once(
    rig: Rig, time: ShiftedClock
) -> None:
    """Also the answer to a step of the wall clock (R44): silence that we slept through is none."""
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")
    await pass_time(rig, time, 200)
    await beat(rig, agent)
    await pass_time(rig, time, 110)  # the time that agents have after a start is over

    time.shift += timedelta(minutes=10)
    await pass_time(rig, time, 250)

    assert (await rig.task(execution_id))["status"] == "running"
    await rig.courier.result(agent, order)
    await rig.until(execution_id, "success")


async def test_r13_a_result_after_the_loss_is_kept_and_changes_nothing(
    rig: Rig, time: ShiftedClock
) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")
    await pass_time(rig, time, 400)
    await rig.until_task(execution_id, status="lost", log_status="gap")

    await rig.courier.output(agent, order, ("stdout", 0, 0, b"late\n"))
    await rig.courier.result(agent, order, stdout=b"late\n")

    task = await rig.until_task(execution_id, log_status="complete")
    late = task["late_outcome"]
    assert task["status"] == "lost"
    assert isinstance(late, dict)
    assert late["status"] == "success"
    assert (await rig.show(execution_id))["status"] == "lost"


async def test_a_heartbeat_keeps_a_running_task(rig: Rig, time: ShiftedClock) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1, timeout=3_600)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    for _ in range(4):
        await pass_time(rig, time, 200)
        await beat(rig, agent)

    await rig.courier.result(agent, order)
    await rig.until(execution_id, "success")


async def test_r18_output_that_is_late_but_still_comes_is_no_gap(
    rig: Rig, time: ShiftedClock
) -> None:
    """An agent sends again what nobody acknowledged, each time later, up to a minute."""
    agent, other = rig.agent(1), rig.agent(2)
    await rig.courier.connect(agent)
    await rig.courier.connect(other)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.courier.result(agent, order, stdout=b"onetwoend")
    await rig.until(execution_id, "success")

    for seq, part in enumerate((b"one", b"two", b"end")):
        await pass_time(rig, time, 80)
        await have_looked(rig, other)
        await rig.courier.output(agent, order, ("stdout", seq, 3 * seq, part))
        await rig.courier.expect(agent, "ack")

    await rig.until_task(execution_id, log_status="complete")


async def test_output_that_never_comes_is_called_a_gap(rig: Rig, time: ShiftedClock) -> None:
    agent, other = rig.agent(1), rig.agent(2)
    await rig.courier.connect(agent)
    await rig.courier.connect(other)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"half"))
    await rig.courier.expect(agent, "ack")
    await rig.courier.result(agent, order, stdout=b"half and half")
    await rig.until(execution_id, "success")
    assert (await rig.task(execution_id))["log_status"] == "live"

    for _ in range(8):
        time.shift += timedelta(seconds=20)
        await have_looked(rig, other)

    await rig.until_task(execution_id, log_status="gap")
    page = await rig.http.get(
        f"/api/executor/execution-records/{execution_id}/logs", headers=rig.headers()
    )
    chunks = page.json()["content"]["chunks"]
    assert [(c["text"], c["gap_bytes"], c["reason"]) for c in chunks] == [
        ("half", 0, None),
        ("", 9, "never_arrived"),
    ]


async def test_a_cancel_that_was_lost_on_the_way_is_repeated(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    await rig.http.post(
        f"/api/executor/execution-records/{execution_id}/cancel", headers=rig.headers()
    )

    for _ in range(3):
        await rig.courier.expect(agent, "cancel")


async def test_r12_an_execution_left_open_by_a_crash_is_closed(
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.execution.consumers.CLOSE_SECONDS", 0.05)
    url, neighbours = database_url(service), Neighbours()
    async with running(url, redis_url, tmp_path, neighbours) as rig:
        agent = rig.agent()
        await rig.courier.connect(agent)
        execution_id = await rig.run(1)
        await rig.courier.result(agent, await rig.courier.start(agent))
        await rig.until(execution_id, "success")
        await rig.app.state.assembly.database.write(
            lambda tx: tx.session.connection().exec_driver_sql(
                "UPDATE executions SET status = 'running', finished_at = NULL"
            )
        )

        shown = await rig.until(execution_id, "success")

    assert shown["finished_at"]


async def test_r14_a_living_host_without_a_result_is_lost_after_limit_and_silence(
    rig: Rig, time: ShiftedClock
) -> None:
    """The agent keeps the limit; the platform has a backstop of the limit and T_lost."""
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1, timeout=60)
    await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    await pass_time(rig, time, 200)
    await beat(rig, agent)
    await pass_time(rig, time, 180)

    task = await rig.until_task(execution_id, status="lost")
    assert task["reason"] == "no_result_in_time"
