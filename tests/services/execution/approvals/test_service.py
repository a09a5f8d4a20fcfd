"""Runs that others have to approve: waiting, going on, ending; through restarts and lost words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from libs.contracts.approvals import ApprovalInfo, ApprovalState
from libs.kit.clock import now
from libs.kit.redis import Redis
from services.execution.app import service
from tests.support.controls import RECORDS, Controls
from tests.support.database import Declared
from tests.support.doors import error_of
from tests.support.execution import Neighbours, Rig, operator, running
from tests.support.waiting import eventually

RULES = "/api/executor/command_rules"
KEEPER = operator(8, "rules:read", "rules:write")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is looked at again after a moment."""
    monkeypatch.setenv("OPSJOB_EXECUTION_APPROVAL_LOOK_SECONDS", "0.1")
    monkeypatch.setenv("OPSJOB_EXECUTION_SWEEP_SECONDS", "0.1")


async def rule(rig: Rig, **values: object) -> None:
    """A rule by which others have to approve coffee."""
    whole = {"name": "Coffee", "pattern": "coffee", "action": "approve", "approver_ids": [7, 11]}
    answer = await rig.http.post(RULES, json=whole | values, headers=rig.headers(KEEPER))
    assert answer.status_code == 201, answer.text


async def asked(rig: Rig, execution_id: str) -> ApprovalInfo:
    """The approval of an execution, once auth was asked for it."""
    found = await eventually(lambda: rig.neighbours.consulted.of(execution_id))
    assert found is not None
    return found


async def coffee(rig: Rig) -> str:
    """A run that has to be approved."""
    return await rig.run(1, script_content="make coffee")


async def test_s41_it_waits_says_why_and_goes_on_by_itself_once_approved(rig: Rig) -> None:
    agent = rig.agent(1)
    await rig.courier.connect(agent)
    await rule(rig)

    answer = await rig.post([1], script_content="echo {{DRINK}}", variables={"DRINK": "coffee"})
    accepted = answer.json()["content"]
    execution_id = accepted["execution_id"]

    assert (answer.status_code, accepted["status"]) == (201, "paused")
    assert [one["approver_names"] for one in accepted["approvals"]] == [["bob"]]
    shown: dict[str, Any] = await rig.show(execution_id)
    task = shown["steps"][0]["tasks"][0]
    assert (shown["pause_reason"], task["status"]) == ("approval", "pending")
    assert task["waits_for"]["code"] == "approval"
    assert "bob" in task["waits_for"]["message"]
    approval = await asked(rig, execution_id)
    content = json.loads(rig.neighbours.consulted.contents[approval.id])
    assert content["steps"][0]["script"] == "echo {{DRINK}}"
    assert content["steps"][0]["host_count"] == 1
    assert approval.reason == "Coffee"
    assert not await rig.courier.seen(agent, "offer")

    before = now()
    rig.neighbours.consulted.say(approval)
    order = await rig.courier.start(agent)

    assert order["script"] == "echo coffee"
    after: dict[str, Any] = await rig.show(execution_id)
    assert after["approvals"][0]["state"] == "approved"
    assert after["steps"][0]["tasks"][0]["not_after"] > (before.isoformat()[:19])
    waited = after["steps"][0]["tasks"][0]["not_after"] > task["not_after"]
    assert waited, "the time to start counts from the approval"


async def test_nothing_is_stored_when_nobody_but_the_requester_could_approve(rig: Rig) -> None:
    rig.agent(1)
    await rule(rig, approver_ids=[11])
    del rig.neighbours.consulted.people[11]

    refused = await rig.post([1], script_content="coffee")

    assert error_of(refused, 409) == "too_few_approvers"
    listed = await rig.http.get(RECORDS, headers=rig.headers())
    assert listed.json()["content"]["total"] == 0


@pytest.mark.parametrize("word", ["declined", "expired"])
async def test_a_no_and_no_answer_end_it_for_good(rig: Rig, word: str) -> None:
    agent = rig.agent(1)
    await rule(rig)
    execution_id = await coffee(rig)
    approval = await asked(rig, execution_id)

    if word == "declined":
        rig.neighbours.consulted.say(approval, approve=False, comment="drink tea")
    else:
        approval.expires_at = now()

    status = {"declined": "cancelled", "expired": "expired"}[word]
    shown: dict[str, Any] = await rig.until(execution_id, status)
    step = shown["steps"][0]
    assert step["tasks"][0]["reason"] == step["reason"] == f"approval_{word}"
    assert shown["approvals"][0]["state"] == word
    assert shown["cancel_reason"] == ("bob: drink tea" if word == "declined" else None)
    again = Controls(rig)
    assert await again.refused(f"{execution_id}/retry_step", step_id=step["id"]) == (
        "approval_needed"
    )
    refused = await again.refused(f"{execution_id}/ignore_step_error", step_id=step["id"])
    assert refused == "approval_needed"
    await rig.courier.connect(agent)
    assert not await rig.courier.seen(agent, "offer")


async def test_only_approvers_let_it_go_on_and_its_starter_may_stop_it(rig: Rig) -> None:
    rig.agent(1)
    await rule(rig)
    execution_id = await coffee(rig)
    approval = await asked(rig, execution_id)
    control = Controls(rig)

    assert await control.refused(f"{execution_id}/resume") == "approval_needed"
    assert await control.refused(f"{execution_id}/pause") == "approval_needed"
    await control.done(f"{execution_id}/cancel")

    assert (await rig.show(execution_id))["status"] == "cancelled"
    await eventually(lambda: approval.state is ApprovalState.WITHDRAWN)


async def test_each_group_of_approvers_is_asked_and_all_must_agree(rig: Rig) -> None:
    agent = rig.agent(1)
    await rig.courier.connect(agent)
    rig.neighbours.consulted.groups[3] = [12]
    rig.neighbours.groups[5] = [1]
    rig.neighbours.lines[1] = [5]
    await rule(rig)
    more = {"name": "Group", "pattern_kind": "anything", "pattern": "", "host_group_ids": [5]}
    await rule(rig, **more, approver_ids=[], approver_group_ids=[3])

    execution_id = await coffee(rig)
    consulted = rig.neighbours.consulted
    await eventually(lambda: len(consulted.kept) == 2)
    first, second = consulted.kept.values()
    consulted.say(first, user_id=first.approver_ids[-1] if first.approver_ids else 12)

    async def one_is_given() -> bool:
        approvals: Any = (await rig.show(execution_id))["approvals"]
        return "approved" in {one["state"] for one in approvals}

    await eventually(one_is_given)
    assert (await rig.show(execution_id))["status"] == "paused"
    consulted.say(second, user_id=second.approver_ids[-1] if second.approver_ids else 12)
    await rig.courier.start(agent)


async def test_it_survives_a_deaf_auth_a_lost_answer_a_restart_and_an_empty_redis(
    database_url: Callable[[Declared], str], redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    neighbours, url = Neighbours(), database_url(service)
    consulted = neighbours.consulted
    async with running(url, redis_url, tmp_path, neighbours) as rig:
        agent = rig.agent(1)
        await rule(rig)
        accepting = consulted.answer
        answers: list[str] = []

        def deaf(path: str, body: dict[str, object]) -> tuple[int, object]:
            answers.append(path)
            if path == "/internal/approvals":
                return 503, {"error": "unavailable", "details": {}}
            return accepting(path, body)

        consulted.answer = deaf  # type: ignore[method-assign]  # auth hears and does nothing
        execution_id = await coffee(rig)
        await eventually(lambda: answers.count("/internal/approvals") > 0)
    await redis.flushall()
    consulted.answer = accepting  # type: ignore[method-assign]  # auth is back
    consulted.silent = 1

    async with running(url, redis_url, tmp_path, neighbours) as rig:
        approval = await eventually(lambda: consulted.of(execution_id), timeout=10)
        assert approval is not None
    consulted.say(approval)

    async with running(url, redis_url, tmp_path, neighbours) as rig:
        await rig.courier.connect(agent)
        await rig.courier.start(agent)
        shown = await rig.show(execution_id)
        assert isinstance(shown["approvals"], list)
        assert [one["state"] for one in shown["approvals"]] == ["approved"]
    assert len(consulted.kept) == 1
    assert len(consulted.asked) >= 1
