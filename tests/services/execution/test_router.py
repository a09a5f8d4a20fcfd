"""The record of executions: lists, details, refusals."""

import pytest

from tests.support.execution import Rig, operator
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

RECORDS = "/api/executor/execution-records"


async def test_the_newest_execution_comes_first(rig: Rig) -> None:
    rig.agent()
    ids = [await rig.run(1, name=f"Run {number}") for number in range(3)]

    content = (await rig.http.get(RECORDS, headers=rig.headers())).json()["content"]

    assert [row["id"] for row in content["results"]] == ids[::-1]
    assert content["total"] == 3
    assert content["results"][0]["counts"] in ({"queued": 1}, {"offered": 1})


async def test_lists_are_filtered_by_state_and_text(rig: Rig) -> None:
    rig.agent()
    rig.neighbours.hosts[2] = rig.agent(2).target() | {"agent_id": None}
    await rig.run(1, name="100% sure")
    await rig.run(2, name="1000 times")

    async def names(**query: str) -> list[str]:
        answer = await rig.http.get(RECORDS, params=query, headers=rig.headers())
        return [row["name"] for row in answer.json()["content"]["results"]]

    assert await names(status="failed") == ["1000 times"]
    assert await names(search="0%") == ["100% sure"]
    assert await names(search="user-7") == ["1000 times", "100% sure"]
    assert await names(search="1__") == []


async def test_a_detail_shows_steps_and_tasks(rig: Rig) -> None:
    rig.agent(1)
    rig.agent(2)
    execution_id = await rig.run(1, 2, script_content="uptime", timeout=9, run_as="deploy")

    shown = await rig.show(execution_id)

    steps = shown["steps"]
    assert isinstance(steps, list)
    assert shown["username"] == "user-7"
    assert (shown["script_content"], shown["timeout_seconds"]) == ("uptime", 9)
    assert [step["run_as"] for step in steps] == ["deploy"]
    assert [task["host_name"] for task in steps[0]["tasks"]] == ["host-1", "host-2"]


async def test_tasks_are_paged(rig: Rig) -> None:
    for number in range(1, 6):
        rig.agent(number)
    execution_id = await rig.run(1, 2, 3, 4, 5)

    async def waiting() -> list[dict[str, object]]:
        answer = await rig.http.get(
            f"{RECORDS}/{execution_id}/tasks?page=2&page_size=2&status=queued",
            headers=rig.headers(),
        )
        content = answer.json()["content"]
        found: list[dict[str, object]] = content["results"]
        return found if content["total"] == 5 else []

    results = await eventually(waiting)  # offers to agents that are not there are taken back
    assert [task["host_id"] for task in results] == [3, 4]


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=abc",
        "page_size=0",
        "page_size=100000000",
        "page=9999999999999999999",
        "status=done",
        "search=" + "x" * 300,
    ],
    ids=[f"B018-{number}" for number in range(8)],
)
async def test_a_list_that_makes_no_sense_is_refused(rig: Rig, query: str) -> None:
    answer = await rig.http.get(f"{RECORDS}?{query}", headers=rig.headers())

    assert (answer.status_code, answer.json()["content"]["error"]) == (422, "invalid")


@pytest.mark.parametrize("path", ["", "/tasks", "/logs"])
@pytest.mark.parametrize("execution_id", ["nobody", "'; --", "%00", "x" * 4000])
async def test_an_unknown_execution_is_not_found(rig: Rig, path: str, execution_id: str) -> None:
    answer = await rig.http.get(f"{RECORDS}/{execution_id}{path}", headers=rig.headers())

    assert (answer.status_code, answer.json()["success"]) == (404, False)


async def test_cancelling_twice_is_the_same_as_once(rig: Rig) -> None:
    rig.agent()
    execution_id = await rig.run(1)

    answers = [
        await rig.http.post(
            f"{RECORDS}/{execution_id}/cancel", json={"reason": "typo"}, headers=rig.headers()
        )
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert (await rig.show(execution_id))["cancel_reason"] == "typo"


async def test_what_has_ended_cannot_be_cancelled(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    await rig.courier.result(agent, await rig.courier.start(agent))
    await rig.until(execution_id, "success")

    answer = await rig.http.post(f"{RECORDS}/{execution_id}/cancel", headers=rig.headers())

    assert (answer.status_code, answer.json()["content"]["error"]) == (409, "execution_finished")


async def test_cancelling_needs_the_right_to_cancel(rig: Rig) -> None:
    rig.agent()
    execution_id = await rig.run(1)

    answer = await rig.http.post(
        f"{RECORDS}/{execution_id}/cancel", headers=rig.headers(operator(3, "executions:read"))
    )

    assert answer.status_code == 403
    assert (await rig.show(execution_id))["status"] == "pending"


async def test_messages_follow_the_language(rig: Rig) -> None:
    answer = await rig.http.get(
        f"{RECORDS}/nobody", headers=rig.headers(more={"Accept-Language": "zh-CN,zh"})
    )

    assert answer.json()["message"] == "没有这个执行。"
