"""Roles: named sets of permissions, never more than their maker holds."""

import pytest

from libs.kit.db import Database, Transaction
from services.auth.domain import PERMISSIONS, Role, enforcer, permissions_of
from services.auth.models import UserRole
from services.auth.roles.repository import RoleRepository
from tests.support.doors import ADMIN, NOBODY, Door, error_of, person

ROLES = "/api/permissions/roles"


def database(door: Door) -> Database:
    found = door.app.state.database
    assert isinstance(found, Database)
    return found


async def made(door: Door, name: str = "Night shift", *permissions: str) -> dict[str, object]:
    body = {"name": name, "permissions": list(permissions or ("hosts:read",))}
    return await door.content("POST", ROLES, status=201, json=body)


async def user_with(door: Door, *roles: str, name: str = "ann") -> int:
    body = {"username": name, "password": "correct horse battery", "roles": []}
    user = await door.content("POST", "/api/auth/users", status=201, json=body)
    user_id = user["id"]
    assert isinstance(user_id, int)

    def give(tx: Transaction) -> None:
        tx.add_all([UserRole(user_id=user_id, role=role) for role in roles])

    await database(door).write(give)
    return user_id


async def held_by(door: Door, user_id: int) -> frozenset[str]:
    held = await database(door).read(lambda tx: RoleRepository(tx).held_by(user_id))
    return held.permissions


async def test_the_built_in_roles_are_there_from_the_start(door: Door) -> None:
    found = await door.content("GET", ROLES)

    assert isinstance(found, list)
    assert [role["key"] for role in found] == [str(role) for role in Role]
    assert all(role["is_built_in"] for role in found)
    by_key = {role["key"]: role["permissions"] for role in found}
    assert by_key["admin"] == ["*"]
    assert by_key["member"] == []
    assert by_key["auditor"] == sorted(name for name in PERMISSIONS if name.endswith(":read"))


async def test_a_custom_role_allows_what_it_names_and_casbin_agrees(door: Door) -> None:
    role = await made(door, "Night shift", "executions:read", "executions:cancel")
    user_id = await user_with(door, str(role["key"]), "viewer")

    policy = await database(door).read(lambda tx: RoleRepository(tx).policy())
    held = await held_by(door, user_id)
    assert held == permissions_of(["viewer"]) | {"executions:cancel"}
    for name in PERMISSIONS:
        decided = any(enforcer(policy).enforce(key, name) for key in (role["key"], "viewer"))
        assert (name in held) == decided


async def test_a_changed_role_counts_at_once_for_all_who_hold_it(door: Door) -> None:
    role = await made(door, "Night shift", "executions:read")
    user_id = await user_with(door, str(role["key"]))

    await door.content("PATCH", f"{ROLES}/{role['id']}", json={"permissions": ["hosts:read"]})

    assert await held_by(door, user_id) == {"hosts:read"}


@pytest.mark.parametrize("name", ["admin", "Admin", "OPERATOR", " viewer "])
async def test_names_of_built_in_roles_are_reserved(door: Door, name: str) -> None:
    answer = await door.request("POST", ROLES, json={"name": name, "permissions": []})

    assert error_of(answer, 409) == "role_name_taken"


async def test_a_role_named_like_another_s_key_is_not_that_role(door: Door) -> None:
    strong = await made(door, "strong", "users:write")
    weak = await made(door, str(strong["key"]), "hosts:read")
    user_id = await user_with(door, str(weak["key"]))

    assert await held_by(door, user_id) == {"hosts:read"}


@pytest.mark.parametrize("names", [["*"], ["nothing:such"], ["hosts:*"], ["hosts:read "]])
async def test_only_permissions_of_the_catalogue_are_accepted(door: Door, names: list[str]) -> None:
    answer = await door.request("POST", ROLES, json={"name": "x", "permissions": names})

    assert error_of(answer, 422) == "invalid"


async def test_nobody_makes_or_changes_a_role_beyond_their_own_rights(door: Door) -> None:
    clerk = person("permissions:read", "permissions:write", "hosts:read")
    body = {"name": "mine", "permissions": ["hosts:read", "users:write"]}
    refused = await door.request("POST", ROLES, by=clerk, json=body)
    assert error_of(refused, 403) == "exceeds_own_rights"
    assert refused.json()["content"]["details"]["permissions"] == ["users:write"]

    strong = await made(door, "strong", "users:write")
    path = f"{ROLES}/{strong['id']}"
    changes: list[dict[str, object]] = [
        {"name": "renamed"},
        {"permissions": []},
        {"require_two_factor": True},
    ]
    for change in changes:
        answer = await door.request("PATCH", path, by=clerk, json=change)
        assert error_of(answer, 403) == "exceeds_own_rights"
    assert error_of(await door.request("DELETE", path, by=clerk), 403) == "exceeds_own_rights"
    assert (await door.content("GET", path))["permissions"] == ["users:write"]

    mine = {"name": "mine", "permissions": ["hosts:read"]}
    await door.content("POST", ROLES, status=201, by=clerk, json=mine)


async def test_of_a_built_in_role_only_the_second_factor_can_be_changed(door: Door) -> None:
    changes: list[dict[str, object]] = [{"name": "boss"}, {"permissions": []}, {"description": "x"}]
    for change in changes:
        answer = await door.request("PATCH", f"{ROLES}/1", json=change)
        assert error_of(answer, 409) == "role_is_built_in"
    assert error_of(await door.request("DELETE", f"{ROLES}/1"), 409) == "role_is_built_in"

    changed = await door.content("PATCH", f"{ROLES}/1", json={"require_two_factor": True})
    assert changed["require_two_factor"] is True
    assert changed["permissions"] == ["*"]
    asked = await database(door).read(
        lambda tx: [RoleRepository(tx).require_two_factor([key]) for key in ("admin", "viewer")]
    )
    assert asked == [True, False]


async def test_a_role_that_is_held_cannot_be_deleted(door: Door) -> None:
    role = await made(door)
    await user_with(door, str(role["key"]))
    path = f"{ROLES}/{role['id']}"

    assert error_of(await door.request("DELETE", path), 409) == "role_in_use"
    free = await made(door, "free")
    await door.content("DELETE", f"{ROLES}/{free['id']}")
    assert error_of(await door.request("GET", f"{ROLES}/{free['id']}"), 404) == "role_not_found"


async def test_roles_are_for_those_who_may_see_and_change_permissions(door: Door) -> None:
    reader = person("permissions:read")

    assert (await door.request("GET", ROLES, by=NOBODY)).status_code == 403
    assert (await door.request("GET", ROLES, by=reader)).status_code == 200
    body = {"name": "x", "permissions": []}
    assert (await door.request("POST", ROLES, by=reader, json=body)).status_code == 403


async def test_the_catalogue_explains_every_permission_in_two_languages(door: Door) -> None:
    found = await door.content("GET", "/api/permissions/permissions", by=NOBODY)

    assert isinstance(found, list)
    assert {one["name"] for one in found} == set(PERMISSIONS)
    assert all(one["description"] and one["description_zh"] for one in found)
    assert ADMIN.can("anything")
