"""Steps, batches, retries, conditions and confirmations, through the doors of the service."""

import pytest

from tests.support.courier import Message
from tests.support.execution import Rig
from tests.support.runs import fleet, listed, offered, start, steps_of, tasks_of, waits, work
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def test_steps_run_one_after_another_and_all_are_visible_from_the_start(rig: Rig) -> None:
    first, second = await fleet(rig, 2)

    execution_id = await rig.launch({"name": "build"}, {"name": "deploy"}, target_host_ids=[1, 2])

    shown = await rig.show(execution_id)
    assert [len(listed(step["tasks"])) for step in steps_of(shown).values()] == [2, 2]
    assert {waits(task) for task in listed(steps_of(shown)["deploy"]["tasks"])} == {
        "step_not_reached"
    }
    await work(rig, first)
    assert not await offered(rig, first)
    await work(rig, second)
    orders = [await work(rig, first), await work(rig, second)]

    shown = await rig.until(execution_id, "success")
    assert {order["script"] for order in orders} == {"echo 2"}
    assert [step["status"] for step in steps_of(shown).values()] == ["success", "success"]


async def test_after_a_failure_the_rest_is_skipped(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch({"name": "a"}, {"name": "b"}, target_host_ids=[1])

    await work(rig, agent, exit_code=3)

    steps = steps_of(await rig.until(execution_id, "failed"))
    assert (steps["a"]["status"], steps["b"]["status"]) == ("failed", "skipped")
    assert steps["b"]["reason"] == "earlier_step_failed"
    assert listed(steps["b"]["tasks"])[0]["status"] == "skipped"


async def test_an_ignored_error_lets_the_next_step_run(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch({"name": "a", "ignore_error": True}, {}, target_host_ids=[1])

    await work(rig, agent, exit_code=3)
    await work(rig, agent)

    steps = steps_of(await rig.until(execution_id, "success"))
    assert (steps["a"]["status"], steps["a"]["reason"]) == ("success", "errors_ignored")


async def test_the_handler_of_a_failed_step_runs_before_the_end(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch(
        {"name": "a", "on_failure": "clean"},
        {"name": "b"},
        {"name": "clean", "is_handler": True},
        target_host_ids=[1],
    )

    await work(rig, agent, exit_code=1)
    handled = await work(rig, agent)

    steps = steps_of(await rig.until(execution_id, "failed"))
    assert handled["script"] == "echo 3"
    assert [steps[name]["status"] for name in "ab"] == ["failed", "skipped"]
    assert steps["clean"]["status"] == "success"


async def test_a_handler_that_is_not_needed_is_skipped(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch(
        {"on_failure": "clean"}, {"name": "clean", "is_handler": True}, target_host_ids=[1]
    )

    await work(rig, agent)

    steps = steps_of(await rig.until(execution_id, "success"))
    assert (steps["clean"]["status"], steps["clean"]["reason"]) == ("skipped", "not_needed")


@pytest.mark.parametrize(
    ("condition", "exit_code", "runs"),
    [
        ({"step": "a", "is": "success"}, 0, True),
        ({"step": "a", "is": "failed"}, 0, False),
        ({"step": "a", "is": "failed"}, 7, True),
        ({"step": "a", "is": "any_failed"}, 7, True),
        ({"variable": "MODE", "equals": "fast"}, 0, True),
        ({"variable": "MODE", "not_equals": "fast"}, 0, False),
        ({"variable": "MODE", "in": ["slow", "fast"]}, 0, True),
        ({"variable": "COLOUR", "equals": "blue"}, 0, True),
        ({"all": [{"step": "a", "is": "success"}, {"variable": "MODE", "equals": "x"}]}, 0, False),
        ({"any": [{"step": "a", "is": "failed"}, {"variable": "MODE", "equals": "fast"}]}, 0, True),
        ({"not": {"step": "a", "is": "failed"}}, 0, True),
    ],
)
async def test_a_condition_decides_when_the_step_is_reached(
    rig: Rig, condition: Message, exit_code: int, runs: bool
) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch(
        {"name": "a", "ignore_error": True},
        {"name": "b", "condition": condition},
        target_host_ids=[1],
        variables={"MODE": "fast"},
    )

    await work(rig, agent, exit_code=exit_code, outputs={"COLOUR": "blue"})
    if runs:
        await work(rig, agent)

    steps = steps_of(await rig.until(execution_id, "success"))
    assert (steps["b"]["status"], steps["b"]["reason"]) == (
        ("success", None) if runs else ("skipped", "condition_false")
    )


async def test_r11_success_codes_are_those_of_the_step(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    good = await rig.launch({"success_codes": [3, 4]}, target_host_ids=[1])
    await work(rig, agent, exit_code=4)
    assert (await rig.until(good, "success"))["counts"] == {"success": 1}

    bad = await rig.launch({"success_codes": [3, 4]}, target_host_ids=[1])
    await work(rig, agent, exit_code=0)
    assert (await rig.until(bad, "failed"))["counts"] == {"failed": 1}


async def test_r13_a_failed_attempt_is_tried_again_and_kept(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch({"retries": 2}, target_host_ids=[1])

    orders = [await work(rig, agent, exit_code=5), await work(rig, agent, exit_code=6)]
    orders.append(await work(rig, agent))

    shown = await rig.until(execution_id, "success")
    (task,) = tasks_of(shown)
    path = f"/api/executor/execution-records/{execution_id}/tasks/{task['id']}/attempts"
    earlier = (await rig.http.get(path, headers=rig.headers())).json()["content"]
    assert [order["attempt"] for order in orders] == [1, 2, 3]
    assert (task["attempt"], task["status"]) == (3, "success")
    assert [(one["attempt"], one["status"], one["exit_code"]) for one in earlier] == [
        (1, "failed", 5),
        (2, "failed", 6),
    ]


async def test_r13_a_lost_attempt_is_never_tried_again_by_itself(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch({"retries": 3}, target_host_ids=[1])
    order, epoch = await start(rig, agent)

    await rig.courier.result(agent, order, epoch=epoch, outcome="lost", exit_code=None)

    (task,) = tasks_of(await rig.until(execution_id, "lost"))
    assert (task["attempt"], task["status"]) == (1, "lost")


async def test_a_retry_waits_for_its_delay_and_says_so(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch(
        {"retries": 1, "retry_delay_seconds": 3600}, target_host_ids=[1]
    )
    await work(rig, agent, exit_code=1)

    async def waiting() -> bool:
        (task,) = tasks_of(await rig.show(execution_id))
        return (task["attempt"], waits(task)) == (2, "retry_delay")

    await eventually(waiting)
    assert not await offered(rig, agent)
    assert (await rig.show(execution_id))["status"] == "running"


async def test_a_result_of_an_earlier_attempt_is_acknowledged_and_changes_nothing(
    rig: Rig,
) -> None:
    """R10: an agent whose acknowledgement was lost repeats itself until it gets one."""
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch({"retries": 1}, target_host_ids=[1])
    first = await work(rig, agent, exit_code=1)
    await rig.courier.expect(agent, "result_ack")
    second, epoch = await start(rig, agent)

    await rig.courier.result(agent, first, epoch=1, exit_code=1)

    assert (await rig.courier.expect(agent, "result_ack"))["attempt"] == 1
    await rig.courier.result(agent, second, epoch=epoch)
    await rig.until(execution_id, "success")


async def test_a_confirmation_that_nobody_gives_expires(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch(
        {"name": "ask", "kind": "confirm", "confirm": {"expires_seconds": 10}},
        {"name": "go"},
        target_host_ids=[1],
    )
    shown = await rig.until(execution_id, "paused")
    assert shown["pause_reason"] == "confirmation"
    assert waits(tasks_of(shown)[0]) == "confirmation"

    expired = await rig.until(execution_id, "expired", seconds=20)

    assert steps_of(expired)["ask"]["reason"] == "confirmation_expired"
    assert not await offered(rig, agent)


async def test_a_cancelled_execution_leaves_no_step_open(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    execution_id = await rig.launch({}, {}, {"retries": 2}, target_host_ids=[1])
    order, epoch = await start(rig, agent)

    path = f"/api/executor/execution-records/{execution_id}/cancel"
    assert (await rig.http.post(path, headers=rig.headers())).status_code == 202
    await rig.courier.expect(agent, "cancel")
    await rig.courier.result(agent, order, epoch=epoch, outcome="cancelled", exit_code=None)

    shown = await rig.until(execution_id, "cancelled")
    assert {step["status"] for step in steps_of(shown).values()} == {"cancelled"}
    assert shown["counts"] == {"cancelled": 3}


async def test_hosts_without_an_agent_fail_at_once_and_others_go_on(rig: Rig) -> None:
    (agent,) = await fleet(rig, 1)
    rig.neighbours.hosts[2] = rig.agent(2).target() | {"agent_id": None, "public_key": None}

    execution_id = await rig.launch(
        {"name": "a", "ignore_error": True}, {"name": "b"}, target_host_ids=[1, 2]
    )
    rejected = [task for task in tasks_of(await rig.show(execution_id)) if task["host_id"] == 2]
    assert {(task["status"], task["reason"]) for task in rejected} == {("rejected", "no_agent")}
    await work(rig, agent)
    await work(rig, agent)

    assert (await rig.until(execution_id, "failed"))["counts"] == {"success": 2, "rejected": 2}
