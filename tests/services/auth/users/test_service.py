"""Users: names, roles, the administrator who always remains, and passwords."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from libs.contracts.auth import FirstAdmin
from libs.kit.db import Database, Transaction
from libs.kit.db.tables import outbox
from services.auth.account.service import FIRST_ADMIN_FILE, OwnAccount
from services.auth.domain import Role, token_hash
from services.auth.errors import (
    CurrentPasswordWrong,
    InvalidCredentials,
    LastAdmin,
    PasswordRefused,
    TooManyFailures,
    UsernameTaken,
    UserNotFound,
    UsersExist,
)
from services.auth.models import User
from services.auth.service import Sessions
from services.auth.signin.service import Attempt, SignIn
from services.auth.users.schemas import UserCreate, UserPatch, UserQuery
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user, principal_of

HERE = "192.0.2.1"


async def facts(db: Database) -> list[str]:
    def read(tx: Transaction) -> list[str]:
        return list(
            tx.scalars(select(outbox.c.type).where(outbox.c.topic == "auth").order_by(outbox.c.id))
        )

    return await db.read(read)


def roles_of(user: User) -> list[str]:
    return [held.role for held in user.roles]


async def test_a_password_is_stored_as_argon2id(users: Users) -> None:
    user = await make_user(users)

    assert user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("twin", ["ann", "ANN", "Ann"])
async def test_a_taken_name_is_refused(users: Users, twin: str) -> None:
    await make_user(users, "ann")

    with pytest.raises(UsernameTaken):
        await make_user(users, twin)


async def test_of_two_equal_names_at_once_one_is_refused(users: Users) -> None:
    made = await asyncio.gather(
        *(make_user(users, name) for name in ("ann", "ANN")), return_exceptions=True
    )

    assert sum(isinstance(one, User) for one in made) == 1
    assert sum(isinstance(one, UsernameTaken) for one in made) == 1


@pytest.mark.parametrize("password", ["", "1234567", "x" * 257, "annabelle", "AnnaBelle"])
async def test_a_password_that_will_not_do_is_refused(users: Users, password: str) -> None:
    with pytest.raises(PasswordRefused):
        await users.create(UserCreate(username="annabelle", password=password))


async def test_roles_are_replaced_and_told(users: Users, db: Database) -> None:
    user = await make_user(users, "ann", Role.VIEWER, Role.OPERATOR)

    changed = await users.change(user.id, UserPatch(roles=[Role.ADMIN, Role.VIEWER]))

    assert roles_of(changed) == ["admin", "viewer"]
    assert roles_of(await users.one(user.id)) == ["admin", "viewer"]
    assert await facts(db) == ["auth.user_roles_changed"]


async def test_a_change_that_changes_nothing_is_no_news(users: Users, db: Database) -> None:
    user = await make_user(users, "ann", Role.VIEWER)

    await users.change(user.id, UserPatch(is_active=True, roles=[Role.VIEWER]))

    assert await facts(db) == []


async def test_an_unknown_user_cannot_be_changed(users: Users) -> None:
    with pytest.raises(UserNotFound):
        await users.change(4711, UserPatch(is_active=False))


@pytest.mark.parametrize("patch", [{"is_active": False}, {"roles": []}, {"roles": ["viewer"]}])
async def test_the_last_active_administrator_remains(
    users: Users, patch: dict[str, object]
) -> None:
    admin = await make_user(users, "root", Role.ADMIN)
    disabled = await make_user(users, "other", Role.ADMIN)
    await users.change(disabled.id, UserPatch(is_active=False))

    with pytest.raises(LastAdmin):
        await users.change(admin.id, UserPatch.model_validate(patch))

    assert (await users.one(admin.id)).is_active
    assert roles_of(await users.one(admin.id)) == ["admin"]


async def test_two_administrators_cannot_disable_each_other(users: Users) -> None:
    admins = [await make_user(users, name, Role.ADMIN) for name in ("one", "two")]

    answers = await asyncio.gather(
        *(users.change(admin.id, UserPatch(is_active=False)) for admin in admins),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, LastAdmin) for answer in answers) == 1
    assert sum(isinstance(answer, User) for answer in answers) == 1


async def test_only_active_users_count_as_active(users: Users) -> None:
    ann = await make_user(users, "ann", Role.VIEWER)
    bob = await make_user(users, "bob")
    await users.change(bob.id, UserPatch(is_active=False))

    found = await users.active([bob.id, ann.id, 4711])

    assert [(info.user_id, info.roles) for info in found] == [(ann.id, ["viewer"])]


# ---- lists -----------------------------------------------------------------------------------


async def test_users_are_listed_page_by_page_in_the_order_asked(users: Users) -> None:
    for name in ("carl", "Ann", "bob"):
        await make_user(users, name)

    first = await users.page(UserQuery.model_validate({"page_size": 2, "sort": "username"}))
    last = await users.page(
        UserQuery.model_validate({"page": 2, "page_size": 2, "sort": "username"})
    )
    beyond = await users.page(UserQuery(page=1_000_000, page_size=200))

    assert (first.total, [user.username for user in first.users]) == (3, ["Ann", "bob"])
    assert [user.username for user in last.users] == ["carl"]
    assert (beyond.total, list(beyond.users)) == (3, [])


@pytest.mark.parametrize(
    ("search", "found"),
    [("NN", ["ann"]), ("%", ["50%"]), ("_", ["a_b"]), ("\\", ["c\\d"]), ("'", [])],
)
async def test_a_search_is_taken_literally(users: Users, search: str, found: list[str]) -> None:
    for name in ("ann", "50%", "a_b", "c\\d"):
        await make_user(users, name)

    page = await users.page(UserQuery(search=search))

    assert [user.username for user in page.users] == found
    assert page.total == len(found)


# ---- the first administrator -------------------------------------------------------------------


async def test_the_first_administrator_gets_a_random_password(
    users: Users, sign_in: SignIn
) -> None:
    admin = await users.create_first_admin("admin")

    tokens = await sign_in.login(Attempt("admin", admin.password, HERE))

    assert len(admin.password) >= 20
    assert tokens.user.permissions == ["*"]
    assert tokens.user.must_change_password


async def test_the_first_administrator_is_made_once(users: Users) -> None:
    made = await asyncio.gather(
        *(users.create_first_admin(f"admin{n}") for n in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, FirstAdmin) for one in made) == 1
    assert sum(isinstance(one, UsersExist) for one in made) == 7


async def test_no_first_administrator_beside_other_users(users: Users) -> None:
    await make_user(users)

    with pytest.raises(UsersExist):
        await users.create_first_admin("admin")


async def test_nobody_can_log_in_before_somebody_was_made(sign_in: SignIn) -> None:
    for name, password in (("admin", "admin"), ("admin", ""), ("root", "root")):
        with pytest.raises(InvalidCredentials):
            await sign_in.login(Attempt(name, password, HERE))


async def test_changing_the_one_time_password_removes_the_file(
    users: Users, sign_in: SignIn, account: OwnAccount, tmp_path: Path, db: Database
) -> None:
    admin = await users.create_first_admin("admin")
    file = tmp_path / FIRST_ADMIN_FILE
    file.write_text(json.dumps(admin.model_dump()))
    tokens = await sign_in.login(Attempt("admin", admin.password, HERE))

    by = tokens.user.as_principal()
    await account.change_password(by, current=admin.password, new=PASSWORD)

    assert not file.exists()
    assert not (await account.me(by)).info.must_change_password
    assert "auth.first_admin_password_changed" in await facts(db)


async def test_later_changes_are_no_news_about_the_first_password(
    users: Users, account: OwnAccount, db: Database
) -> None:
    admin = await users.create_first_admin("admin")
    by = (await users.active([1]))[0].as_principal()
    await account.change_password(by, current=admin.password, new=PASSWORD)
    await account.change_password(by, current=PASSWORD, new=PASSWORD + "!")

    assert (await facts(db)).count("auth.first_admin_password_changed") == 1


# ---- the own password --------------------------------------------------------------------------


async def test_changing_the_password_ends_the_other_sessions(
    users: Users, sessions: Sessions, sign_in: SignIn, account: OwnAccount
) -> None:
    user = await make_user(users)
    mine, other = [await sign_in.login(Attempt("ann", PASSWORD, HERE)) for _ in range(2)]
    assert mine.cookie is not None
    assert other.cookie is not None

    by = mine.user.as_principal()
    await account.change_password(by, current=PASSWORD, new="another good one")

    assert by.id == user.id
    assert await sessions.resolve(token_hash(mine.cookie))
    assert await sessions.resolve(token_hash(other.cookie)) is None
    await sign_in.login(Attempt("ann", "another good one", HERE))
    with pytest.raises(InvalidCredentials):
        await sign_in.login(Attempt("ann", PASSWORD, HERE))


async def test_the_current_password_is_needed(users: Users, account: OwnAccount) -> None:
    user = await make_user(users)

    with pytest.raises(CurrentPasswordWrong):
        await account.change_password(principal_of(user), current="wrong", new="another good one")


@pytest.mark.parametrize("new", ["short", PASSWORD, "x" * 257])
async def test_a_new_password_must_do_and_be_new(
    users: Users, account: OwnAccount, new: str
) -> None:
    user = await make_user(users)

    with pytest.raises(PasswordRefused):
        await account.change_password(principal_of(user), current=PASSWORD, new=new)


async def test_guessing_the_password_in_an_open_session_is_slowed_down(
    users: Users, account: OwnAccount
) -> None:
    by = principal_of(await make_user(users))
    for _ in range(5):
        with pytest.raises(CurrentPasswordWrong):
            await account.change_password(by, current="wrong", new="another good one")

    with pytest.raises(TooManyFailures):
        await account.change_password(by, current=PASSWORD, new="another good one")
