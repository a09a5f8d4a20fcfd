"""Which hosts start when: serial, batches, thresholds, limits, hosts of earlier steps, groups."""

import pytest

from tests.support.courier import Agent
from tests.support.execution import Rig
from tests.support.runs import fleet, listed, offered, start, steps_of, tasks_of, waits, work
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def test_serial_means_one_host_at_a_time(rig: Rig) -> None:
    agents = await fleet(rig, 3)
    execution_id = await rig.launch({}, target_host_ids=[2, 1, 3], strategy={"mode": "serial"})

    for number in (2, 1, 3):
        others = [agent for agent in agents if agent.number != number]
        order, epoch = await start(rig, agents[number - 1])
        for other in others:
            assert not await offered(rig, other)
        await rig.courier.result(agents[number - 1], order, epoch=epoch)

    await rig.until(execution_id, "success")


async def test_batches_grow_and_stop_at_the_first_failed_host(rig: Rig) -> None:
    agents = await fleet(rig, 6)
    execution_id = await rig.launch(
        {},
        target_host_ids=[1, 2, 3, 4, 5, 6],
        strategy={"mode": "rolling", "batches": ["1", "2", "50%"]},
    )
    tasks = tasks_of(await rig.show(execution_id))
    assert [task["batch_no"] for task in tasks] == [1, 2, 2, 3, 3, 3]
    assert {waits(task) for task in tasks[1:]} == {"batch_not_reached"}

    await work(rig, agents[0])
    await work(rig, agents[1])
    await work(rig, agents[2], exit_code=1)

    shown = await rig.until(execution_id, "failed")
    assert shown["counts"] == {"success": 2, "failed": 1, "skipped": 3}
    assert steps_of(shown)["step 1"]["reason"] == "failure_threshold"


async def test_failures_within_an_explicit_threshold_are_tolerated(rig: Rig) -> None:
    agents = await fleet(rig, 4)
    execution_id = await rig.launch(
        {"name": "a"},
        target_host_ids=[1, 2, 3, 4],
        strategy={
            "mode": "rolling",
            "batch_size": 2,
            "failure_threshold": {"percent": 25, "action": "stop"},
        },
    )

    await work(rig, agents[0], exit_code=1)
    for agent in agents[1:]:
        await work(rig, agent)

    steps = steps_of(await rig.until(execution_id, "success"))
    assert steps["a"]["reason"] == "failures_tolerated"


async def test_absent_hosts_do_not_take_the_place_of_others(rig: Rig) -> None:
    """The limit of an execution counts hosts at work, not hosts that are away."""
    rig.agent(1)
    present = [rig.agent(number) for number in (2, 3)]
    for agent in present:
        await rig.courier.connect(agent)

    execution_id = await rig.launch({}, target_host_ids=[1, 2, 3], strategy={"concurrency": 1})

    first, second = await _in_turn(rig, present)  # which of them is first, nobody promises
    order, epoch = await start(rig, first)
    tasks = {task["host_id"]: task for task in tasks_of(await rig.show(execution_id))}
    assert waits(tasks[1]) == "agent_offline"
    assert waits(tasks[second.number]) == "execution_limit"
    assert not await offered(rig, second)
    await rig.courier.result(first, order, epoch=epoch)
    await work(rig, second)


async def _in_turn(rig: Rig, agents: list[Agent]) -> list[Agent]:
    """These agents, the one first that has an offer; waits until there is one."""

    async def with_offers() -> list[Agent]:
        return [agent for agent in agents if await offered(rig, agent)]

    (first,) = await eventually(with_offers)
    return [first, *(agent for agent in agents if agent is not first)]


async def test_a_step_can_run_where_an_earlier_one_failed(rig: Rig) -> None:
    first, second = await fleet(rig, 2)
    execution_id = await rig.launch(
        {"name": "a", "ignore_error": True},
        {"name": "repair", "hosts_of": {"step": "a", "result": "failed"}},
        target_host_ids=[1, 2],
    )

    await work(rig, first, exit_code=1)
    await work(rig, second)
    await work(rig, first)

    shown = await rig.until(execution_id, "success")
    assert [task["host_id"] for task in listed(steps_of(shown)["repair"]["tasks"])] == [1]
    assert shown["task_total"] == 3


async def test_a_step_without_such_hosts_is_skipped(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch(
        {"name": "a"},
        {"name": "repair", "hosts_of": {"step": "a", "result": "failed"}},
        target_host_ids=[1],
    )

    await work(rig, agent)

    steps = steps_of(await rig.until(execution_id, "success"))
    assert (steps["repair"]["status"], steps["repair"]["reason"]) == ("skipped", "no_hosts")


async def test_groups_are_resolved_at_accept(rig: Rig) -> None:
    agents = await fleet(rig, 3)
    rig.neighbours.groups[5] = [2, 3]

    execution_id = await rig.launch({}, target_host_ids=[3], target_group_ids=[5])
    rig.neighbours.groups[5] = [1]

    for agent in (agents[2], agents[1]):
        await work(rig, agent)
    shown = await rig.until(execution_id, "success")
    assert [task["host_id"] for task in tasks_of(shown)] == [3, 2]
