"""API tokens: made once, hold no more than their owner, and end."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from libs.contracts.auth import AuthClient, PrincipalInfo
from libs.kit import clock
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from services.auth.domain import Role, token_hash
from services.auth.models import ApiToken, User
from services.auth.tokens.domain import MOST_PER_USER, effective
from services.auth.users.schemas import UserPatch
from services.auth.users.service import Users
from tests.services.auth.conftest import make_user
from tests.support.doors import ADMIN, FRESH, Door, error_of, person

TOKENS = "/api/auth/tokens"


@pytest.fixture
async def ann(door: Door) -> User:
    return await make_user(door.use_cases(Users), "ann", Role.OPERATOR)


@pytest.fixture
def auth(door: Door) -> AuthClient:
    return AuthClient(door.runtime.http, door.runtime.internal_tokens, "gateway")


def operator(user: User) -> Principal:
    """The user as the gateway sees a login."""
    held = frozenset({"hosts:read", "executions:run", "executions:read"})
    return Principal(
        user.id, user.username, permissions=held, session_id="a-session", proved_until=FRESH
    )


def spec(**changes: object) -> dict[str, object]:
    ends = (clock.now() + timedelta(days=30)).isoformat()
    return {"name": "build", "scopes": ["executions:run"], "expires_at": ends, **changes}


async def made(door: Door, by: Principal, **changes: object) -> dict[str, object]:
    return await door.content("POST", TOKENS, by=by, json=spec(**changes), status=201)


async def resolved(auth: AuthClient, token: object, address: str = "") -> PrincipalInfo | None:
    return await auth.resolve_token(token_hash(str(token)), address=address)


async def test_a_token_acts_for_its_owner_with_its_scopes(
    door: Door, ann: User, auth: AuthClient
) -> None:
    token = await made(door, operator(ann))

    info = await resolved(auth, token["token"])

    assert info is not None
    assert (info.user_id, info.username) == (ann.id, "ann")
    assert info.permissions == ["executions:run"]
    assert info.session_id == f"token:{token['id']}"
    assert str(token["token"]).startswith("opsjob_")
    assert len(str(token["token"])) >= 50


async def test_a_token_is_shown_once_and_stored_as_a_hash(
    door: Door, ann: User, auth: AuthClient
) -> None:
    token = await made(door, operator(ann))

    listed = (await door.request("GET", TOKENS, by=operator(ann))).json()["content"]
    database: Database = door.app.state.database
    stored = await database.read(lambda tx: list(tx.scalars(select(ApiToken.token_hash))))

    assert listed == [{key: value for key, value in token.items() if key != "token"}]
    assert stored == [token_hash(str(token["token"]))]


async def test_use_is_noted_with_the_address(
    door: Door, ann: User, auth: AuthClient, time: StandingClock
) -> None:
    token = await made(door, operator(ann))

    async def noted() -> tuple[object, object]:
        (row,) = (await door.request("GET", TOKENS, by=operator(ann))).json()["content"]
        return row["last_used_at"], row["last_address"]

    assert await noted() == (None, "")
    await resolved(auth, token["token"], "192.0.2.4")
    first = await noted()
    time.advance(timedelta(seconds=30))
    await resolved(auth, token["token"], "192.0.2.4")
    assert await noted() == first
    await resolved(auth, token["token"], "2001:db8::1")
    assert (await noted())[1] == "2001:db8::/64"
    time.advance(timedelta(seconds=61))
    await resolved(auth, token["token"])
    last = await noted()
    assert str(last[0]) > str(first[0])
    assert last[1] == "2001:db8::/64"


async def test_a_token_ends_at_its_moment(
    door: Door, ann: User, auth: AuthClient, time: StandingClock
) -> None:
    token = await made(
        door, operator(ann), expires_at=(clock.now() + timedelta(hours=1)).isoformat()
    )
    time.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert await resolved(auth, token["token"]) is not None

    time.advance(timedelta(seconds=1))

    assert await resolved(auth, token["token"]) is None
    (row,) = (await door.request("GET", TOKENS, by=operator(ann))).json()["content"]
    assert row["is_expired"] is True


async def test_a_revoked_token_is_worth_nothing(door: Door, ann: User, auth: AuthClient) -> None:
    token = await made(door, operator(ann))

    await door.content("DELETE", f"{TOKENS}/{token['id']}", by=operator(ann))

    assert await resolved(auth, token["token"]) is None
    again = await door.request("DELETE", f"{TOKENS}/{token['id']}", by=operator(ann))
    assert error_of(again, 404) == "token_not_found"


async def test_an_administrator_revokes_tokens(door: Door, ann: User, auth: AuthClient) -> None:
    tokens = [await made(door, operator(ann), name=f"t{number}") for number in range(3)]
    path = f"/api/auth/users/{ann.id}/tokens"

    listed = (await door.request("GET", path)).json()["content"]
    await door.content("DELETE", f"{path}/{tokens[0]['id']}")
    revoked = await door.content("DELETE", path)

    assert [row["name"] for row in listed] == ["t2", "t1", "t0"]
    assert revoked == {"revoked": 2}
    assert [await resolved(auth, token["token"]) for token in tokens] == [None] * 3


async def test_somebody_elses_token_is_no_token(door: Door, ann: User, auth: AuthClient) -> None:
    bob = await make_user(door.use_cases(Users), "bob", Role.OPERATOR)
    token = await made(door, operator(ann))

    for by, path in (
        (operator(bob), f"{TOKENS}/{token['id']}"),
        (ADMIN, f"/api/auth/users/{bob.id}/tokens/{token['id']}"),
    ):
        assert error_of(await door.request("DELETE", path, by=by), 404) == "token_not_found"
    assert await resolved(auth, token["token"]) is not None


async def test_a_token_never_holds_more_than_its_owner(
    door: Door, ann: User, auth: AuthClient
) -> None:
    token = await made(door, operator(ann), scopes=["executions:run", "hosts:read"])
    users = door.use_cases(Users)

    await users.change(ann.id, UserPatch(roles=["viewer"]))

    info = await resolved(auth, token["token"])
    assert info is not None
    assert info.permissions == ["hosts:read"]
    await users.change(ann.id, UserPatch(roles=[]))
    info = await resolved(auth, token["token"])
    assert info is not None
    assert info.permissions == []


@pytest.mark.parametrize("scopes", [["users:write"], ["*"], ["hosts:read", "audit:read"]])
async def test_scopes_beyond_the_caller_are_refused(
    door: Door, ann: User, scopes: list[str]
) -> None:
    answer = await door.request("POST", TOKENS, by=operator(ann), json=spec(scopes=scopes))

    assert error_of(answer, 403) == "exceeds_own_rights"


async def test_scopes_that_the_owner_lost_a_moment_ago_are_refused(door: Door, ann: User) -> None:
    """The gateway may believe for two seconds what auth already knows better."""
    await door.use_cases(Users).change(ann.id, UserPatch(roles=["viewer"]))

    answer = await door.request("POST", TOKENS, by=operator(ann), json=spec())

    assert error_of(answer, 403) == "exceeds_own_rights"


async def test_disabling_and_deleting_the_owner_end_the_token(
    door: Door, ann: User, auth: AuthClient
) -> None:
    token = await made(door, operator(ann))
    users = door.use_cases(Users)

    await users.change(ann.id, UserPatch(is_active=False))
    assert await resolved(auth, token["token"]) is None
    await users.change(ann.id, UserPatch(is_active=True))
    assert await resolved(auth, token["token"]) is not None
    await users.delete(ann.id)
    assert await resolved(auth, token["token"]) is None


async def test_names_are_unique_per_user(door: Door, ann: User) -> None:
    bob = await make_user(door.use_cases(Users), "bob", Role.OPERATOR)
    await made(door, operator(ann))
    await made(door, operator(bob))

    answer = await door.request("POST", TOKENS, by=operator(ann), json=spec())

    assert error_of(answer, 409) == "token_name_taken"


async def test_a_user_has_so_many_tokens_at_most_also_when_made_at_once(
    door: Door, ann: User
) -> None:
    for number in range(MOST_PER_USER - 1):
        await made(door, operator(ann), name=f"t{number}")

    answers = await asyncio.gather(
        *(
            door.request("POST", TOKENS, by=operator(ann), json=spec(name=f"last {number}"))
            for number in range(3)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = next(answer for answer in answers if not answer.is_success)
    assert error_of(refused, 409) == "too_many_tokens"


@pytest.mark.parametrize(
    ("method", "path", "json"),
    [
        ("POST", TOKENS, {"name": "x", "scopes": ["*"], "expires_at": "2999-01-01T00:00:00Z"}),
        ("DELETE", f"{TOKENS}/1", None),
        ("POST", "/api/auth/password", {"current_password": "x" * 8, "new_password": "y" * 8}),
        ("PATCH", "/api/auth/me", {"phone": "1"}),
        ("DELETE", "/api/auth/sessions", None),
    ],
)
async def test_a_token_touches_nothing_that_guards_the_account(
    door: Door, ann: User, method: str, path: str, json: object
) -> None:
    program = Principal(
        *(ann.id, "ann"), permissions=frozenset({"*"}), session_id="token:1", proved_until=FRESH
    )

    answer = await door.request(method, path, by=program, json=json)

    assert error_of(answer, 403) == "not_by_api_token"


async def test_a_token_sees_its_own_permissions_in_me(door: Door, ann: User) -> None:
    program = Principal(ann.id, "ann", permissions=frozenset({"hosts:read"}), session_id="token:1")

    me = await door.content("GET", "/api/auth/me", by=program)

    assert (me["username"], me["permissions"]) == ("ann", ["hosts:read"])


LATER = "2999-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"expires_at": None}, id="B045-no-expiry"),
        pytest.param({"expires_at": "2020-01-01T00:00:00Z"}, id="B045-past"),
        pytest.param({"expires_at": LATER}, id="B045-for-ever"),
        pytest.param({"expires_at": "tomorrow"}, id="B030-text"),
        pytest.param({"expires_at": "2030-01-01T00:00:00"}, id="B030-no-zone"),
        pytest.param({"expires_at": 1893456000}, id="B030-number"),
        pytest.param({"scopes": []}, id="B013-no-scopes"),
        pytest.param({"scopes": ["everything"]}, id="B045-unknown-form"),
        pytest.param({"scopes": "*"}, id="B014-scopes-text"),
        pytest.param({"scopes": ["hosts:read"] * 101}, id="B054-scopes-too-many"),
        pytest.param({"name": ""}, id="B013-no-name"),
        pytest.param({"name": "a\u202eb"}, id="B046-name"),
        pytest.param({"token": "opsjob_mine"}, id="B015-token"),
        pytest.param({"user_id": 1}, id="B015-owner"),
    ],
)
async def test_a_token_that_makes_no_sense(
    door: Door, ann: User, changes: dict[str, object]
) -> None:
    answer = await door.request("POST", TOKENS, by=operator(ann), json=spec(**changes))

    assert error_of(answer, 422) in {"invalid", "token_expiry_refused"}


async def test_only_services_resolve_tokens(door: Door) -> None:
    body = {"token_hash": "0" * 64}

    answer = await door.request("POST", "/internal/tokens/resolve", by=person("*"), json=body)

    assert error_of(answer, 403) == "forbidden"


@pytest.mark.parametrize(
    ("scopes", "held", "allowed"),
    [
        ({"a:b"}, {"a:b", "c:d"}, {"a:b"}),
        ({"a:b", "c:d"}, {"a:b"}, {"a:b"}),
        ({"a:b"}, {"*"}, {"a:b"}),
        ({"*"}, {"a:b"}, {"a:b"}),
        ({"*"}, {"*"}, {"*"}),
        ({"a:b"}, set(), set()),
        (set(), {"*"}, set()),
    ],
)
def test_a_scope_never_adds_a_right(scopes: set[str], held: set[str], allowed: set[str]) -> None:
    assert effective(scopes, held) == allowed
