"""Groups of users: names, members, and what they give."""

import pytest

from libs.contracts.auth import AuthClient
from services.auth.domain import Role
from services.auth.users.service import Users
from tests.services.auth.conftest import make_user
from tests.support.doors import Door, error_of, person

GROUPS = "/api/auth/groups"
CLERK = person("users:read", "users:write", user_id=99)


async def test_a_group_is_made_changed_listed_and_deleted(door: Door) -> None:
    body = {"name": " Night  shift ", "description": "After ten", "roles": ["viewer", "viewer"]}

    made = await door.content("POST", GROUPS, json=body, status=201)
    path = f"{GROUPS}/{made['id']}"
    changed = await door.content("PATCH", path, json={"name": "Day shift", "roles": ["operator"]})

    assert (made["name"], made["roles"], made["member_count"]) == ("Night shift", ["viewer"], 0)
    assert (changed["name"], changed["roles"]) == ("Day shift", ["operator"])
    assert changed["description"] == "After ten"
    assert await door.rows("GET", GROUPS, params={"search": "DAY"}) == [changed]
    assert await door.rows("GET", GROUPS, params={"search": "_"}) == []
    await door.content("DELETE", path)
    assert error_of(await door.request("GET", path), 404) == "group_not_found"


@pytest.mark.parametrize("twin", ["OPS", " ops ", "oPs"])
async def test_names_are_unique_whatever_their_case(door: Door, twin: str) -> None:
    await door.content("POST", GROUPS, json={"name": "ops"}, status=201)
    other = await door.content("POST", GROUPS, json={"name": "dev"}, status=201)

    made = await door.request("POST", GROUPS, json={"name": twin})
    renamed = await door.request("PATCH", f"{GROUPS}/{other['id']}", json={"name": twin})

    assert error_of(made, 409) == "group_name_taken"
    assert error_of(renamed, 409) == "group_name_taken"


async def test_members_join_and_leave(door: Door) -> None:
    users = door.use_cases(Users)
    ann, bob = await make_user(users, "ann"), await make_user(users, "bob")
    made = await door.content("POST", GROUPS, json={"name": "ops"}, status=201)
    members = f"{GROUPS}/{made['id']}/members"

    await door.content("POST", members, json={"user_ids": [ann.id]})
    group = await door.content("POST", members, json={"user_ids": [bob.id, ann.id, bob.id]})

    assert group["member_count"] == 2
    assert [row["username"] for row in await door.rows("GET", members)] == ["ann", "bob"]
    listed = await door.rows("GET", "/api/auth/users", params={"group_id": str(made["id"])})
    assert [row["groups"] for row in listed] == [[{"id": made["id"], "name": "ops"}]] * 2
    await door.content("DELETE", f"{members}/{ann.id}")
    assert [row["username"] for row in await door.rows("GET", members)] == ["bob"]
    again = await door.request("DELETE", f"{members}/{ann.id}")
    assert error_of(again, 404) == "user_not_found"


async def test_all_join_or_none(door: Door) -> None:
    ann = await make_user(door.use_cases(Users), "ann")
    made = await door.content("POST", GROUPS, json={"name": "ops"}, status=201)
    members = f"{GROUPS}/{made['id']}/members"

    answer = await door.request("POST", members, json={"user_ids": [ann.id, 4711]})

    assert error_of(answer, 404) == "user_not_found"
    assert await door.rows("GET", members) == []


async def test_members_have_the_roles_of_the_group_as_long_as_they_are_in_it(door: Door) -> None:
    ann = await make_user(door.use_cases(Users), "ann", Role.VIEWER)
    auth = AuthClient(door.runtime.http, door.runtime.internal_tokens, "execution")
    body = {"name": "ops", "roles": ["operator"]}
    made = await door.content("POST", GROUPS, json=body, status=201)
    path = f"{GROUPS}/{made['id']}"

    async def may_run() -> bool:
        info = (await auth.active_users([ann.id]))[ann.id]
        return "executions:run" in info.permissions

    assert not await may_run()
    await door.content("POST", f"{path}/members", json={"user_ids": [ann.id]})
    assert await may_run()
    await door.content("PATCH", path, json={"roles": []})
    assert not await may_run()
    await door.content("PATCH", path, json={"roles": ["operator"]})
    assert await may_run()
    await door.content("DELETE", path)
    assert not await may_run()


async def test_nobody_puts_anybody_into_a_group_that_may_do_more(door: Door) -> None:
    clerk = await make_user(door.use_cases(Users), "clerk")
    body = {"name": "admins", "roles": ["admin"]}
    group = await door.content("POST", GROUPS, json=body, status=201)
    path = f"{GROUPS}/{group['id']}"

    for method, url, json in (
        ("POST", GROUPS, {"name": "mine", "roles": ["admin"]}),
        ("POST", f"{path}/members", {"user_ids": [clerk.id]}),
        ("PATCH", path, {"name": "harmless"}),
        ("DELETE", path, None),
        ("DELETE", f"{path}/members/{clerk.id}", None),
    ):
        answer = await door.request(method, url, by=CLERK, json=json)
        assert error_of(answer, 403) == "exceeds_own_rights"


async def test_grants_of_a_group_are_not_handed_on_by_who_may_not_grant(door: Door) -> None:
    clerk = await make_user(door.use_cases(Users), "clerk")
    group = await door.content("POST", GROUPS, json={"name": "ops"}, status=201)
    grant = {
        "subject_type": "group",
        "subject_id": group["id"],
        "actions": ["view"],
        "object_type": "host",
        "object_ids": ["*"],
        "reason": "test",
    }
    made = await door.request("POST", "/api/permissions/grants", json=grant)
    assert made.status_code == 201, made.text
    members = f"{GROUPS}/{group['id']}/members"
    body = {"user_ids": [clerk.id]}

    refused = await door.request("POST", members, by=CLERK, json=body)
    allowed = await door.request(
        "POST", members, by=person("users:write", "permissions:write"), json=body
    )

    assert error_of(refused, 403) == "exceeds_own_rights"
    assert allowed.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": None},
        {"name": "a\u202eb"},
        {"name": "ops", "roles": ["nobody-knows"]},
        {"name": "ops", "roles": ["Admin"]},
        {"name": "ops", "roles": None},
        {"name": "ops", "description": "x" * 2001},
        {"name": "ops", "members": [1]},
        {"name": "ops", "id": 1},
    ],
)
async def test_a_group_that_makes_no_sense(door: Door, body: object) -> None:
    answer = await door.request("POST", GROUPS, json=body)

    assert error_of(answer, 422) in {"invalid", "unknown_role"}
    assert await door.rows("GET", GROUPS) == []


@pytest.mark.parametrize("ids", [[], [0], [-1], ["1"], [True], None, [1] * 1001, [2**31]])
async def test_members_that_make_no_sense(door: Door, ids: object) -> None:
    group = await door.content("POST", GROUPS, json={"name": "ops"}, status=201)

    answer = await door.request("POST", f"{GROUPS}/{group['id']}/members", json={"user_ids": ids})

    assert error_of(answer, 422) == "invalid"
