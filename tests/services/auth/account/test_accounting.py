"""What happens to accounts is told to the audit log, success and failure, without secrets."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from libs.kit import clock
from libs.kit.auth import Principal
from libs.kit.db import Database
from libs.kit.db.tables import outbox
from services.auth.domain import Role
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user
from tests.support.doors import ADMIN, FRESH, Door
from tests.support.waiting import eventually

ORIGIN = {"x-forwarded-for": "192.0.2.77", "user-agent": "a browser"}


async def told(door: Door) -> list[dict[str, object]]:
    """What the audit log will be told, in order."""
    database: Database = door.app.state.database
    query = select(outbox.c.body).where(outbox.c.topic == "audit").order_by(outbox.c.id)
    return [json.loads(body) for body in await database.read(lambda tx: list(tx.scalars(query)))]


async def ask(
    door: Door, method: str, path: str, json: object = None, *, by: Principal | None = ADMIN
) -> dict[str, object]:
    answer = await door.request(method, f"/api/auth{path}", by=by, json=json, headers=ORIGIN)
    assert answer.is_success, answer.text
    content: dict[str, object] = answer.json()["content"]
    return content


async def test_what_happens_to_a_user_is_told_in_order(door: Door) -> None:
    await make_user(door.use_cases(Users), "root", Role.ADMIN)
    already = len(await told(door))
    made = await ask(door, "POST", "/users", {"username": "ann", "password": PASSWORD})
    path = f"/users/{made['id']}"
    group = await ask(door, "POST", "/groups", {"name": "ops", "roles": ["operator"]})
    await ask(door, "PATCH", path, {"phone": "110", "roles": ["viewer"]})
    await ask(door, "POST", f"/groups/{group['id']}/members", {"user_ids": [made["id"]]})
    reset = await ask(door, "POST", f"{path}/reset_password")
    await ask(door, "POST", f"{path}/disable")
    await ask(door, "POST", f"{path}/enable")
    await ask(door, "DELETE", f"{path}/sessions")
    await ask(door, "DELETE", f"/groups/{group['id']}/members/{made['id']}")
    await ask(door, "DELETE", f"/groups/{group['id']}")
    await ask(door, "DELETE", path)

    facts = (await told(door))[already:]

    assert [fact["action"] for fact in facts] == [
        "user.create", "group.create", "user.update", "group.add_member", "user.reset_password",
        "user.disable", "user.enable", "session.end_all", "group.remove_member", "group.delete",
        "user.delete",
    ]  # fmt: skip
    assert {(fact["actor_id"], fact["address"], fact["user_agent"]) for fact in facts} == {
        (ADMIN.id, "192.0.2.77", "a browser")
    }
    update = next(fact for fact in facts if fact["action"] == "user.update")
    before, after = json.loads(str(update["before"])), json.loads(str(update["after"]))
    assert (before["phone"], after["phone"]) == ("", "110")
    assert (before["roles"], after["roles"]) == ([], ["viewer"])
    assert {fact["object_name"] for fact in facts if fact["object_type"] == "user"} == {"ann"}
    assert PASSWORD not in str(facts)
    assert str(reset["one_time_password"]) not in str(facts)


async def test_logins_and_tokens_are_told(door: Door) -> None:
    ann = await make_user(door.use_cases(Users), "ann", Role.VIEWER)
    already = len(await told(door))
    login = {"username": "ann", "password": PASSWORD}
    wrong = await door.request(
        "POST", "/api/auth/login", by=None, json={**login, "password": "no"}, headers=ORIGIN
    )
    assert wrong.status_code == 401
    tokens = await ask(door, "POST", "/login", login, by=None)
    held = frozenset({"hosts:read"})
    by = Principal(ann.id, "ann", permissions=held, session_id="s", proved_until=FRESH)
    ends = (clock.now() + timedelta(days=1)).isoformat()
    spec = {"name": "build", "scopes": ["hosts:read"], "expires_at": ends}
    made = await ask(door, "POST", "/tokens", spec, by=by)
    await ask(door, "DELETE", f"/tokens/{made['id']}", by=by)
    await ask(door, "PATCH", "/me", {"position": "SRE"}, by=by)
    body = {"current_password": PASSWORD, "new_password": "another good one"}
    await ask(door, "POST", "/password", body, by=by)

    async def failed() -> bool:  # refusals are told within a second
        return any(fact["action"] == "login.failed" for fact in await told(door))

    await eventually(failed)
    facts = (await told(door))[already:]

    assert {(fact["action"], fact["outcome"], fact["actor_name"]) for fact in facts} == {
        ("login.failed", "denied", ""),
        ("login.succeeded", "success", "ann"),
        ("token.create", "success", "ann"),
        ("token.revoke", "success", "ann"),
        ("user.update", "success", "ann"),
        ("user.change_password", "success", "ann"),
    }
    assert {fact["address"] for fact in facts} == {"192.0.2.77"}
    for secret in (PASSWORD, "another good one", made["token"], tokens["refresh_token"]):
        assert str(secret) not in str(facts)


@pytest.mark.parametrize("typed", ["My Secret Pass Phrase", "ann"])
async def test_a_name_of_nobody_is_not_kept_for_it_may_be_a_password(
    door: Door, typed: str
) -> None:
    body = {"username": typed, "password": "x"}

    await door.request("POST", "/api/auth/login", by=None, json=body, headers=ORIGIN)

    (fact,) = await eventually(lambda: told(door))
    assert (fact["action"], fact["object_name"]) == ("login.failed", "")
    assert fact["detail"] == "invalid_credentials: There is no such user."
    assert typed not in str(fact)


async def test_a_stolen_refresh_token_is_told(door: Door) -> None:
    await make_user(door.use_cases(Users), "ann")
    login = {"username": "ann", "password": PASSWORD}
    tokens = await ask(door, "POST", "/login", login, by=None)
    body = {"refresh_token": tokens["refresh_token"]}
    await ask(door, "POST", "/refresh", body, by=None)

    again = await door.request("POST", "/api/auth/refresh", by=None, json=body, headers=ORIGIN)

    assert again.status_code == 401
    fact = (await told(door))[-1]
    assert (fact["action"], fact["outcome"]) == ("session.reuse_detected", "denied")


async def test_a_change_that_fails_is_not_told_as_one_that_happened(door: Door) -> None:
    root = await make_user(door.use_cases(Users), "root", Role.ADMIN)
    already = len(await told(door))

    refused = await door.request("DELETE", f"/api/auth/users/{root.id}")

    assert refused.status_code == 409
    assert (await told(door))[already:] == []
