"""What may be asked of an execution of many steps; all else is refused before it is stored."""

import pytest

from tests.support.courier import Message
from tests.support.execution import Rig, operator
from tests.support.runs import listed, tasks_of

pytestmark = pytest.mark.anyio

SCRIPT: Message = {"name": "a", "script_content": "true"}


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        ([], {}),
        ([{"name": "a"}, {"name": "a"}], {}),
        ([{"kind": "confirm"}], {}),
        ([{"kind": "confirm", "confirm": {}, "target_host_ids": [1]}], {}),
        ([{"kind": "push"}], {}),
        ([{"kind": "script", "script_content": None}], {}),
        ([{"confirm": {}}], {}),
        ([{"on_failure": "nobody"}], {}),
        ([{"name": "a"}, {"name": "b", "is_handler": True}], {}),
        ([{"is_handler": True}], {}),
        ([{"condition": {"step": "later", "is": "success"}}, {"name": "later"}], {}),
        ([{"condition": {"variable": "X"}}], {}),
        ([{"condition": {"variable": "X", "equals": 1, "in": [1]}}], {}),
        ([{"condition": {"step": "a", "is": "wonderful"}}], {}),
        ([{"hosts_of": {"step": "nobody", "result": "failed"}}], {}),
        ([{"retries": 11}], {}),
        ([{"retry_delay_seconds": 3601}], {}),
        ([{"success_codes": []}], {}),
        ([{"success_codes": [256]}], {}),
        ([{"timeout": 0}], {}),
        ([{}], {"strategy": {"mode": "rolling"}}),
        ([{}], {"strategy": {"mode": "rolling", "batches": ["0"]}}),
        ([{}], {"strategy": {"mode": "rolling", "batches": ["101%"]}}),
        ([{}], {"strategy": {"mode": "serial", "batch_size": 2}}),
        ([{}], {"strategy": {"failure_threshold": {"action": "stop"}}}),
        ([{}], {"strategy": {"failure_threshold": {"hosts": 1, "percent": 5}}}),
        ([{}], {"strategy": {"ranks": {"1": 5}}}),
        ([{}], {"strategy": {"concurrency": 0}}),
        ([{}], {"priority": 0}),
        ([{}], {"not_after_seconds": 7 * 86_400 + 1}),
        ([{}], {"target_host_ids": []}),
    ],
)
async def test_what_makes_no_sense_is_refused(
    rig: Rig, steps: list[Message], more: Message
) -> None:
    rig.agent(1)

    answer = await rig.submit(*steps, more={"target_host_ids": [1]} | more)

    assert answer.status_code == 422, answer.text
    path = "/api/executor/execution-records"
    shown = (await rig.http.get(path, headers=rig.headers())).json()["content"]
    assert shown["total"] == 0


async def test_conditions_cannot_be_nested_without_end(rig: Rig) -> None:
    rig.agent(1)
    condition: Message = {"variable": "X", "equals": 1}
    for _ in range(5):
        condition = {"not": condition}

    answer = await rig.submit({"condition": condition}, target_host_ids=[1])

    assert answer.status_code == 422


async def test_running_needs_its_permission(rig: Rig) -> None:
    rig.agent(1)

    answer = await rig.submit({}, target_host_ids=[1], by=operator(7, "executions:read"))

    assert answer.status_code == 403


async def test_a_repeated_request_starts_nothing_new(rig: Rig) -> None:
    """R3, with the same rules as for quick runs."""
    rig.agent(1)
    body = {"steps": [SCRIPT], "target_host_ids": [1]}
    headers = rig.headers(None, {"Idempotency-Key": "once"})
    path = "/api/executor/execution-records"

    first = await rig.http.post(path, json=body, headers=headers)
    again = await rig.http.post(path, json=body, headers=headers)
    other = await rig.http.post(path, json=body | {"priority": 2}, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["content"]["id"] == again.json()["content"]["id"]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ({"order": "request"}, [2, 3, 1]),
        ({"order": "name"}, [1, 2, 3]),
        ({"order": "ip"}, [3, 2, 1]),
        ({"order": "rank", "ranks": {"3": 1, "1": 2}}, [3, 1, 2]),
    ],
)
async def test_hosts_start_in_the_order_asked_for(
    rig: Rig, strategy: Message, expected: list[int]
) -> None:
    for number in (1, 2, 3):
        target = rig.agent(number).target() | {"ip_address": f"10.0.0.{40 - number * 10}"}
        rig.neighbours.hosts[number] = target

    execution_id = await rig.launch({}, {}, target_host_ids=[2, 3, 1], strategy=strategy)

    tasks = tasks_of(await rig.show(execution_id))
    assert [task["host_id"] for task in tasks] == expected * 2


async def test_a_preview_shows_hosts_batches_and_warnings_and_stores_nothing(rig: Rig) -> None:
    rig.agent(1)
    rig.neighbours.hosts[2] = rig.agent(2).target() | {"agent_status": "offline"}
    rig.neighbours.hosts[3] = rig.agent(3).target() | {"agent_id": None, "public_key": None}

    answer = await rig.submit(
        {"name": "a"},
        {"name": "ok?", "kind": "confirm", "confirm": {}},
        path="/preview",
        target_host_ids=[1, 2, 3],
        strategy={"mode": "rolling", "batches": ["1", "100%"]},
        not_after_seconds=60,
    )

    assert answer.status_code == 200, answer.text
    preview = answer.json()["content"]
    assert [(host["state"], host["waits_until_seconds"]) for host in preview["hosts"]] == [
        ("ready", None),
        ("offline", 60),
        ("no_agent", None),
    ]
    assert preview["batches"] == [[1], [2, 3]]
    assert preview["warnings"] == ["hosts_offline", "hosts_without_agent"]
    assert [step["host_count"] for step in preview["steps"]] == [3, 0]
    shown = await rig.http.get("/api/executor/execution-records", headers=rig.headers())
    assert shown.json()["content"]["total"] == 0


async def test_the_short_form_of_quick_runs_means_the_same(rig: Rig) -> None:
    for number in range(1, 5):
        rig.agent(number)

    execution_id = await rig.run(
        1,
        2,
        3,
        4,
        execution_mode="rolling",
        rolling_batch_size=50,
        rolling_strategy="fail_pause",
        rolling_batch_delay=5,
        positional_args=["x"],
        account="deploy",
        global_variables={"A": "b"},
        retries=1,
        priority=2,
    )

    shown = await rig.show(execution_id)
    assert shown["execution_type"] == "quick_script"
    assert shown["priority"] == 2
    strategy = shown["strategy"]
    assert isinstance(strategy, dict)
    assert strategy["batches"] == ["50%"]
    assert strategy["batch_delay_seconds"] == 5
    assert strategy["threshold"]["action"] == "pause"
    (step,) = listed(shown["steps"])
    assert (step["args"], step["run_as"], step["retries"]) == (["x"], "deploy", 1)
    assert [task["batch_no"] for task in tasks_of(shown)] == [1, 1, 2, 2]


async def test_the_list_can_be_narrowed(rig: Rig) -> None:
    rig.agent(1)
    quick = await rig.run(1, name="quick one")
    flow = await rig.launch({}, target_host_ids=[1], name="a flow", by=operator(8))

    async def found(**query: str | int) -> list[str]:
        answer = await rig.http.get(
            "/api/executor/execution-records", params=query, headers=rig.headers()
        )
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["content"]["results"]]

    assert await found() == [flow, quick]
    assert await found(execution_type="quick_script") == [quick]
    assert await found(executed_by=8) == [flow]
    assert await found(name="FLOW") == [flow]
    assert await found(status="success") == []
    assert await found(status="pending") == [flow, quick]
    assert await found(start_date="2200-01-01T00:00:00Z") == []
    assert await found(end_date="2200-01-01T00:00:00Z") == [flow, quick]
