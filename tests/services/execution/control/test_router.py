"""Holding, stopping and going on, through the public door: at once, once, and recorded."""

import asyncio

import pytest

from tests.support.controls import RECORDS, Controls
from tests.support.courier import Agent, Message
from tests.support.execution import Rig, operator
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

UNKNOWN = "019a0000-0000-7000-8000-00000000dead"


@pytest.fixture
def controls(rig: Rig) -> Controls:
    return Controls(rig)


async def connected(rig: Rig, *numbers: int) -> list[Agent]:
    agents = [rig.agent(number) for number in numbers]
    for agent in agents:
        await rig.courier.connect(agent)
    return agents


# ---- pause and resume ----------------------------------------------------------------------


async def test_a_paused_execution_starts_nothing_and_what_runs_goes_on(
    rig: Rig, controls: Controls
) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"})
    order = await controls.start(agent)

    paused = await controls.done(f"{execution_id}/pause", reason="look first")
    await controls.end(agent, order)

    assert (paused["status"], paused["pause_reason"]) == ("paused", "user")
    await eventually(lambda: states_are(controls, execution_id, ["success", "pending"]))
    assert (await rig.show(execution_id))["status"] == "paused"
    offered = await rig.courier.seen(agent, "offer")
    assert {task_of(one) for one in offered} <= {order["task_id"]}

    resumed = await controls.done(f"{execution_id}/resume")
    await controls.finish(agent)

    assert resumed["pause_reason"] is None
    await rig.until(execution_id, "success")
    assert await controls.actions(execution_id) == ["pause", "resume"]


async def test_a_claim_that_comes_after_a_pause_is_refused(rig: Rig, controls: Controls) -> None:
    """R9: what has not started does not start once the answer says paused."""
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    await controls.done(f"{execution_id}/pause")
    await rig.courier.say(agent, "claim", order)

    refusal = await rig.courier.expect(agent, "refuse")
    assert refusal["task_id"] == order["task_id"]
    assert (await rig.task(execution_id))["status"] == "pending"
    await controls.done(f"{execution_id}/resume")
    await controls.finish(agent)
    await rig.until(execution_id, "success")


async def test_pausing_twice_is_pausing_once(rig: Rig, controls: Controls) -> None:
    rig.agent()
    execution_id = await rig.run(1)

    first = await controls.done(f"{execution_id}/pause")
    second = await controls.done(f"{execution_id}/pause")

    assert first == second
    assert await controls.actions(execution_id) == ["pause"]
    assert await controls.done(f"{execution_id}/resume") == await controls.done(
        f"{execution_id}/resume"
    )
    assert await controls.actions(execution_id) == ["pause", "resume"]


async def test_resuming_what_was_never_paused_is_refused(rig: Rig, controls: Controls) -> None:
    rig.agent()
    execution_id = await rig.run(1)

    assert await controls.refused(f"{execution_id}/resume") == "execution_not_paused"


# ---- stop ----------------------------------------------------------------------------------


async def test_stopping_ends_what_waits_and_asks_hosts_to_stop_the_rest(
    rig: Rig, controls: Controls
) -> None:
    one, _ = await connected(rig, 1, 2)
    execution_id = await controls.run(
        [1, 2], {"name": "one"}, {"name": "two"}, strategy={"mode": "serial"}
    )
    order = await controls.start(one)

    stopped = await controls.done(f"{execution_id}/cancel", reason="wrong version")
    again = await controls.done(f"{execution_id}/cancel")
    cancel = await rig.courier.expect(one, "cancel")

    assert (stopped["cancelled"], stopped["cancelling"]) == (3, 1)
    assert again == stopped
    assert cancel["task_id"] == order["task_id"]
    assert await controls.states(execution_id) == ["running", *["cancelled"] * 3]
    left = {"found": 3, "signalled": 3, "left": 0}
    await controls.end(one, order, outcome="cancelled", exit_code=None, signal=15, processes=left)
    await rig.until(execution_id, "cancelled")
    assert await controls.actions(execution_id) == ["stop"]


async def test_r9_cancelled_means_that_no_claim_is_granted_any_more(
    rig: Rig, controls: Controls
) -> None:
    """Races of claim and cancel of one host: whoever is told cancelled never sees a grant."""
    agents = await connected(rig, *range(1, 31))
    execution_id = await rig.run(*range(1, 31))
    orders: dict[str, Message] = {}
    for agent in agents:
        order = (await rig.courier.expect(agent, "offer"))["order"]
        assert isinstance(order, dict)
        orders[agent.id] = order

    async def race(agent: Agent) -> tuple[str, str]:
        order = orders[agent.id]
        path = f"{execution_id}/tasks/{order['task_id']}/cancel"
        say, cancel = rig.courier.say(agent, "claim", order), controls.done(path)
        pair = (say, cancel) if agent.number % 2 else (cancel, say)
        answers = await asyncio.gather(*pair)
        told = next(answer for answer in answers if answer is not None)
        return agent.id, str(told["task_status"])

    told = dict(await asyncio.gather(*(race(agent) for agent in agents)))
    for agent in agents:
        refused = told[agent.id] == "cancelled"
        await answered(rig, agent, orders[agent.id], "refuse" if refused else "grant")
        if refused:
            assert not await rig.courier.seen(agent, "grant")
        else:
            assert await rig.courier.expect(agent, "cancel")


async def test_cancelling_one_host_leaves_the_others_alone(rig: Rig, controls: Controls) -> None:
    one, two = await connected(rig, 1, 2)
    execution_id = await rig.run(1, 2)
    order = await controls.start(one)
    await controls.finish(two)

    answer = await controls.done(f"{execution_id}/tasks/{order['task_id']}/cancel")
    await rig.courier.expect(one, "cancel")
    await controls.end(one, order, outcome="cancelled", exit_code=None, signal=15)

    assert (answer["task_status"], answer["cancel_requested"]) == ("running", True)
    await rig.until(execution_id, "cancelled")
    assert sorted(await controls.states(execution_id)) == ["cancelled", "success"]
    tasks = await controls.tasks(execution_id)
    done = next(task for task in tasks if task["status"] == "success")
    assert await controls.refused(f"{execution_id}/tasks/{done['id']}/cancel") == "task_finished"


# ---- force ---------------------------------------------------------------------------------


async def test_force_ends_at_once_and_the_host_is_still_asked_until_it_answers(
    rig: Rig, controls: Controls
) -> None:
    one, _ = await connected(rig, 1, 2)
    execution_id = await rig.run(1, 2)
    order = await controls.start(one)

    forced = await controls.done(f"{execution_id}/force_terminate", reason="host hangs")

    assert forced["status"] == "cancelled"
    assert (forced["cancelled"], forced["cancelling"]) == (1, 1)
    assert {task["reason"] for task in await controls.tasks(execution_id)} == {"force_terminated"}
    for _ in range(2):  # again and again, until its result is there
        assert (await rig.courier.expect(one, "cancel"))["task_id"] == order["task_id"]
        await rig.courier.connect(one)
    left = {"found": 2, "signalled": 2, "left": 0}
    await controls.end(one, order, outcome="cancelled", exit_code=None, signal=9, processes=left)

    async def kept() -> bool:
        task = (await controls.tasks(execution_id))[0]
        return bool(task["late_outcome"]) and task["processes"] == left

    await eventually(kept)
    assert await controls.done(f"{execution_id}/force_terminate") == forced
    await rig.courier.seen(one, "cancel")
    await rig.courier.connect(one)
    assert await controls.actions(execution_id) == ["force_terminate"]


async def test_a_stop_can_be_followed_by_force(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    await controls.start(agent)
    await controls.done(f"{execution_id}/cancel")

    forced = await controls.done(f"{execution_id}/force_terminate")

    assert forced["status"] == "cancelled"
    assert await controls.actions(execution_id) == ["stop", "force_terminate"]


# ---- many at once --------------------------------------------------------------------------


async def test_many_are_stopped_and_each_is_answered_for_itself(
    rig: Rig, controls: Controls
) -> None:
    (agent,) = await connected(rig, 1)
    rig.agent(2)
    finished = await rig.run(1)
    await controls.finish(agent)
    await rig.until(finished, "success")
    waiting = [await rig.run(2) for _ in range(3)]

    answer = await controls.post("bulk_stop", execution_ids=[*waiting, finished, UNKNOWN])

    content = answer.json()["content"]
    assert answer.status_code == 200
    assert (content["stopped"], content["failed"]) == (3, 2)
    assert [one["execution_id"] for one in content["results"]] == [*waiting, finished, UNKNOWN]
    assert [one["error"] for one in content["results"][3:]] == [
        "execution_finished",
        "execution_not_found",
    ]
    for execution_id in waiting:
        assert (await rig.show(execution_id))["status"] == "cancelled"


# ---- rules that hold for all ---------------------------------------------------------------

VERBS = ["pause", "resume", "cancel", "force_terminate"]


@pytest.mark.parametrize("verb", VERBS)
async def test_what_has_finished_is_not_operated_on(
    rig: Rig, controls: Controls, verb: str
) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    await controls.finish(agent)
    await rig.until(execution_id, "success")

    assert await controls.refused(f"{execution_id}/{verb}") == "execution_finished"
    assert await controls.actions(execution_id) == []


@pytest.mark.parametrize("verb", [*VERBS, f"tasks/{UNKNOWN}/cancel"])
async def test_what_does_not_exist_is_not_found(controls: Controls, verb: str) -> None:
    assert await controls.refused(f"{UNKNOWN}/{verb}", 404) == "execution_not_found"


async def test_a_task_of_another_execution_is_not_found(rig: Rig, controls: Controls) -> None:
    rig.agent()
    mine, other = await rig.run(1), await rig.run(1)
    task = await rig.task(other)

    assert await controls.refused(f"{mine}/tasks/{task['id']}/cancel", 404) == "task_not_found"


@pytest.mark.parametrize(
    ("verb", "permission"),
    [
        ("pause", "executions:operate"),
        ("resume", "executions:operate"),
        ("cancel", "executions:cancel"),
        ("force_terminate", "executions:cancel"),
        ("tasks/x/cancel", "executions:cancel"),
    ],
)
async def test_who_may_not_is_refused(controls: Controls, verb: str, permission: str) -> None:
    every = {"executions:read", "executions:run", "executions:operate", "executions:cancel"}

    answer = await controls.post(f"{UNKNOWN}/{verb}", by=operator(8, *(every - {permission})))

    assert answer.status_code == 403


async def test_a_key_makes_a_repeated_request_one_operation(rig: Rig, controls: Controls) -> None:
    rig.agent()
    execution_id, other = await rig.run(1), await rig.run(1)

    first = await controls.done(f"{execution_id}/pause", key="k1")
    await controls.done(f"{execution_id}/resume")
    repeated = await controls.done(f"{execution_id}/pause", key="k1")

    assert first["status"] == "paused"
    assert repeated["status"] == "pending"  # it did nothing, and says how things are now
    assert await controls.actions(execution_id) == ["pause", "resume"]
    assert await controls.refused(f"{other}/pause", key="k1") == "idempotency_key_reused"
    bad = await controls.refused(f"{execution_id}/pause", 422, key="two words")
    assert bad == "idempotency_key_invalid"


async def test_parallel_requests_with_one_key_are_one_operation(
    rig: Rig, controls: Controls
) -> None:
    rig.agent()
    ids = [await rig.run(1) for _ in range(4)]

    answers = await asyncio.gather(
        *(controls.post(f"{execution_id}/pause", key="same") for execution_id in ids * 3)
    )

    assert sorted({answer.status_code for answer in answers}) == [202, 409]
    paused = [one for one in ids if (await rig.show(one))["status"] == "paused"]
    assert len(paused) == 1


async def test_the_log_says_who_why_and_from_where(rig: Rig, controls: Controls) -> None:
    rig.agent()
    execution_id = await rig.run(1)
    who = operator(9, "executions:read", "executions:cancel")
    headers = rig.headers(who, {"X-Forwarded-For": "203.0.113.9"})

    await rig.http.post(
        f"{RECORDS}/{execution_id}/cancel", json={"reason": "too early"}, headers=headers
    )

    page = await controls.get(f"{execution_id}/operation_logs")
    assert page["total"] == 1
    results = page["results"]
    assert isinstance(results, list)
    (one,) = results
    assert (one["action"], one["username"], one["reason"]) == ("stop", "user-9", "too early")
    assert one["client_ip"] == "203.0.113.9"
    assert one["detail"] == {"cancelled": 1, "cancelling": 0}
    assert (await controls.get(f"{execution_id}/operation_logs?action=pause"))["total"] == 0


async def test_errors_are_told_in_the_readers_language(rig: Rig, controls: Controls) -> None:
    rig.agent()
    execution_id = await rig.run(1)

    answer = await rig.http.post(
        f"{RECORDS}/{execution_id}/resume", headers=rig.headers(None, {"Accept-Language": "zh-CN"})
    )

    assert answer.status_code == 409
    assert answer.json()["message"] == "执行未处于暂停状态。"


async def answered(rig: Rig, agent: Agent, order: Message, kind: str) -> None:
    """Wait for the answer to a claim; like an agent, ask again while there is none."""
    try:
        await rig.courier.expect(agent, kind, seconds=4)
    except AssertionError:
        await rig.courier.say(agent, "claim", order)
        await rig.courier.expect(agent, kind)


def task_of(offer: Message) -> object:
    order = offer["order"]
    assert isinstance(order, dict)
    return order["task_id"]


async def states_are(controls: Controls, execution_id: str, wanted: list[str]) -> bool:
    return await controls.states(execution_id) == wanted
