"""Questions about rights: may I, who can, why not, and what somebody else sees."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from libs.contracts.grants import Action, ObjectType
from libs.kit.auth import Principal
from libs.kit.service import Service
from services.auth.app import service
from tests.support.access import TreeOfHosts
from tests.support.doors import ADMIN, NOBODY, Door, error_of, opened, person

BASE = "/api/permissions"
PASSWORD = "correct horse battery"


@pytest.fixture
def tree() -> TreeOfHosts:
    found = TreeOfHosts()
    found.hosts = {5: [1, 2], 6: []}
    found.groups = {1: [1, 2], 2: [2]}
    return found


@pytest.fixture
async def door(
    database_url: Callable[[Service], str], tmp_path: Path, tree: TreeOfHosts
) -> AsyncIterator[Door]:
    url = database_url(service)
    async with opened(service, url, tmp_path, neighbours={"hosts": tree}) as running:
        await user(running, "root", "admin")
        yield running


async def user(door: Door, name: str, *roles: str) -> Principal:
    body = {"username": name, "password": PASSWORD, "roles": list(roles)}
    made = await door.content("POST", "/api/auth/users", status=201, json=body)
    assert isinstance(made["id"], int)
    return person(user_id=made["id"])


async def give(door: Door, to: Principal, **more: object) -> object:
    body: dict[str, object] = {
        "subject_type": "user",
        "subject_id": to.id,
        "actions": ["execute"],
        "object_type": "host_group",
        "object_ids": [2],
        "what": ["adhoc"],
        "accounts": ["app"],
    }
    return (await door.content("POST", f"{BASE}/grants", status=201, json=body | more))["id"]


def about(host: int = 5, **more: object) -> dict[str, object]:
    return {"object_type": "host", "object_id": host, "account": "app"} | more


async def test_checks_of_one_and_many_say_what_holds(door: Door) -> None:
    ann = await user(door, "ann")
    await give(door, ann)

    one = await door.content(
        "POST", f"{BASE}/check", by=ann, json=about(actions=["view", "execute", "edit"])
    )
    assert one["results"] == {"view": True, "execute": True, "edit": False}
    items = [about(h, actions=["execute"], account=a) for h, a in ((5, "root"), (6, "app"))]
    many = await door.content("POST", f"{BASE}/check/many", by=ann, json={"items": items})
    assert isinstance(many, list)
    assert [item["results"] for item in many] == [{"execute": False}, {"execute": False}]
    body = {"object_type": "host", "object_ids": [5, 6, 999], "actions": ["view"]}
    found = await door.content("POST", f"{BASE}/resource-permissions", by=ann, json=body)
    assert found == {"5": {"view": True}, "6": {"view": False}, "999": {"view": False}}


@pytest.mark.parametrize(
    ("asked", "missing", "words"),
    [
        (about(6), "object", "none of the grants"),
        (about(account="root"), "account", "not the account root"),
        (about(what="file"), "what", "not what is to be run (file)"),
        (about(at="2020-01-01T00:00:00Z"), "time", "has not begun"),
        (about(action="edit"), "action", "no grant allows to change any host"),
    ],
)
async def test_a_refusal_is_explained_by_the_part_that_is_missing(
    door: Door, asked: dict[str, object], missing: str, words: str
) -> None:
    ann = await user(door, "ann")
    await give(door, ann, starts_at="2021-01-01T00:00:00Z")

    answer = await door.content(
        "POST", f"{BASE}/explain", by=ann, json={"action": "execute"} | asked
    )

    assert (answer["allowed"], answer["missing"], answer["grant"]) == (False, missing, None)
    assert words in str(answer["text"])
    assert answer["text_zh"]


async def test_an_allowed_thing_is_explained_by_its_row_or_permission(door: Door) -> None:
    ann, eve = await user(door, "ann"), await user(door, "eve", "operator")
    grant = await give(door, ann)
    asked = about(action="execute")

    mine = await door.content("POST", f"{BASE}/explain", by=ann, json=asked)
    assert isinstance(mine["grant"], dict)
    assert mine["grant"]["id"] == grant
    hers = await door.content("POST", f"{BASE}/explain", json=asked | {"user_id": eve.id})
    assert hers["permission"] == "executions:run"
    stranger = await door.request(
        "POST", f"{BASE}/explain", by=ann, json=asked | {"user_id": eve.id}
    )
    assert error_of(stranger, 403) == "forbidden"


async def test_who_can_names_everybody_and_by_what(door: Door) -> None:
    ann, eve = await user(door, "ann"), await user(door, "eve", "operator")
    await user(door, "idle")
    group = await door.content("POST", "/api/auth/groups", status=201, json={"name": "night"})
    cid = await user(door, "cid")
    await door.content(
        "POST", f"/api/auth/groups/{group['id']}/members", json={"user_ids": [cid.id]}
    )
    first = await give(door, ann)
    second = await give(door, ann, subject_type="group", subject_id=group["id"])
    asked = {"action": "execute", "object_type": "host", "object_id": "5", "account": "app"}

    rows = await door.rows("GET", f"{BASE}/who-can", params=asked)
    by_user = {row["user_id"]: (row["permission"], row["grant_id"]) for row in rows}
    assert by_user == {
        ADMIN.id: ("executions:run", None),
        ann.id: (None, first),
        eve.id: ("executions:run", None),
        cid.id: (None, second),
    }
    as_root = await door.rows("GET", f"{BASE}/who-can", params=asked | {"account": "root"})
    assert {row["user_id"] for row in as_root} == {ADMIN.id, eve.id}
    refused = await door.request("GET", f"{BASE}/who-can", by=ann, params=asked)
    assert error_of(refused, 403) == "forbidden"


async def test_my_rights_are_roles_and_grants_also_of_groups(door: Door) -> None:
    ann = await user(door, "ann", "viewer")
    grant = await give(door, ann)

    mine = await door.content("GET", f"{BASE}/my", by=ann)
    assert mine["roles"] == ["viewer"]
    assert "hosts:read" in str(mine["permissions"])
    assert isinstance(mine["grants"], list)
    assert [one["id"] for one in mine["grants"]] == [grant]
    same = await door.content("GET", f"{BASE}/user-permissions/{ann.id}")
    assert same == mine
    other = await door.request("GET", f"{BASE}/user-permissions/{ADMIN.id}", by=ann)
    assert error_of(other, 403) == "forbidden"
    missing = await door.request("GET", f"{BASE}/user-permissions/9999")
    assert error_of(missing, 404) == "user_not_found"


async def test_view_as_shows_what_another_sees_and_changes_nothing(door: Door) -> None:
    ann = await user(door, "ann")
    await give(door, ann)

    seen = await door.content("GET", f"{BASE}/view-as/{ann.id}")

    visible = seen["visible"]
    assert isinstance(visible, dict)
    assert set(visible) == {str(kind) for kind in ObjectType}
    assert visible["host"]["view"] == {"everything": False, "ids": [], "groups": ["2"]}
    assert set(visible["host"]) == {"view", "execute"}
    refused = await door.request("GET", f"{BASE}/view-as/{ADMIN.id}", by=ann)
    assert error_of(refused, 403) == "forbidden"


async def test_the_catalogue_names_every_kind_and_action(door: Door) -> None:
    found = await door.content("GET", f"{BASE}/catalogue", by=NOBODY)

    kinds, actions = found["object_types"], found["actions"]
    assert isinstance(kinds, list)
    assert isinstance(actions, list)
    assert {one["name"] for one in kinds} == {str(kind) for kind in ObjectType}
    assert {one["name"] for one in actions} == {str(action) for action in Action}
    assert all(one["description_zh"] for one in [*kinds, *actions])


async def test_a_disabled_user_may_nothing(door: Door) -> None:
    ann = await user(door, "ann", "operator")
    await door.content("POST", f"/api/auth/users/{ann.id}/disable")

    answer = await door.content(
        "POST", f"{BASE}/explain", json=about(action="execute", user_id=ann.id)
    )
    assert answer["allowed"] is False
    asked = {"action": "execute", "object_type": "host", "object_id": "5"}
    rows = await door.rows("GET", f"{BASE}/who-can", params=asked)
    assert {row["user_id"] for row in rows} == {ADMIN.id}
