"""AuthClient against the real auth service."""

import pytest

from libs.contracts.auth import AuthClient, PrincipalInfo
from libs.kit.errors import Conflict, Invalid, Unavailable
from services.auth.domain import Role, token_hash
from services.auth.service import Tokens
from services.auth.signin.service import Attempt, SignIn
from services.auth.users.schemas import UserCreate, UserPatch
from services.auth.users.service import Users
from tests.support.doors import Door

PASSWORD = "correct horse battery"


@pytest.fixture
async def tokens(auth_door: Door) -> Tokens:
    """Somebody who is logged in."""
    spec = UserCreate(username="ann", password=PASSWORD, roles=[Role.OPERATOR])
    await auth_door.use_cases(Users).create(spec)
    return await auth_door.use_cases(SignIn).login(Attempt("ann", PASSWORD, "192.0.2.1"))


async def test_cookie_and_session_lead_to_the_same_person(auth: AuthClient, tokens: Tokens) -> None:
    assert tokens.cookie is not None
    assert tokens.user.session_id is not None

    by_cookie = await auth.resolve_session(token_hash(tokens.cookie))
    by_session = await auth.principal_of_session(tokens.user.session_id)

    assert by_cookie == by_session == tokens.user
    principal = tokens.user.as_principal()
    assert principal.can("executions:run")
    assert not principal.can("users:write")
    assert principal.kind == "user"


async def test_what_does_not_exist_is_none(auth: AuthClient) -> None:
    assert await auth.resolve_session("0" * 64) is None
    assert await auth.principal_of_session("nothing") is None
    assert await auth.active_users([]) == {}


async def test_what_is_no_hash_is_refused(auth: AuthClient) -> None:
    with pytest.raises(Invalid):
        await auth.resolve_session("x")


async def test_disabled_users_are_not_active(
    auth: AuthClient, auth_door: Door, tokens: Tokens
) -> None:
    user_id = tokens.user.user_id
    before = await auth.active_users([user_id, 4711])

    await auth_door.use_cases(Users).change(user_id, UserPatch(is_active=False))

    without_login = {"session_id": None, "proved_until": None}
    assert before == {user_id: tokens.user.model_copy(update=without_login)}
    assert await auth.active_users([user_id]) == {}


async def test_the_first_administrator_is_made_once(auth: AuthClient) -> None:
    made = await auth.create_first_admin("admin")

    assert made.username == "admin"
    assert len(made.password) >= 20
    with pytest.raises(Conflict) as caught:
        await auth.create_first_admin("admin")
    assert caught.value.code == "users_exist"


async def test_a_service_that_does_not_answer_is_unavailable(
    auth: AuthClient, auth_door: Door
) -> None:
    await auth_door.app.state.database.close()

    with pytest.raises(Unavailable):
        await auth.principal_of_session("anything")


def test_a_principal_without_new_fields_can_still_be_read() -> None:
    """Fields are only added, with defaults: an older service may answer."""
    info = PrincipalInfo.model_validate(
        {
            "user_id": 1,
            "username": "ann",
            "roles": [],
            "permissions": [],
            "is_active": True,
            "session_id": None,
        }
    )

    assert info.must_change_password is False
