"""Steps after the start, through the public door: skip, ignore, try again, confirm."""

import asyncio
from dataclasses import replace

import pytest

from tests.support.controls import Controls
from tests.support.courier import Agent, Message
from tests.support.execution import Rig, operator
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

UNKNOWN = "019a0000-0000-7000-8000-00000000dead"
CONFIRM: Message = {"name": "ask", "kind": "confirm", "confirm": {"message": "go on?"}}


@pytest.fixture
def controls(rig: Rig) -> Controls:
    return Controls(rig)


async def connected(rig: Rig, *numbers: int) -> list[Agent]:
    agents = [rig.agent(number) for number in numbers]
    for agent in agents:
        await rig.courier.connect(agent)
    return agents


async def step_ids(controls: Controls, execution_id: str) -> list[str]:
    return [str(step["id"]) for step in await controls.steps(execution_id)]


# ---- skip ----------------------------------------------------------------------------------


async def test_a_skipped_step_is_left_out_and_the_next_one_runs(
    rig: Rig, controls: Controls
) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"}, {"name": "three"})
    _, two, _ = await step_ids(controls, execution_id)

    skipped = await controls.done(f"{execution_id}/steps/{two}/skip", reason="not today")
    again = await controls.done(f"{execution_id}/steps/{two}/skip")
    for _ in range(2):
        await controls.finish(agent)

    assert skipped == again
    await rig.until(execution_id, "success")
    assert await controls.states(execution_id) == ["success", "skipped", "success"]
    assert await controls.actions(execution_id) == ["skip_step"]


async def test_a_skipped_step_that_runs_is_stopped_on_its_hosts(
    rig: Rig, controls: Controls
) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"})
    order = await controls.start(agent)
    one, _ = await step_ids(controls, execution_id)

    await controls.done(f"{execution_id}/steps/{one}/skip")

    assert (await rig.courier.expect(agent, "cancel"))["task_id"] == order["task_id"]
    await controls.end(agent, order, outcome="cancelled", exit_code=None, signal=15)
    await controls.finish(agent)
    await eventually(lambda: ended(rig, execution_id))


async def test_what_has_ended_is_not_skipped(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"})
    one, _ = await step_ids(controls, execution_id)
    await controls.finish(agent)
    await eventually(lambda: reached(controls, execution_id, 0, "success"))

    assert await controls.refused(f"{execution_id}/steps/{one}/skip") == "step_finished"


# ---- ignore --------------------------------------------------------------------------------


async def test_ignoring_an_error_goes_on_behind_the_failed_step(
    rig: Rig, controls: Controls
) -> None:
    """E23: also when the execution has ended because of it."""
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"})
    one, two = await step_ids(controls, execution_id)
    await controls.finish(agent, exit_code=1)
    await rig.until(execution_id, "failed")
    assert await controls.states(execution_id) == ["failed", "skipped"]

    path = f"{execution_id}/ignore_step_error"
    ignored = await controls.done(path, step_id=one)
    assert ignored["status"] == "running"
    await controls.finish(agent)

    await rig.until(execution_id, "success")
    assert await controls.states(execution_id) == ["failed", "success"]
    assert (await controls.done(path, step_id=one))["step_status"] == "success"
    assert await controls.refused(path, step_id=two) == "step_not_failed"
    assert await controls.actions(execution_id) == ["ignore_step_error"]


async def test_only_errors_can_be_ignored(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"})
    one, two = await step_ids(controls, execution_id)
    path = f"{execution_id}/ignore_step_error"

    assert await controls.refused(path, step_id=two) == "step_not_started"
    await controls.finish(agent)
    await controls.finish(agent)
    await rig.until(execution_id, "success")
    assert await controls.refused(path, step_id=one) == "step_not_failed"
    plain = await rig.run(1)
    await controls.finish(agent)
    await rig.until(plain, "success")
    (only,) = await step_ids(controls, plain)
    assert await controls.refused(f"{plain}/ignore_step_error", step_id=only) == "step_not_failed"


# ---- retry in place ------------------------------------------------------------------------


async def test_failed_hosts_are_tried_again_in_place(rig: Rig, controls: Controls) -> None:
    """E22: the execution is open again, what was skipped follows, the first attempt stays."""
    one, two = await connected(rig, 1, 2)
    execution_id = await controls.run([1, 2], {"name": "one"}, {"name": "two"})
    first, _ = await step_ids(controls, execution_id)
    await controls.finish(one)
    await controls.finish(two, exit_code=3)
    await rig.until(execution_id, "failed")

    path = f"{execution_id}/retry_step"
    retried = await controls.done(path, step_id=first)
    again = await controls.done(path, step_id=first)
    order = await controls.finish(two)
    for agent in (one, two):
        await controls.finish(agent)

    assert (retried["status"], retried["tasks"]) == ("running", 1)
    assert again == retried
    assert order["attempt"] == 2
    await rig.until(execution_id, "success")
    assert await controls.states(execution_id) == ["success"] * 4
    assert await controls.actions(execution_id) == ["retry_step"]


async def test_all_or_selected_hosts_are_tried_again(rig: Rig, controls: Controls) -> None:
    agents = await connected(rig, 1, 2)
    execution_id = await rig.run(1, 2)
    for agent in agents:
        await controls.finish(agent)
    await rig.until(execution_id, "success")
    (step,) = await step_ids(controls, execution_id)
    path = f"{execution_id}/retry_step"

    nothing = await controls.refused(path, step_id=step)
    chosen = await controls.done(path, step_id=step, retry_type="selected", host_ids=[2])
    busy = await controls.refused(path, step_id=step, retry_type="all")
    await controls.finish(agents[1], exit_code=1)
    await rig.until(execution_id, "failed")
    everything = await controls.done(path, step_id=step, retry_type="all")
    orders = [await controls.finish(agent) for agent in agents]

    assert (nothing, chosen["tasks"], busy) == ("nothing_to_retry", 1, "step_not_finished")
    assert everything["tasks"] == 2
    assert [order["attempt"] for order in orders] == [2, 3]
    await rig.until(execution_id, "success")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"retry_type": "selected"}, 422, "invalid"),
        ({"retry_type": "selected", "host_ids": []}, 422, "invalid"),
        ({"retry_type": "all", "host_ids": [1]}, 422, "invalid"),
        ({"retry_type": "some"}, 422, "invalid"),
        ({"retry_type": "selected", "host_ids": [1, 99]}, 422, "hosts_not_in_step"),
        ({"step_id": UNKNOWN}, 404, "step_not_found"),
    ],
)
async def test_retries_that_make_no_sense_are_refused(
    rig: Rig, controls: Controls, body: Message, status: int, code: str
) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    await controls.finish(agent, exit_code=1)
    await rig.until(execution_id, "failed")
    (step,) = await step_ids(controls, execution_id)

    words = {"step_id": step} | body

    assert await controls.refused(f"{execution_id}/retry_step", status, **words) == code


async def test_r13_a_host_that_has_not_answered_a_forced_end_is_not_tried_again(
    rig: Rig, controls: Controls
) -> None:
    """Nobody knows whether its script still runs; when it has answered, it may."""
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    order = await controls.start(agent)
    await controls.done(f"{execution_id}/force_terminate")
    (step,) = await step_ids(controls, execution_id)
    path = f"{execution_id}/retry_step"

    assert await controls.refused(path, step_id=step) == "step_not_finished"
    await controls.end(agent, order, outcome="cancelled", exit_code=None, signal=9)

    assert (await controls.done(path, step_id=step))["tasks"] == 1
    assert (await controls.finish(agent))["attempt"] == 2
    await rig.until(execution_id, "success")


async def test_parallel_retries_begin_one_attempt(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await rig.run(1)
    await controls.finish(agent, exit_code=1)
    await rig.until(execution_id, "failed")
    (step,) = await step_ids(controls, execution_id)

    answers = await asyncio.gather(
        *(controls.post(f"{execution_id}/retry_step", step_id=step) for _ in range(8))
    )

    assert {answer.status_code for answer in answers} == {202}
    assert (await controls.finish(agent))["attempt"] == 2
    await rig.until(execution_id, "success")
    assert await controls.actions(execution_id) == ["retry_step"]


# ---- confirm -------------------------------------------------------------------------------


async def test_a_confirmation_lets_the_next_step_run(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, CONFIRM, {"name": "two"})
    _, ask, two = await step_ids(controls, execution_id)
    path = f"{execution_id}/steps/{ask}/confirm"

    early = await controls.refused(path, approve=True)
    await controls.finish(agent)
    await rig.until(execution_id, "paused")
    resume = await controls.refused(f"{execution_id}/resume")
    confirmed = await controls.done(path, approve=True, comment="looks good")
    again = await controls.done(path, approve=True)
    otherwise = await controls.refused(path, approve=False)
    other = await controls.refused(f"{execution_id}/steps/{two}/confirm", approve=True)
    await controls.finish(agent)

    assert (early, resume) == ("not_waiting_for_confirmation", "confirmation_needed")
    assert confirmed["step_status"] == "success"
    assert again["step_status"] == "success"
    assert (otherwise, other) == ("confirmation_decided", "not_waiting_for_confirmation")
    await rig.until(execution_id, "success")
    assert await controls.actions(execution_id) == ["confirm"]


async def test_a_declined_confirmation_ends_the_execution(rig: Rig, controls: Controls) -> None:
    rig.agent(1)
    execution_id = await controls.run([1], CONFIRM, {"name": "two"})
    ask, _ = await step_ids(controls, execution_id)

    declined = await controls.done(f"{execution_id}/steps/{ask}/confirm", approve=False)

    assert (declined["status"], declined["step_reason"]) == ("failed", "declined")
    assert await controls.states(execution_id) == ["skipped"]


async def test_only_those_who_are_named_may_confirm(rig: Rig, controls: Controls) -> None:
    rig.agent(1)
    named = {"user_ids": [20], "roles": ["approver"]}
    execution_id = await controls.run([1], CONFIRM | {"confirm": named}, {"name": "two"})
    ask, _ = await step_ids(controls, execution_id)
    path = f"{execution_id}/steps/{ask}/confirm"

    refused = await controls.post(path, approve=True)
    accepted = await controls.post(path, by=operator(20, "executions:read"), approve=True)

    assert refused.status_code == 403
    assert refused.json()["content"]["error"] == "confirmation_not_yours"
    assert accepted.status_code == 202


async def test_a_program_of_somebody_named_may_not_confirm(rig: Rig, controls: Controls) -> None:
    rig.agent(1)
    named = {"user_ids": [20], "roles": ["operator"]}
    execution_id = await controls.run([1], CONFIRM | {"confirm": named}, {"name": "two"})
    ask, _ = await step_ids(controls, execution_id)
    program = replace(operator(20), session_id="token:5")

    answer = await controls.post(f"{execution_id}/steps/{ask}/confirm", by=program, approve=True)

    assert answer.status_code == 403
    assert answer.json()["content"]["error"] == "confirmation_not_yours"


async def test_without_names_a_reader_may_not_confirm(rig: Rig, controls: Controls) -> None:
    rig.agent(1)
    execution_id = await controls.run([1], CONFIRM, {"name": "two"})
    ask, _ = await step_ids(controls, execution_id)

    answer = await controls.post(
        f"{execution_id}/steps/{ask}/confirm", by=operator(9, "executions:read"), approve=True
    )

    assert answer.status_code == 403


async def test_a_batch_is_let_go_on_once(rig: Rig, controls: Controls) -> None:
    agents = await connected(rig, 1, 2, 3)
    strategy: Message = {"mode": "rolling", "batches": ["1"], "confirm_between": True}
    execution_id = await controls.run([1, 2, 3], {"name": "one"}, strategy=strategy)
    (step,) = await step_ids(controls, execution_id)
    path = f"{execution_id}/steps/{step}/confirm"
    await controls.finish(agents[0])
    await eventually(lambda: waits_for_batch(controls, execution_id))

    await controls.done(path, approve=True, batch=1)
    await controls.finish(agents[1])
    await eventually(lambda: waits_for_batch(controls, execution_id))
    await controls.done(path, approve=True, batch=1)  # the first answer again: not the second
    assert (await rig.show(execution_id))["status"] == "paused"

    await controls.done(path, approve=True, batch=2)
    await controls.finish(agents[2])
    await rig.until(execution_id, "success")
    assert await controls.actions(execution_id) == ["confirm", "confirm"]


# ---- rules that hold for all ---------------------------------------------------------------


@pytest.mark.parametrize("verb", ["skip", "confirm"])
async def test_unknown_steps_are_not_found(rig: Rig, controls: Controls, verb: str) -> None:
    rig.agent(1)
    execution_id, other = await rig.run(1), await rig.run(1)
    (foreign,) = await step_ids(controls, other)
    body: Message = {"approve": True} if verb == "confirm" else {}

    for step in (UNKNOWN, foreign):
        path = f"{execution_id}/steps/{step}/{verb}"
        assert await controls.refused(path, 404, **body) == "step_not_found"
    path = f"{UNKNOWN}/steps/{foreign}/{verb}"
    assert await controls.refused(path, 404, **body) == "execution_not_found"


@pytest.mark.parametrize("verb", ["retry_step", "ignore_step_error"])
async def test_who_may_not_operate_is_refused(controls: Controls, verb: str) -> None:
    who = operator(8, "executions:read", "executions:run", "executions:cancel")

    answer = await controls.post(f"{UNKNOWN}/{verb}", by=who, step_id=UNKNOWN)

    assert answer.status_code == 403


async def test_what_is_being_stopped_is_not_steered(rig: Rig, controls: Controls) -> None:
    (agent,) = await connected(rig, 1)
    execution_id = await controls.run([1], {"name": "one"}, {"name": "two"})
    await controls.start(agent)
    one, two = await step_ids(controls, execution_id)
    await controls.done(f"{execution_id}/cancel")

    assert await controls.refused(f"{execution_id}/pause") == "execution_stopping"
    assert await controls.refused(f"{execution_id}/steps/{one}/skip") == "execution_stopping"
    retry = await controls.refused(f"{execution_id}/retry_step", step_id=two)
    assert retry == "execution_stopping"


async def ended(rig: Rig, execution_id: str) -> bool:
    return (await rig.show(execution_id))["finished_at"] is not None


async def reached(controls: Controls, execution_id: str, place: int, status: str) -> bool:
    return (await controls.steps(execution_id))[place]["status"] == status


async def waits_for_batch(controls: Controls, execution_id: str) -> bool:
    shown = await controls.rig.show(execution_id)
    return shown["status"] == "paused"
