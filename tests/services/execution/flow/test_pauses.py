"""Pauses of the engine, and what happens after each: by people, by batches and by failures."""

import pytest

from libs.kit.redis import Redis
from tests.support.controls import Controls
from tests.support.execution import Rig
from tests.support.runs import fleet, listed, offered, start, steps_of, tasks_of, waits, work
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

BATCHES = {"mode": "rolling", "batch_size": 1, "confirm_between": True}
CAREFUL = {
    "mode": "rolling",
    "batch_size": 2,
    "failure_threshold": {"hosts": 0, "action": "pause"},
}


@pytest.fixture
def controls(rig: Rig) -> Controls:
    return Controls(rig)


async def test_after_a_resume_the_batch_goes_on_where_it_stood(
    rig: Rig, controls: Controls
) -> None:
    agents = await fleet(rig, 3)
    execution_id = await rig.launch(
        {}, {}, target_host_ids=[1, 2, 3], strategy={"mode": "rolling", "batch_size": 1}
    )
    order, epoch = await start(rig, agents[0])

    await controls.done(f"{execution_id}/pause", reason="lunch")
    await rig.courier.result(agents[0], order, epoch=epoch)
    shown = await rig.until(execution_id, "paused")
    assert shown["pause_reason"] == "user"
    assert {waits(task) for task in tasks_of(shown)[1:]} == {"paused"}
    assert not await offered(rig, agents[1])

    await controls.done(f"{execution_id}/resume")
    for agent in [*agents[1:], *agents]:
        await work(rig, agent)
    assert (await rig.until(execution_id, "success"))["counts"] == {"success": 6}


@pytest.mark.parametrize("approve", [True, False])
async def test_the_next_batch_starts_only_when_somebody_says_so(
    rig: Rig, controls: Controls, approve: bool
) -> None:
    agents = await fleet(rig, 2)
    execution_id = await rig.launch({}, target_host_ids=[1, 2], strategy=BATCHES)
    await work(rig, agents[0])
    shown = await rig.until(execution_id, "paused")
    (step,) = steps_of(shown).values()
    assert shown["pause_reason"] == "batch"
    assert waits(tasks_of(shown)[1]) == "confirmation"
    assert not await offered(rig, agents[1])

    await controls.done(f"{execution_id}/steps/{step['id']}/confirm", approve=approve)

    if approve:
        await work(rig, agents[1])
        await rig.until(execution_id, "success")
    else:

        async def skipped() -> bool:
            tasks = tasks_of(await rig.show(execution_id))
            return [task["status"] for task in tasks] == ["success", "skipped"]

        await eventually(skipped)
        assert not await offered(rig, agents[1])


async def test_resume_answers_a_pause_between_batches(rig: Rig, controls: Controls) -> None:
    agents = await fleet(rig, 2)
    execution_id = await rig.launch({}, target_host_ids=[1, 2], strategy=BATCHES)
    await work(rig, agents[0])
    await rig.until(execution_id, "paused")

    await controls.done(f"{execution_id}/resume")

    await work(rig, agents[1])
    await rig.until(execution_id, "success")


async def test_too_many_failures_pause_and_a_resume_accepts_those_there_are(
    rig: Rig, controls: Controls
) -> None:
    agents = await fleet(rig, 6)
    execution_id = await rig.launch({}, target_host_ids=[1, 2, 3, 4, 5, 6], strategy=CAREFUL)
    order, epoch = await start(rig, agents[1])
    await work(rig, agents[0], exit_code=1)

    shown = await rig.until(execution_id, "paused")
    assert shown["pause_reason"] == "threshold"
    await rig.courier.result(agents[1], order, epoch=epoch)  # what runs goes on
    assert {waits(task) for task in tasks_of(shown)[2:]} == {"paused"}
    assert not await offered(rig, agents[2])

    await controls.done(f"{execution_id}/resume")
    await work(rig, agents[2])
    await work(rig, agents[3], exit_code=1)  # one more than was accepted
    shown = await rig.until(execution_id, "paused")
    assert shown["pause_reason"] == "threshold"
    assert not await offered(rig, agents[4])

    await controls.done(f"{execution_id}/resume")
    await work(rig, agents[4])
    await work(rig, agents[5])
    shown = await rig.until(execution_id, "success")
    (step,) = steps_of(shown).values()
    assert shown["counts"] == {"success": 4, "failed": 2}
    assert step["reason"] == "failures_tolerated"


async def test_r26_a_rolling_execution_goes_on_after_redis_forgot_everything(
    rig: Rig, redis: Redis
) -> None:
    """No step, batch or attempt is started twice, and none is left out."""
    agents = await fleet(rig, 3)
    execution_id = await rig.launch(
        {"name": "a", "retries": 1},
        {"name": "b"},
        target_host_ids=[1, 2, 3],
        strategy={"mode": "rolling", "batches": ["1", "2"]},
    )
    done: list[tuple[object, object]] = []
    failed_once = False
    for turn in range(7):
        await redis.flushall()
        for agent in agents:
            await rig.courier.connect(agent, again=True)

        async def anybody() -> int | None:
            for agent in agents:
                if await offered(rig, agent):
                    return agent.number
            return None

        number = await eventually(anybody, timeout=30)
        assert number is not None
        order = await work(rig, agents[number - 1], exit_code=int(not failed_once and turn == 1))
        await rig.courier.expect(agents[number - 1], "result_ack")
        failed_once = failed_once or turn == 1
        done.append((order["task_id"], order["attempt"]))

    shown = await rig.until(execution_id, "success", seconds=30)
    assert shown["counts"] == {"success": 6}
    assert len(set(done)) == 7
    assert [len(listed(step["tasks"])) for step in steps_of(shown).values()] == [3, 3]
