"""Who may run what on which hosts as whom: judged at accept, and again at claim."""

from datetime import timedelta

import httpx
import pytest

from libs.contracts.grants import GrantRow
from libs.kit import clock
from tests.support.access import row
from tests.support.courier import Message
from tests.support.execution import Rig, operator
from tests.support.runs import listed, steps_of
from tests.support.waiting import eventually

ANN = operator(41, "nothing:global")
SCRIPT = "/api/quick/execute_script"


def run_row(row_id: int = 1, **more: object) -> GrantRow:
    """To run scripts on host 1 as app."""
    whole: dict[str, object] = {
        "actions": ["execute"],
        "object_ids": ["1"],
        "what": ["adhoc"],
        "accounts": ["app"],
    }
    return row(row_id, **(whole | more))


async def tried(rig: Rig, hosts: list[int], **body: object) -> httpx.Response:
    return await rig.post(hosts, by=ANN, key=None, **body)


async def count(rig: Rig) -> int:
    answer = await rig.http.get("/api/executor/execution-records", headers=rig.headers())
    total = answer.json()["content"]["total"]
    assert isinstance(total, int)
    return total


@pytest.fixture
async def two(rig: Rig) -> None:
    """Hosts 1 and 2 with agents."""
    for number in (1, 2):
        await rig.courier.connect(rig.agent(number))


@pytest.mark.usefixtures("two")
async def test_one_row_has_to_cover_all_of_it(rig: Rig) -> None:
    rig.neighbours.given.give(
        41, run_row(1), run_row(2, object_ids=["2"], accounts=["root"], what=["adhoc"])
    )

    assert (await tried(rig, [1], run_as="app")).status_code == 201
    assert (await tried(rig, [2], run_as="root")).status_code == 201
    before = await count(rig)
    for hosts, account in (([1], "root"), ([2], "app"), ([1, 2], "app"), ([1, 2], "root")):
        refused = await tried(rig, hosts, run_as=account)
        assert refused.status_code == 403
        assert refused.json()["content"]["error"] == "run_not_allowed"
    nobody = await tried(rig, [1])
    (first,) = nobody.json()["content"]["details"]["refused"]
    assert (first["account"], first["missing"], first["what"]) == ("@agent", "account", "adhoc")
    assert await count(rig) == before


@pytest.mark.usefixtures("two")
async def test_who_may_run_nothing_is_refused_before_anything_is_looked_at(rig: Rig) -> None:
    rig.neighbours.given.give(41, row(1, object_ids=["1"]))

    refused = await tried(rig, [1, 999], run_as="app")
    assert refused.json()["content"]["error"] == "forbidden"
    for path in ("/api/files", "/api/files/uploads"):
        answer = await rig.http.get(path, headers=rig.headers(ANN))
        assert answer.status_code in (403, 404, 405)


@pytest.mark.usefixtures("two")
async def test_a_permission_without_root_runs_as_other_accounts_only(rig: Rig) -> None:
    by = operator(7, "executions:run", "executions:read")
    rig.neighbours.given.give(7)
    rig.neighbours.given.permissions[7] = ["executions:run", "executions:read"]

    assert (await rig.post([1], by=by, run_as="app")).status_code == 201
    for more in ({}, {"run_as": "root"}):
        refused = await rig.post([1], by=by, **more)
        assert refused.json()["content"]["details"]["refused"][0]["missing"] == "root"


@pytest.mark.usefixtures("two")
async def test_grants_on_groups_reach_the_hosts_below_them(rig: Rig) -> None:
    rig.neighbours.lines = {1: [8, 9], 2: [7]}
    rig.neighbours.given.give(41, run_row(object_type="host_group", object_ids=["9"]))

    assert (await tried(rig, [1], run_as="app")).status_code == 201
    refused = await tried(rig, [1, 2], run_as="app")
    (only,) = refused.json()["content"]["details"]["refused"]
    assert (only["host_id"], only["missing"]) == (2, "object")


@pytest.mark.usefixtures("two")
async def test_every_step_is_judged_also_those_on_hosts_of_earlier_ones(rig: Rig) -> None:
    rig.neighbours.given.give(41, run_row(accounts=["app", "web"]), run_row(2, accounts=["web"]))
    first: Message = {"name": "a", "target_host_ids": [1], "run_as": "app"}
    later: Message = {"name": "b", "hosts_of": {"step": "a", "result": "success"}}

    fine = await rig.submit(first, later | {"run_as": "web"}, by=ANN)
    assert fine.status_code == 201, fine.text
    refused = await rig.submit(first, later | {"run_as": "root"}, by=ANN)
    assert refused.json()["content"]["details"]["refused"][0]["step"] == "b"
    preview = await rig.submit(first, later | {"run_as": "root"}, by=ANN, path="/preview")
    assert preview.json()["content"]["error"] == "run_not_allowed"


@pytest.mark.usefixtures("two")
async def test_moving_files_is_a_right_of_its_own(rig: Rig) -> None:
    rig.neighbours.given.give(41, run_row())
    body = {"target_host_ids": [1], "run_as": "app", "paths": ["/etc/hostname"]}

    async def collect() -> httpx.Response:
        return await rig.http.post("/api/quick/collect_files", json=body, headers=rig.headers(ANN))

    refused = await collect()
    assert refused.json()["content"]["details"]["refused"][0]["missing"] == "what"


@pytest.mark.usefixtures("two")
async def test_a_repetition_is_judged_for_who_repeats(rig: Rig) -> None:
    first = await rig.run(1, run_as="root")
    path = f"/api/executor/execution-records/{first}"
    await rig.http.post(f"{path}/cancel", headers=rig.headers())
    actor = row(9, actions=["execute"], object_type="execution", object_ids=[first])
    rig.neighbours.given.give(41, run_row(), actor)

    refused = await rig.http.post(
        f"{path}/retry", json={"retry_type": "full"}, headers=rig.headers(ANN)
    )

    assert refused.json()["content"]["error"] == "run_not_allowed", refused.text
    assert await count(rig) == 1


async def test_a_grant_that_ends_before_the_claim_starts_nothing(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    rig.neighbours.given.give(41, run_row(expires_at=clock.now() + timedelta(hours=1)))
    execution_id = await rig.run(1, by=ANN, run_as="app")
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)

    rig.neighbours.given.give(41)

    async def is_known() -> bool:
        step: Message = {"target_host_ids": [1], "run_as": "app"}
        return (await rig.submit(step, by=ANN, path="/preview")).status_code == 403

    await eventually(is_known, timeout=5)
    await rig.courier.say(agent, "claim", order)
    await rig.until(execution_id, "failed")
    (step,) = steps_of(await rig.show(execution_id)).values()
    (task,) = listed(step["tasks"])
    assert (task["status"], task["reason"]) == ("rejected", "actor_not_allowed")
    assert not await rig.courier.seen(agent, "grant")


async def test_a_grant_on_a_group_counts_at_claim_too(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    rig.neighbours.lines = {1: [3]}
    rig.neighbours.given.give(41, run_row(object_type="host_group", object_ids=["3"]))

    execution_id = await rig.run(1, by=ANN, run_as="app")
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    await rig.courier.say(agent, "claim", order)

    assert await rig.courier.expect(agent, "grant")
    assert (await rig.task(execution_id))["status"] == "claimed"
