"""What people see and change of hosts with grants alone; what is hidden is as if missing."""

from datetime import timedelta

import httpx
import pytest

from libs.contracts.hosts import HostsClient
from libs.kit import clock
from libs.kit.clock import StandingClock
from libs.kit.errors import NotFound
from tests.support.access import Given, row
from tests.support.doors import Door, error_of, person

ANN = person(user_id=41)


@pytest.fixture
async def fleet(door: Door) -> dict[str, int]:
    """web (in eu > web), db (in eu > db), lone (in no group), far (in us)."""
    ids: dict[str, int] = {}

    async def add(path: str, name: str, **more: object) -> None:
        made = await door.content("POST", path, status=201, json={"name": name, **more})
        assert isinstance(made["id"], int)
        ids[name] = made["id"]

    await add("/api/hosts/groups", "eu")
    await add("/api/hosts/groups", "us")
    await add("/api/hosts/groups", "eu-web", parent_id=ids["eu"])
    await add("/api/hosts/groups", "eu-db", parent_id=ids["eu"])
    for number, (name, group) in enumerate(
        (("web", "eu-web"), ("db", "eu-db"), ("lone", None), ("far", "us")), start=1
    ):
        await add("/api/hosts", name, ip_address=f"10.0.0.{number}", group=group)
    return ids


async def seen(door: Door, path: str = "/api/hosts", **query: str | int) -> list[object]:
    page = await door.content("GET", path, by=ANN, params={"sort": "id", **query})
    rows = page["results"]
    assert isinstance(rows, list)
    assert page["total"] == len(rows)
    return [one["name"] for one in rows]


def same(hidden: httpx.Response, missing: httpx.Response, *ids: int) -> None:
    """Both answers are the same but for the id that was asked for and the request's own."""
    assert hidden.status_code == missing.status_code
    texts = []
    for answer in (hidden, missing):
        document = answer.json()
        document["content"].pop("request_id")
        texts.append(str(document))
    for one in ids:
        texts = [text.replace(f" {one}}}", " X}").replace(f"[{one}]", "[X]") for text in texts]
    assert texts[0] == texts[1]


async def test_without_any_grant_there_is_nothing(door: Door, fleet: dict[str, int]) -> None:
    assert await seen(door) == []
    assert await seen(door, "/api/hosts/groups") == []
    same(
        await door.request("GET", f"/api/hosts/{fleet['web']}", by=ANN),
        await door.request("GET", "/api/hosts/9999", by=ANN),
        fleet["web"],
        9999,
    )


async def test_hosts_are_seen_by_themselves_and_in_groups(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.give(
        41,
        row(1, object_ids=[str(fleet["lone"])], actions=["edit"]),
        row(2, object_type="host_group", object_ids=[str(fleet["eu"])]),
    )

    assert await seen(door) == ["web", "db", "lone"]
    assert await seen(door, search="b") == ["web", "db"]
    assert await seen(door, search="far") == []
    assert await seen(door, group_id=fleet["eu-db"]) == ["db"]
    assert await seen(door, group_id=fleet["us"]) == []
    assert await seen(door, agent_status="none") == ["web", "db", "lone"]
    assert set(await seen(door, "/api/hosts/groups")) == {"eu", "eu-web", "eu-db"}
    for name in ("web", "lone"):
        shown = await door.content("GET", f"/api/hosts/{fleet[name]}", by=ANN)
        assert shown["name"] == name
    hidden = await door.request("GET", f"/api/hosts/{fleet['far']}", by=ANN)
    assert error_of(hidden, 404) == "host_not_found"


async def test_pages_and_totals_count_what_is_seen(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.give(41, row(1, object_ids=[str(fleet["lone"]), str(fleet["far"]), "777"]))

    page = await door.content("GET", "/api/hosts", by=ANN, params={"page_size": 1, "page": 2})
    assert page["total"] == 2
    results = page["results"]
    assert isinstance(results, list)
    assert [one["name"] for one in results] == ["far"]


async def test_the_names_of_groups_that_are_hidden_appear_nowhere(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.give(
        41,
        row(1, object_ids=[str(fleet["web"])]),
        row(2, object_type="host_group", object_ids=[str(fleet["eu-db"])]),
    )

    web = await door.content("GET", f"/api/hosts/{fleet['web']}", by=ANN)
    assert web["groups"] == []
    listed = await door.request("GET", "/api/hosts", by=ANN)
    assert "eu-web" not in listed.text
    assert await seen(door, group_id=fleet["eu-web"]) == []
    group = await door.content("GET", f"/api/hosts/groups/{fleet['eu-db']}", by=ANN)
    assert group["parent_id"] is None
    assert await seen(door, "/api/hosts/groups", parent_id=fleet["eu"]) == []


async def test_all_hosts_does_not_mean_all_groups(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.give(41, row(1, object_ids=["*"]))

    assert await seen(door) == ["web", "db", "lone", "far"]
    assert await seen(door, "/api/hosts/groups") == []
    given.give(41, row(1, object_type="host_group", object_ids=["*"]))


async def test_a_change_of_grants_is_seen_within_two_seconds(
    door: Door, fleet: dict[str, int], given: Given, time: StandingClock
) -> None:
    given.give(41, row(1, object_ids=[str(fleet["far"])]))
    assert await seen(door) == ["far"]
    given.give(41)
    time.advance(timedelta(seconds=2))
    assert await seen(door) == []
    given.give(41, row(1, object_ids=["*"], expires_at=clock.now() + timedelta(seconds=9)))
    time.advance(timedelta(seconds=2))
    assert len(await seen(door)) == 4
    asked = given.asked
    time.advance(timedelta(seconds=1))
    assert len(await seen(door)) == 4
    assert given.asked == asked
    time.advance(timedelta(seconds=7))
    assert await seen(door) == []


async def test_nobody_sees_anything_while_auth_is_away(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.down = True

    assert error_of(await door.request("GET", "/api/hosts", by=ANN), 503) == "unavailable"
    assert len(await door.rows("GET", "/api/hosts")) == 4


async def test_an_api_token_brings_no_grants(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.give(41, row(1, object_ids=["*"]))
    program = person(user_id=41, session_id="token:7")

    assert (await door.content("GET", "/api/hosts", by=program))["total"] == 0


async def test_changing_needs_the_action_on_the_very_host(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.give(
        41,
        row(1, object_ids=[str(fleet["web"])], actions=["edit"]),
        row(2, object_type="host_group", object_ids=[str(fleet["eu-db"])], actions=["delete"]),
        row(3, object_ids=[str(fleet["lone"])]),
    )
    change = {"description": "changed"}

    async def tried(method: str, name: str, body: object = None) -> httpx.Response:
        return await door.request(method, f"/api/hosts/{fleet[name]}", by=ANN, json=body)

    assert (await tried("PATCH", "web", change)).json()["content"]["description"] == "changed"
    assert error_of(await tried("PATCH", "lone", change), 403) == "forbidden"
    assert error_of(await tried("PATCH", "far", change), 404) == "host_not_found"
    assert error_of(await tried("DELETE", "web"), 403) == "forbidden"
    assert error_of(await tried("DELETE", "far"), 404) == "host_not_found"
    moved = await tried("PATCH", "web", {"group": "eu-db"})
    assert error_of(moved, 403) == "forbidden"
    assert (await tried("DELETE", "db")).status_code == 200
    groups = "/api/hosts/groups"
    db = await door.request("PATCH", f"{groups}/{fleet['eu-db']}", by=ANN, json=change)
    assert error_of(db, 403) == "forbidden"
    us = await door.request("DELETE", f"{groups}/{fleet['us']}", by=ANN)
    assert error_of(us, 404) == "group_not_found"
    assert (await door.request("DELETE", f"{groups}/{fleet['eu-db']}", by=ANN)).status_code == 200


async def test_execution_gets_the_hosts_that_its_caller_sees_with_their_groups(
    door: Door, fleet: dict[str, int], given: Given
) -> None:
    given.give(41, row(1, object_type="host_group", object_ids=[str(fleet["eu"])]))
    hosts = HostsClient(door.runtime.http, door.runtime.internal_tokens, "execution")

    (web,) = await hosts.resolve_targets([fleet["web"]], ANN)
    assert web.groups == sorted([fleet["eu"], fleet["eu-web"]])
    in_eu = await hosts.resolve_groups([fleet["eu"]], ANN)
    assert [host.name for host in in_eu] == ["web", "db"]
    for wanted in ([fleet["far"]], [fleet["web"], fleet["lone"]], [999]):
        with pytest.raises(NotFound) as caught:
            await hosts.resolve_targets(wanted, ANN)
        assert caught.value.details["missing"] == wanted[-1:]
    with pytest.raises(NotFound):
        await hosts.resolve_groups([fleet["us"]], ANN)
    found = await hosts.lineage([fleet["web"], 999], [fleet["eu-db"], 999])
    assert found.hosts == {fleet["web"]: sorted([fleet["eu"], fleet["eu-web"]])}
    assert found.groups == {fleet["eu-db"]: sorted([fleet["eu"], fleet["eu-db"]])}
