"""Whose executions somebody sees and may act on; hidden ones are as if they were missing."""

import asyncio

import httpx
import pytest

from tests.services.execution.realtime.watching import Watcher
from tests.support.access import row
from tests.support.execution import Rig, operator
from tests.support.waiting import eventually

RECORDS = "/api/executor/execution-records"
MISSING = "01920000-0000-7000-8000-000000000000"
STRANGER, RUNNER = 41, 42
ABOUT_ONE = [
    ("GET", f"{RECORDS}/{{id}}"),
    ("GET", f"{RECORDS}/{{id}}/tasks"),
    ("GET", f"{RECORDS}/{{id}}/tasks/x/attempts"),
    ("GET", f"{RECORDS}/{{id}}/operation_logs"),
    ("GET", f"{RECORDS}/{{id}}/variables"),
    ("GET", f"{RECORDS}/{{id}}/retry_history"),
    ("GET", f"{RECORDS}/{{id}}/trace"),
    ("GET", f"{RECORDS}/{{id}}/collected"),
    ("GET", f"{RECORDS}/{{id}}/logs/download"),
    ("GET", f"{RECORDS}/{{id}}/steps/x/content"),
    ("GET", f"{RECORDS}/{{id}}/steps/x/result"),
    ("GET", "/api/realtime/sse/combined/{id}"),
    ("POST", f"{RECORDS}/{{id}}/cancel"),
    ("POST", f"{RECORDS}/{{id}}/force_terminate"),
    ("POST", f"{RECORDS}/{{id}}/pause"),
    ("POST", f"{RECORDS}/{{id}}/resume"),
    ("POST", f"{RECORDS}/{{id}}/retry"),
    ("POST", f"{RECORDS}/{{id}}/tasks/x/cancel"),
    ("POST", f"{RECORDS}/{{id}}/steps/x/skip"),
]


async def asked(
    rig: Rig, method: str, path: str, user_id: int = STRANGER, body: object = None
) -> httpx.Response:
    by = operator(user_id, "nothing:global")
    return await rig.http.request(method, path, json=body, headers=rig.headers(by))


async def names(rig: Rig, user_id: int = STRANGER, query: str = "") -> list[str]:
    answer = await asked(rig, "GET", f"{RECORDS}?{query}", user_id)
    assert answer.status_code == 200, answer.text
    page = answer.json()["content"]
    assert page["total"] == len(page["results"])
    return [one["name"] for one in page["results"]]


@pytest.fixture
async def canary(rig: Rig) -> str:
    """An execution of somebody else, with a name that must not leak."""
    rig.agent()
    rig.neighbours.given.give(STRANGER)
    return await rig.run(1, name="canary-name", script_content="echo canary-script")


@pytest.mark.parametrize(("method", "path"), ABOUT_ONE)
async def test_a_hidden_execution_is_answered_like_a_missing_one(
    rig: Rig, canary: str, method: str, path: str
) -> None:
    hidden = await asked(rig, method, path.format(id=canary))
    missing = await asked(rig, method, path.format(id=MISSING))

    assert hidden.status_code == missing.status_code == 404
    assert "canary" not in hidden.text
    first, second = (answer.json() for answer in (hidden, missing))
    for document in (first, second):
        document["content"].pop("request_id")
    assert str(first).replace(canary, "X") == str(second).replace(MISSING, "X")


async def test_lists_and_searches_count_only_what_is_seen(rig: Rig, canary: str) -> None:
    rig.neighbours.given.give(
        RUNNER, row(1, actions=["execute"], object_ids=["1"], what=["*"], accounts=["*"])
    )
    own = await rig.run(1, by=operator(RUNNER, "nothing:global"), name="my own")

    assert await names(rig) == []
    assert await names(rig, RUNNER) == ["my own"]
    assert await names(rig, RUNNER, "search=canary") == []
    assert await names(rig, RUNNER, f"search={canary}") == []
    assert await names(rig, RUNNER, "executed_by=7") == []
    rig.neighbours.given.give(STRANGER, row(1, object_type="execution", object_ids=[own, MISSING]))
    await asyncio.sleep(0)
    seen = await eventually(lambda: names(rig))
    assert seen == ["my own"]


async def test_all_executions_by_a_grant_are_all(rig: Rig, canary: str) -> None:
    rig.neighbours.given.give(STRANGER, row(1, object_type="execution", object_ids=["*"]))

    assert await names(rig) == ["canary-name"]
    assert (await asked(rig, "GET", f"{RECORDS}/{canary}")).status_code == 200


async def test_seeing_is_not_acting_and_execute_is(rig: Rig, canary: str) -> None:
    rig.neighbours.given.give(STRANGER, row(1, object_type="execution", object_ids=[canary]))
    path = f"{RECORDS}/{canary}"

    assert (await asked(rig, "GET", path)).status_code == 200
    for action in ("cancel", "pause", "retry", "force_terminate"):
        assert (await asked(rig, "POST", f"{path}/{action}")).status_code == 403
    stopped = await asked(rig, "POST", f"{RECORDS}/bulk_stop", body={"execution_ids": [canary]})
    assert stopped.json()["content"]["results"][0]["error"] == "forbidden"

    actor = row(1, actions=["execute"], object_type="execution", object_ids=[canary])
    rig.neighbours.given.give(RUNNER, actor)
    paused = await asked(rig, "POST", f"{path}/pause", RUNNER)
    assert paused.status_code == 202, paused.text
    assert (await asked(rig, "POST", f"{path}/cancel", RUNNER)).status_code == 202


async def test_many_are_stopped_each_for_itself(rig: Rig, canary: str) -> None:
    rig.neighbours.given.give(
        RUNNER, row(1, actions=["execute"], object_ids=["1"], what=["*"], accounts=["*"])
    )
    own = await rig.run(1, by=operator(RUNNER, "nothing:global"))

    body = {"execution_ids": [canary, own, MISSING]}
    answer = await asked(rig, "POST", f"{RECORDS}/bulk_stop", RUNNER, body)

    items = answer.json()["content"]["results"]
    assert [item.get("error") for item in items] == [
        "execution_not_found", None, "execution_not_found",
    ]  # fmt: skip
    assert "canary" not in answer.text


async def test_a_chain_shows_only_the_links_that_are_seen(rig: Rig) -> None:
    rig.agent()
    rig.neighbours.given.give(
        RUNNER, row(1, actions=["execute"], object_ids=["1"], what=["*"], accounts=["*"])
    )
    first = await rig.run(1, by=operator(RUNNER, "nothing:global"), name="mine")
    await rig.http.post(f"{RECORDS}/{first}/cancel", headers=rig.headers())
    again = await rig.http.post(
        f"{RECORDS}/{first}/retry", json={"retry_type": "full"}, headers=rig.headers()
    )
    assert again.status_code == 201, again.text

    chain = (await asked(rig, "GET", f"{RECORDS}/{first}/retry_history", RUNNER)).json()
    assert chain["content"]["total"] == 1
    trace = (await asked(rig, "GET", f"{RECORDS}/{first}/trace", RUNNER)).json()["content"]
    assert [one["username"] for one in trace["chain"]] == [f"user-{RUNNER}"]
    assert "user-7" not in str(trace)
    whole = await rig.http.get(f"{RECORDS}/{first}/retry_history", headers=rig.headers())
    assert whole.json()["content"]["total"] == 2


async def test_a_stream_ends_within_seconds_of_the_right_to_watch(rig: Rig, canary: str) -> None:
    rig.neighbours.given.give(STRANGER, row(1, object_type="execution", object_ids=[canary]))
    by = operator(STRANGER, "nothing:global")

    async with Watcher(rig, "combined", canary, **rig.headers(by)) as watcher:
        await eventually(lambda: watcher.status == 200)
        rig.neighbours.given.give(STRANGER)
        await eventually(lambda: watcher.is_over, timeout=8)

    assert b"event: end" not in watcher.raw
