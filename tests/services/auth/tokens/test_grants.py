"""API tokens carry the grants of their owners, within their scopes and never beyond the owner."""

from datetime import timedelta

import pytest

from libs.contracts.auth import AuthClient, PrincipalInfo
from libs.kit import clock
from libs.kit.auth import InternalTokens, Principal
from services.auth.domain import Role, token_hash
from services.auth.models import User
from services.auth.users.service import Users
from tests.services.auth.conftest import make_user
from tests.support.doors import Door, error_of, person

TOKENS = "/api/auth/tokens"
RUNS = {
    "subject_type": "user",
    "actions": ["execute"],
    "object_type": "execution",
    "object_ids": ["*"],
}


@pytest.fixture
async def ann(door: Door) -> User:
    return await make_user(door.use_cases(Users), "ann", Role.MEMBER)


def login(user: User) -> Principal:
    return person(user_id=user.id, session_id="a-session")


async def give(door: Door, user: User) -> dict[str, object]:
    body = RUNS | {"subject_id": user.id}
    return await door.content("POST", "/api/permissions/grants", status=201, json=body)


async def made(door: Door, user: User, *scopes: str, **more: object) -> dict[str, object]:
    ends = (clock.now() + timedelta(days=30)).isoformat()
    body = {"name": "build", "scopes": [*scopes], "expires_at": ends, **more}
    return await door.content("POST", TOKENS, by=login(user), json=body, status=201)


async def program(door: Door, token: dict[str, object]) -> Principal:
    """The token as services see it, after its way through the gateway."""
    auth = AuthClient(door.runtime.http, door.runtime.internal_tokens, "gateway")
    info = await auth.resolve_token(token_hash(str(token["token"])))
    assert isinstance(info, PrincipalInfo)
    tokens: InternalTokens = door.runtime.internal_tokens
    return tokens.verify(tokens.issue("auth", info.as_principal(), "gateway"), "auth")


async def allowed(door: Door, by: Principal, *actions: str) -> dict[str, object]:
    asked = {
        "object_type": "execution",
        "object_id": "0192d3a5-0000-7000-8000-000000000000",
        "actions": [*actions],
    }
    found = await door.content("POST", "/api/permissions/check", by=by, json=asked)
    results = found["results"]
    assert isinstance(results, dict)
    return results


async def test_a_token_may_what_grants_of_its_owner_allow_within_its_scopes(
    door: Door, ann: User
) -> None:
    await give(door, ann)
    stopping = await program(door, await made(door, ann, "executions:operate"))
    seeing = await program(door, await made(door, ann, "executions:read", name="look"))

    assert await allowed(door, login(ann), "view", "execute") == {"view": True, "execute": True}
    assert await allowed(door, stopping, "view", "execute") == {"view": False, "execute": True}
    assert await allowed(door, seeing, "view", "execute") == {"view": True, "execute": False}
    assert stopping.permissions == frozenset()


async def test_what_grants_stand_for_is_told_and_can_be_given(door: Door, ann: User) -> None:
    """The console offers these as scopes beside the permissions of roles."""
    grant = await give(door, ann)
    mine = await door.content("GET", "/api/permissions/my", by=login(ann))

    assert mine["permissions"] == []
    stands_for = ["executions:operate", "executions:read"]
    assert mine["granted_permissions"] == stands_for
    assert (await made(door, ann, *stands_for))["scopes"] == stands_for
    await door.content("DELETE", f"/api/permissions/grants/{grant['id']}")
    mine = await door.content("GET", "/api/permissions/my", by=login(ann))
    assert mine["granted_permissions"] == []


async def test_a_token_loses_a_grant_with_its_owner(door: Door, ann: User) -> None:
    grant = await give(door, ann)
    by = await program(door, await made(door, ann, "executions:operate"))

    await door.content("DELETE", f"/api/permissions/grants/{grant['id']}")

    assert await allowed(door, by, "execute") == {"execute": False}


async def test_a_token_may_be_made_without_grants(door: Door, ann: User) -> None:
    operator = await make_user(door.use_cases(Users), "bob", Role.OPERATOR)
    await give(door, operator)
    by_role = person("hosts:read", user_id=operator.id, session_id="a-session")
    ends = (clock.now() + timedelta(days=30)).isoformat()
    body = {"name": "b", "scopes": ["hosts:read"], "expires_at": ends, "carries_grants": False}
    token = await door.content("POST", TOKENS, by=by_role, json=body, status=201)
    wider = body | {"name": "c", "scopes": ["executions:operate"]}

    assert token["carries_grants"] is False
    assert (await program(door, token)).scopes is None
    assert await allowed(door, await program(door, token), "execute") == {"execute": False}
    refused = await door.request("POST", TOKENS, by=by_role, json=wider)
    assert error_of(refused, 403) == "exceeds_own_rights"


async def test_a_scope_that_neither_a_role_nor_a_grant_stands_for_is_refused(
    door: Door, ann: User
) -> None:
    await give(door, ann)
    ends = (clock.now() + timedelta(days=30)).isoformat()
    for scope in ("hosts:read", "executions:run", "*", "users:read"):
        body = {"name": "build", "scopes": [scope], "expires_at": ends}
        refused = await door.request("POST", TOKENS, by=login(ann), json=body)
        assert error_of(refused, 403) == "exceeds_own_rights"
