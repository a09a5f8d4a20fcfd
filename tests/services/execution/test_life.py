"""A task's life from the request to the signed result, with what may go wrong on the way."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.believed import BELIEVED_SECONDS
from tests.support.execution import Rig, operator
from tests.support.waiting import later

pytestmark = pytest.mark.anyio


async def test_a_script_runs_from_request_to_success(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)

    execution_id = await rig.run(1, script_content="echo hello", args=["a b"], env={"X": "1"})
    order = await rig.courier.start(agent)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"hello\n"))
    await rig.courier.result(agent, order, stdout=b"hello\n")

    shown = await rig.until(execution_id, "success")
    task = await rig.until_task(execution_id, log_status="complete")
    await rig.courier.expect(agent, "result_ack")
    assert order["script"] == "echo hello"
    assert order["args"] == ["a b"]
    assert isinstance(order["env"], dict)
    assert order["env"]["X"] == "1"
    assert shown["counts"] == {"success": 1}
    assert task["exit_code"] == 0
    assert task["stdout_bytes"] == 6


async def test_a_host_without_an_agent_is_rejected_at_once(rig: Rig) -> None:
    rig.neighbours.hosts[1] = rig.agent().target() | {"agent_id": None, "public_key": None}

    execution_id = await rig.run(1)

    shown = await rig.show(execution_id)
    assert shown["status"] == "failed"
    assert (await rig.task(execution_id))["reason"] == "no_agent"


async def test_r4_r5_a_run_keeps_its_hosts_and_script_whatever_changes_later(rig: Rig) -> None:
    first, second = rig.agent(1), rig.agent(2)
    execution_id = await rig.run(1, script_content="echo one")
    rig.neighbours.hosts.clear()
    await rig.courier.connect(first)
    await rig.courier.connect(second)

    order = (await rig.courier.expect(first, "offer"))["order"]

    assert isinstance(order, dict)
    assert order["script"] == "echo one"
    assert (await rig.show(execution_id))["task_total"] == 1
    assert not await rig.courier.seen(second, "offer")


async def test_r7_a_lost_grant_is_given_again_and_nothing_else(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    for _ in range(3):
        await rig.courier.say(agent, "claim", order)
    grants = [await rig.courier.expect(agent, "grant") for _ in range(3)]

    assert [grant["epoch"] for grant in grants] == [1, 1, 1]


async def test_s10_an_agent_gets_no_grant_for_the_task_of_another(rig: Rig) -> None:
    agent, thief = rig.agent(1), rig.agent(2)
    await rig.courier.connect(agent)
    await rig.courier.connect(thief)
    await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    await rig.courier.say(thief, "claim", order)

    assert (await rig.courier.expect(thief, "refuse"))["reason"] == "unknown_task"


@pytest.mark.parametrize("reason", ["already_ran", "damaged"])
async def test_r45_an_agent_whose_journal_knows_the_attempt_makes_it_lost_not_rejected(
    rig: Rig, reason: str
) -> None:
    """After a restore of the database: what became of it is not known, and it is not run again."""
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    await rig.courier.say(agent, "reject", order, reason=reason, detail="")

    assert (await rig.until_task(execution_id, status="lost"))["reason"] == reason
    await rig.courier.result(agent, order)  # evidence that comes later is kept beside it
    assert (await rig.until(execution_id, "lost"))["counts"] == {"lost": 1}


async def test_r1_a_task_whose_grant_was_lost_ends_when_it_is_cancelled(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    await rig.courier.say(agent, "claim", order)
    await rig.courier.expect(agent, "grant")
    path = f"/api/executor/execution-records/{execution_id}/cancel"
    answer = await rig.http.post(path, json={}, headers=rig.headers())
    assert answer.is_success, answer.text

    await rig.courier.expect(agent, "cancel")
    await rig.courier.say(agent, "reject", order, reason="cancelled", detail="")

    assert (await rig.until(execution_id, "cancelled"))["counts"] == {"cancelled": 1}


async def test_a_rejection_beside_a_result_does_not_replace_it(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    await rig.courier.say(agent, "claim", order)
    await rig.courier.expect(agent, "grant")

    async with rig.courier.together():
        await rig.courier.result(agent, order)
        await rig.courier.say(agent, "reject", order, reason="already_ran", detail="")

    assert (await rig.until(execution_id, "success"))["counts"] == {"success": 1}


async def test_r6_a_disabled_user_starts_nothing_more(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    rig.neighbours.inactive.add(7)

    with later(seconds=BELIEVED_SECONDS):
        await rig.courier.say(agent, "claim", order)
        refusal = await rig.courier.expect(agent, "refuse")

    # A new look at the offer may have ended the task before the claim was judged.
    assert refusal["reason"] in {"actor_not_allowed", "rejected"}
    assert (await rig.until_task(execution_id, status="rejected"))["reason"] == "actor_not_allowed"


async def test_f11_claims_wait_while_auth_is_down_but_results_do_not(rig: Rig) -> None:
    running_agent, waiting = rig.agent(1), rig.agent(2)
    await rig.courier.connect(running_agent)
    await rig.courier.connect(waiting)
    first = await rig.run(1)
    order = await rig.courier.start(running_agent)
    await rig.run(2, by=operator(8))
    offered = (await rig.courier.expect(waiting, "offer"))["order"]
    assert isinstance(offered, dict)
    rig.neighbours.down.add("auth")

    with later(seconds=BELIEVED_SECONDS):
        await rig.courier.say(waiting, "claim", offered)
        await rig.courier.result(running_agent, order)

        await rig.until(first, "success")
        assert not await rig.courier.seen(waiting, "grant")
        rig.neighbours.down.clear()
        await rig.courier.say(waiting, "claim", offered)
        await rig.courier.expect(waiting, "grant")


async def test_r10_the_first_result_stands_and_later_ones_are_kept_beside_it(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)

    await rig.courier.result(agent, order)
    await rig.until(execution_id, "success")
    await rig.courier.result(agent, order, exit_code=3)
    await rig.courier.expect(agent, "result_ack")
    await rig.courier.expect(agent, "result_ack")

    task = await rig.task(execution_id)
    assert task["status"] == "success"
    late = task["late_outcome"]
    assert isinstance(late, dict)
    assert late["status"] == "failed"


async def test_r11_a_result_without_the_agents_signature_changes_nothing(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    await rig.courier.result(agent, order, key=Ed25519PrivateKey.generate(), exit_code=3)
    await rig.courier.result(agent, order)

    assert (await rig.until(execution_id, "success"))["counts"] == {"success": 1}


async def test_a_result_before_any_grant_changes_nothing(rig: Rig) -> None:
    agent, other = rig.agent(1), rig.agent(2)
    await rig.courier.connect(agent)
    await rig.courier.connect(other)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    await rig.courier.result(agent, order)
    control = await rig.run(2)
    await rig.courier.result(other, await rig.courier.start(other))
    await rig.until(control, "success")

    assert (await rig.task(execution_id))["status"] == "offered"


async def test_a_missing_interpreter_is_named(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1, script_type="powershell")
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    await rig.courier.say(agent, "reject", order, reason="interpreter_missing", detail="pwsh")

    task = await rig.until_task(execution_id, status="rejected")
    assert (task["reason"], task["detail"]) == ("interpreter_missing", "pwsh")
    assert (await rig.show(execution_id))["status"] == "failed"


async def test_r9_after_a_cancel_nothing_starts(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    answer = await rig.http.post(
        f"/api/executor/execution-records/{execution_id}/cancel", headers=rig.headers()
    )
    await rig.courier.say(agent, "claim", order)

    assert answer.status_code == 202
    assert answer.json()["content"]["status"] == "cancelled"
    assert (await rig.courier.expect(agent, "refuse"))["reason"] == "cancelled"


async def test_r9_a_claim_and_a_cancel_that_race_have_one_winner(rig: Rig) -> None:
    agents = [rig.agent(number) for number in range(1, 21)]
    for agent in agents:
        await rig.courier.connect(agent)
    ids = [await rig.run(agent.number) for agent in agents]
    orders = [(await rig.courier.expect(agent, "offer"))["order"] for agent in agents]

    async def claim(number: int) -> None:
        order = orders[number]
        assert isinstance(order, dict)
        await rig.courier.say(agents[number], "claim", order)

    async def cancel(number: int) -> str:
        answer = await rig.http.post(
            f"/api/executor/execution-records/{ids[number]}/cancel", headers=rig.headers()
        )
        return str(answer.json()["content"]["status"])

    for number in range(20):
        _, told = await asyncio.gather(claim(number), cancel(number))
        task = await rig.task(ids[number])
        if told == "cancelled":
            assert task["status"] == "cancelled"
            assert not await rig.courier.seen(agents[number], "grant")
        else:
            await rig.courier.expect(agents[number], "cancel")


async def test_a_running_task_is_asked_to_stop_and_ends_as_cancelled(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    await rig.http.post(
        f"/api/executor/execution-records/{execution_id}/cancel", headers=rig.headers()
    )
    await rig.courier.expect(agent, "cancel")
    await rig.courier.result(agent, order, outcome="cancelled", exit_code=None, signal=15)

    task = await rig.until_task(execution_id, status="cancelled")
    assert task["signal"] == 15
    assert (await rig.show(execution_id))["status"] == "cancelled"


async def test_a_timeout_is_no_failure_and_no_success(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1, timeout=1)
    order = await rig.courier.start(agent)

    await rig.courier.result(agent, order, outcome="timeout", exit_code=None, signal=9)

    assert order["timeout_seconds"] == 1
    await rig.until(execution_id, "timeout")


async def test_tasks_wait_for_an_absent_agent_and_run_when_it_comes(rig: Rig) -> None:
    agent = rig.agent()
    rig.neighbours.hosts[1] = agent.target() | {"agent_status": "offline"}
    execution_id = await rig.run(1)
    assert (await rig.task(execution_id))["status"] == "queued"

    await rig.courier.connect(agent)
    order = await rig.courier.start(agent)
    await rig.courier.result(agent, order)

    await rig.until(execution_id, "success")


async def test_a_task_waits_for_an_agent_that_was_only_said_to_be_online(rig: Rig) -> None:
    agent = rig.agent()
    execution_id = await rig.run(1)

    await rig.until_task(execution_id, status="queued")

    await rig.courier.connect(agent)
    await rig.courier.result(agent, await rig.courier.start(agent))
    await rig.until(execution_id, "success")


async def test_a_running_task_that_its_agent_never_heard_of_is_lost(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    agent.session_id = "session-2"
    agent.boot_id = "boot-2"
    await rig.courier.connect(agent)

    task = await rig.until_task(execution_id, status="lost")
    assert task["reason"] == "host_rebooted"
    assert (await rig.until(execution_id, "lost"))["counts"] == {"lost": 1}


async def test_r29_a_hello_that_was_held_up_says_nothing_of_later_work(rig: Rig) -> None:
    agent, other = rig.agent(1), rig.agent(2)
    for each in (agent, other):
        each.session_id = "session-2"
        await rig.courier.connect(each)
    kept, gone = await rig.run(1), await rig.run(2)
    order = await rig.courier.start(agent)
    await rig.courier.start(other)
    await rig.until_task(kept, status="running")
    await rig.until_task(gone, status="running")

    agent.session_id, other.session_id = "session-1", "session-3"
    async with rig.courier.together():
        await rig.courier.connect(agent)
        await rig.courier.connect(other)

    assert (await rig.until_task(gone, status="lost"))["reason"] == "not_in_journal"
    assert (await rig.task(kept))["status"] == "running"
    await rig.courier.result(agent, order)
    await rig.until(kept, "success")


async def test_a_task_in_the_journal_goes_on_after_a_reconnect(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    agent.session_id = "session-2"
    known = {"task_id": order["task_id"], "attempt": 1, "state": "running"}
    await rig.courier.connect(agent, known)
    await rig.courier.connect(agent, again=True)
    await rig.courier.result(agent, order)

    await rig.until(execution_id, "success")
