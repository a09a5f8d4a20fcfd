"""Users over HTTP: profile, one-time passwords, deletion, and power over others."""

import asyncio
from datetime import timedelta

import pytest

from libs.contracts.auth import AuthClient
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from services.auth.domain import Role
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user, principal_of
from tests.support.doors import ADMIN, Door, error_of, person

USERS = "/api/auth/users"
ADDRESS = {"x-forwarded-for": "192.0.2.7"}


async def logged_in(door: Door, username: str, password: str) -> dict[str, object]:
    """The content of a login."""
    answer = await door.request(
        "POST",
        "/api/auth/login",
        by=None,
        json={"username": username, "password": password},
        headers=ADDRESS,
    )
    assert answer.status_code == 200, answer.text
    content: dict[str, object] = answer.json()["content"]
    return content


async def may_log_in(door: Door, username: str, password: str = PASSWORD) -> bool:
    answer = await door.request(
        "POST",
        "/api/auth/login",
        by=None,
        json={"username": username, "password": password},
        headers=ADDRESS,
    )
    return answer.status_code == 200


async def test_a_profile_is_made_changed_and_cleared(door: Door) -> None:
    profile = {
        "display_name": "  Ann  of Green Gables ",
        "email": "ann@example.com",
        "phone": "+86 10 1234-5678",
        "department": "运维部",
        "position": "SRE",
    }
    spec = {"username": "ann", "password": PASSWORD, **profile}

    made = await door.content("POST", USERS, json=spec, status=201)
    path = f"{USERS}/{made['id']}"
    patch = {"phone": "", "department": "开发部"}
    changed = await door.content("PATCH", path, json=patch)

    assert made["display_name"] == "Ann of Green Gables"
    assert (made["department"], made["email"]) == ("运维部", "ann@example.com")
    assert (changed["phone"], changed["department"], changed["position"]) == ("", "开发部", "SRE")
    assert await door.content("GET", path) == changed


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"search": "GREEN"}, ["ann"]),
        ({"search": "bob@"}, ["bob"]),
        ({"search": "%"}, []),
        ({"role": "operator"}, ["bob"]),
        ({"role": "nothing"}, []),
        ({"is_active": "false"}, ["cat"]),
        ({"sort": "-username"}, ["cat", "bob", "ann"]),
        ({"sort": "last_login_at"}, None),
        ({"group_id": 4711}, []),
    ],
)
async def test_users_are_found_by_what_is_known_about_them(
    door: Door, params: dict[str, str | int], found: list[str] | None
) -> None:
    for spec in (
        {"username": "ann", "display_name": "Ann Green"},
        {"username": "bob", "email": "bob@example.com", "roles": ["operator"]},
        {"username": "cat"},
    ):
        made = await door.content("POST", USERS, json={**spec, "password": PASSWORD}, status=201)
    await door.content("POST", f"{USERS}/{made['id']}/disable")

    rows = await door.rows("GET", USERS, params=params)

    names = [row["username"] for row in rows]
    assert names == found if found is not None else sorted(map(str, names)) == ["ann", "bob", "cat"]


async def test_a_one_time_password_is_good_for_setting_another_and_nothing_else(
    door: Door,
) -> None:
    spec = {"username": "ann", "one_time_password": True, "roles": ["operator"]}
    made = await door.content("POST", USERS, json=spec, status=201)
    first = str(made["one_time_password"])

    user = (await logged_in(door, "ann", first))["user"]

    assert isinstance(user, dict)
    auth = AuthClient(door.runtime.http, door.runtime.internal_tokens, "execution")
    assert user["must_change_password"] is True
    assert user["permissions"] == []
    assert await auth.access_of({int(str(made["id"])): ""}) == {}
    ann = Principal(int(str(made["id"])), "ann")
    body = {"current_password": first, "new_password": PASSWORD}
    await door.content("POST", "/api/auth/password", by=ann, json=body)
    user = (await logged_in(door, "ann", PASSWORD))["user"]
    assert isinstance(user, dict)
    assert "executions:run" in user["permissions"]
    assert not await may_log_in(door, "ann", first)
    shown = await door.content("GET", f"{USERS}/{made['id']}")
    assert "one_time_password" not in shown


async def test_a_reset_ends_sessions_and_the_password_ends_soon(
    door: Door, time: StandingClock
) -> None:
    ann = await make_user(door.use_cases(Users), "ann")
    await logged_in(door, "ann", PASSWORD)

    reset = await door.content("POST", f"{USERS}/{ann.id}/reset_password")

    password = str(reset["one_time_password"])
    assert len(password) >= 20
    sessions = await door.request("GET", f"{USERS}/{ann.id}/sessions")
    assert sessions.json()["content"] == []
    assert not await may_log_in(door, "ann", PASSWORD)
    assert await may_log_in(door, "ann", password)
    time.advance(timedelta(minutes=30))
    assert not await may_log_in(door, "ann", password)


async def test_a_deleted_user_is_gone_and_the_name_stays_taken(door: Door) -> None:
    ann = await make_user(door.use_cases(Users), "ann", Role.VIEWER)
    await logged_in(door, "ann", PASSWORD)
    path = f"{USERS}/{ann.id}"

    await door.content("DELETE", path)

    assert not await may_log_in(door, "ann")
    assert await door.rows("GET", USERS) == []
    kept = await door.rows("GET", USERS, params={"include_deleted": "true"})
    assert [(row["username"], row["roles"], row["is_active"]) for row in kept] == [
        ("ann", [], False)
    ]
    assert kept[0]["deleted_at"] is not None
    for method, suffix in (
        ("PATCH", ""), ("DELETE", ""), ("POST", "/enable"), ("POST", "/reset_password"),
    ):  # fmt: skip
        answer = await door.request(method, path + suffix, json={} if method != "DELETE" else None)
        assert error_of(answer, 404) == "user_not_found"
    again = await door.request("POST", USERS, json={"username": "ANN", "password": PASSWORD})
    assert error_of(again, 409) == "username_taken"


async def test_disabling_and_enabling_over_http(door: Door) -> None:
    ann = await make_user(door.use_cases(Users), "ann")

    disabled = await door.content("POST", f"{USERS}/{ann.id}/disable")
    assert disabled["is_active"] is False
    assert not await may_log_in(door, "ann")
    enabled = await door.content("POST", f"{USERS}/{ann.id}/enable")
    assert enabled["is_active"] is True
    assert await may_log_in(door, "ann")


# ---- the last administrator ------------------------------------------------------------------


async def test_the_last_administrator_cannot_be_deleted(door: Door) -> None:
    root = await make_user(door.use_cases(Users), "root", Role.ADMIN)

    answer = await door.request("DELETE", f"{USERS}/{root.id}")

    assert error_of(answer, 409) == "last_admin"
    assert await may_log_in(door, "root")


async def test_an_administrator_by_a_group_counts(door: Door) -> None:
    users = door.use_cases(Users)
    root = await make_user(users, "root", Role.ADMIN)
    second = await make_user(users, "second")
    body = {"name": "admins", "roles": ["admin"]}
    group = await door.content("POST", "/api/auth/groups", json=body, status=201)
    members = f"/api/auth/groups/{group['id']}/members"
    await door.content("POST", members, json={"user_ids": [second.id]})

    await door.content("DELETE", f"{USERS}/{root.id}")

    for method, path, json in (
        ("DELETE", f"{USERS}/{second.id}", None),
        ("POST", f"{USERS}/{second.id}/disable", None),
        ("DELETE", f"{members}/{second.id}", None),
        ("PATCH", f"/api/auth/groups/{group['id']}", {"roles": []}),
        ("DELETE", f"/api/auth/groups/{group['id']}", None),
    ):
        assert error_of(await door.request(method, path, json=json), 409) == "last_admin"
    assert await may_log_in(door, "second")


async def test_of_two_ways_to_lose_the_last_administrator_at_once_one_fails(door: Door) -> None:
    users = door.use_cases(Users)
    one, two = [await make_user(users, name, Role.ADMIN) for name in ("one", "two")]

    answers = await asyncio.gather(
        door.request("DELETE", f"{USERS}/{one.id}"),
        door.request("PATCH", f"{USERS}/{two.id}", json={"roles": []}),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


# ---- power over others -----------------------------------------------------------------------

CLERK = person("users:read", "users:write", "hosts:read", user_id=99)


@pytest.mark.parametrize("roles", [["admin"], ["operator"], ["viewer", "admin"]])
async def test_nobody_gives_roles_beyond_their_own_rights(door: Door, roles: list[str]) -> None:
    spec = {"username": "eve", "password": PASSWORD, "roles": roles}

    made = await door.request("POST", USERS, by=CLERK, json=spec)
    eve = await make_user(door.use_cases(Users), "eve")
    changed = await door.request("PATCH", f"{USERS}/{eve.id}", by=CLERK, json={"roles": roles})

    assert error_of(made, 403) == "exceeds_own_rights"
    assert error_of(changed, 403) == "exceeds_own_rights"
    assert (await door.content("GET", f"{USERS}/{eve.id}"))["roles"] == []


@pytest.mark.parametrize(
    ("method", "suffix", "json"),
    [
        ("POST", "/reset_password", None),
        ("POST", "/disable", None),
        ("DELETE", "", None),
        ("PATCH", "", {"email": "eve@example.com"}),
        ("DELETE", "/sessions", None),
        ("DELETE", "/tokens", None),
    ],
)
async def test_nobody_has_power_over_people_who_may_do_more(
    door: Door, method: str, suffix: str, json: object
) -> None:
    root = await make_user(door.use_cases(Users), "root", Role.ADMIN)
    await make_user(door.use_cases(Users), "second", Role.ADMIN)

    answer = await door.request(method, f"{USERS}/{root.id}{suffix}", by=CLERK, json=json)

    assert error_of(answer, 403) == "exceeds_own_rights"
    assert await may_log_in(door, "root")


async def test_people_who_may_do_less_are_administered(door: Door) -> None:
    ann = await make_user(door.use_cases(Users), "ann")

    reset = await door.request("POST", f"{USERS}/{ann.id}/reset_password", by=CLERK)

    assert reset.status_code == 200


# ---- oneself ---------------------------------------------------------------------------------


async def test_people_change_their_own_profile_and_nothing_else(door: Door) -> None:
    ann = principal_of(await make_user(door.use_cases(Users), "ann", Role.VIEWER))

    changed = await door.content("PATCH", "/api/auth/me", by=ann, json={"phone": "110"})

    assert (changed["phone"], changed["roles"]) == ("110", ["viewer"])
    assert (await door.content("GET", "/api/auth/me", by=ann))["phone"] == "110"
    for field in ("roles", "is_active", "username", "must_change_password", "id", "password"):
        answer = await door.request("PATCH", "/api/auth/me", by=ann, json={field: None})
        assert error_of(answer, 422) == "invalid"


async def test_me_names_the_groups_and_joins_their_permissions(door: Door) -> None:
    ann = principal_of(await make_user(door.use_cases(Users), "ann", Role.VIEWER))
    body = {"name": "night shift", "roles": ["operator"]}
    group = await door.content("POST", "/api/auth/groups", json=body, status=201)
    path = f"/api/auth/groups/{group['id']}/members"
    await door.content("POST", path, json={"user_ids": [ann.id]})

    me = await door.content("GET", "/api/auth/me", by=ann)

    assert me["groups"] == ["night shift"]
    permissions = me["permissions"]
    assert isinstance(permissions, list)
    assert {"executions:run", "hosts:read"} <= set(permissions)


async def test_the_administrator_of_tests_is_nobody_in_this_database(door: Door) -> None:
    answer = await door.request("GET", "/api/auth/me", by=ADMIN)

    assert error_of(answer, 401) == "session_ended"
