"""Logins: who gets in, for how long, and what ends it."""

import asyncio
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from sqlalchemy import func, select

from libs.kit.auth import AccessTokens
from libs.kit.clock import StandingClock
from libs.kit.db import Database, Transaction
from libs.kit.db.tables import outbox
from services.auth.domain import Role, token_hash
from services.auth.errors import InvalidCredentials, RefreshRefused, TooManyFailures
from services.auth.models import LoginDelay, Session
from services.auth.service import MAX_LOGINS, Sessions, Tokens
from services.auth.signin.service import Attempt, SignIn
from services.auth.users.schemas import UserPatch
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user
from tests.support.doors import SECRET

HERE = "192.0.2.1"
ELSEWHERE = "192.0.2.2"


async def login(sign_in: SignIn, password: str = PASSWORD, address: str = HERE) -> Tokens:
    return await sign_in.login(Attempt("ann", password, address))


async def refused(sign_in: SignIn, username: str) -> None:
    with pytest.raises(InvalidCredentials):
        await sign_in.login(Attempt(username, "wrong", HERE))


async def facts(db: Database) -> list[str]:
    def read(tx: Transaction) -> list[str]:
        return [
            row[0]
            for row in tx.session.execute(
                select(outbox.c.type).where(outbox.c.topic == "auth").order_by(outbox.c.id)
            )
        ]

    return await db.read(read)


async def stored_sessions(db: Database) -> int:
    return await db.read(lambda tx: tx.scalar(select(func.count()).select_from(Session)) or 0)


async def test_a_login_gives_a_cookie_and_tokens_of_one_session(
    sessions: Sessions, sign_in: SignIn, users: Users
) -> None:
    user = await make_user(users, "ann", Role.OPERATOR)

    tokens = await login(sign_in)

    claims = AccessTokens(SECRET).verify(tokens.access_token)
    assert claims.user_id == user.id
    assert tokens.cookie is not None
    by_cookie = await sessions.resolve(token_hash(tokens.cookie))
    by_token = await sessions.principal_of(claims.session_id)
    assert by_cookie == by_token
    assert by_token is not None
    assert by_token.roles == ["operator"]
    assert "executions:run" in by_token.permissions


async def test_tokens_and_cookies_are_stored_as_hashes_only(
    sign_in: SignIn, users: Users, db: Database
) -> None:
    await make_user(users)
    tokens = await login(sign_in)

    hashes = await db.read(lambda tx: set(tx.scalars(select(Session.token_hash))))

    assert tokens.cookie is not None
    assert hashes == {token_hash(tokens.cookie), token_hash(tokens.refresh_token)}
    assert len(tokens.cookie) >= 43


@pytest.mark.parametrize("username", ["ANN", " ann ", "Ann"])
async def test_case_and_spaces_around_a_name_do_not_matter(
    sign_in: SignIn, users: Users, username: str
) -> None:
    await make_user(users)

    await sign_in.login(Attempt(username, PASSWORD, HERE))


async def test_unknown_wrong_and_disabled_get_one_answer(sign_in: SignIn, users: Users) -> None:
    await make_user(users)
    gone = await make_user(users, "gone")
    await users.change(gone.id, UserPatch(is_active=False))

    answers = []
    for name, password in (("nobody", PASSWORD), ("ann", "wrong"), ("gone", PASSWORD)):
        with pytest.raises(InvalidCredentials) as caught:
            await sign_in.login(Attempt(name, password, HERE))
        answers.append((caught.value.code, caught.value.message, caught.value.details))

    assert answers[0] == answers[1] == answers[2]


class Tallied(PasswordHasher):
    """Does the real work, and notes what each piece of it costs."""

    def __init__(self) -> None:
        super().__init__()
        self.costs: list[Parameters] = []

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        stored = super().hash(password, salt=salt)
        self.costs.append(extract_parameters(stored))
        return stored

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.costs.append(extract_parameters(str(hash)))
        return super().verify(hash, password)


async def test_unknown_wrong_and_disabled_take_the_same_work(
    sign_in: SignIn, users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Argon2 is all that takes long, so no clock is needed: each pays for it once, and as much."""
    user, gone = await make_user(users), await make_user(users, "gone")
    await users.change(gone.id, UserPatch(is_active=False))
    await refused(sign_in, "nobody")  # the first of all makes what unknown names are compared with
    hasher = Tallied()
    monkeypatch.setattr("services.auth.domain._HASHER", hasher)

    for name in ("nobody", "ann", "gone"):
        await refused(sign_in, name)

    assert hasher.costs == 3 * [extract_parameters(user.password_hash)]


async def test_failures_delay_the_same_account_from_the_same_address_only(
    sign_in: SignIn, users: Users, time: StandingClock
) -> None:
    await make_user(users)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await login(sign_in, "wrong")

    with pytest.raises(TooManyFailures) as caught:
        await login(sign_in)
    assert caught.value.retry_after == 1
    await login(sign_in, address=ELSEWHERE)

    time.advance(timedelta(seconds=1.1))
    await login(sign_in)


async def test_delays_double_and_end_by_themselves(
    sign_in: SignIn, users: Users, time: StandingClock
) -> None:
    await make_user(users)
    for expected in (None, None, None, None, 1, 2, 4, 8):
        with pytest.raises(InvalidCredentials):
            await login(sign_in, "wrong")
        if expected is not None:
            with pytest.raises(TooManyFailures) as caught:
                await login(sign_in)
            assert caught.value.retry_after == expected
            time.advance(timedelta(seconds=expected))


async def test_guesses_sent_at_once_do_not_slip_through(
    sign_in: SignIn, users: Users, db: Database
) -> None:
    await make_user(users)

    guesses = [login(sign_in, f"guess {n}") for n in range(12)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)

    failures = await db.read(lambda tx: tx.scalar(select(func.max(LoginDelay.failures))))
    assert failures == 12
    assert not any(isinstance(answer, Tokens) for answer in answers)
    with pytest.raises(TooManyFailures):
        await login(sign_in)


async def test_many_good_logins_at_once_are_never_throttled(sign_in: SignIn, users: Users) -> None:
    await make_user(users)

    opened = await asyncio.gather(*(login(sign_in) for _ in range(15)))

    assert len({tokens.refresh_token for tokens in opened}) == 15


async def test_a_user_keeps_a_bounded_number_of_logins(
    sessions: Sessions, sign_in: SignIn, users: Users, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_LOGINS >= 100
    monkeypatch.setattr("services.auth.service.MAX_LOGINS", 3)
    await make_user(users)

    opened = [await login(sign_in) for _ in range(5)]

    assert await stored_sessions(db) == 6
    await sessions.refresh(opened[-1].refresh_token)
    with pytest.raises(RefreshRefused):
        await sessions.refresh(opened[0].refresh_token)


async def test_refreshing_rotates_and_keeps_the_session(
    sessions: Sessions, sign_in: SignIn, users: Users
) -> None:
    await make_user(users)
    first = await login(sign_in)

    second = await sessions.refresh(first.refresh_token)

    assert second.refresh_token != first.refresh_token
    assert second.user.session_id == first.user.session_id
    await sessions.refresh(second.refresh_token)


async def test_using_a_refresh_token_again_ends_the_whole_session(
    sessions: Sessions, sign_in: SignIn, users: Users, db: Database
) -> None:
    await make_user(users)
    first = await login(sign_in)
    second = await sessions.refresh(first.refresh_token)

    with pytest.raises(RefreshRefused):
        await sessions.refresh(first.refresh_token)

    assert first.cookie is not None
    assert await sessions.resolve(token_hash(first.cookie)) is None
    with pytest.raises(RefreshRefused):
        await sessions.refresh(second.refresh_token)
    assert await facts(db) == ["auth.session_revoked"]


async def test_of_many_refreshes_at_once_at_most_one_succeeds(
    sessions: Sessions, sign_in: SignIn, users: Users
) -> None:
    await make_user(users)
    first = await login(sign_in)

    answers = await asyncio.gather(
        *(sessions.refresh(first.refresh_token) for _ in range(50)), return_exceptions=True
    )

    assert sum(isinstance(answer, Tokens) for answer in answers) == 1
    assert sum(isinstance(answer, RefreshRefused) for answer in answers) == 49


async def test_a_cookie_ends_when_idle_and_in_any_case_in_the_end(
    sessions: Sessions, sign_in: SignIn, users: Users, time: StandingClock
) -> None:
    await make_user(users)
    settings = AuthTimes()
    idle, used = await login(sign_in), await login(sign_in)
    assert idle.cookie is not None
    assert used.cookie is not None

    alive = 0
    while alive < 1000 and await sessions.resolve(token_hash(used.cookie)):
        alive += 1
        time.advance(settings.idle - timedelta(minutes=5))

    assert await sessions.resolve(token_hash(idle.cookie)) is None
    lived = alive * (settings.idle - timedelta(minutes=5))
    assert settings.absolute <= lived < settings.absolute + settings.idle


class AuthTimes:
    """The defaults that the test above walks along."""

    idle = timedelta(hours=12)
    absolute = timedelta(days=7)


async def test_a_refresh_chain_ends_in_any_case(
    sessions: Sessions, sign_in: SignIn, users: Users, time: StandingClock
) -> None:
    await make_user(users)
    tokens = await login(sign_in)
    began = time.now()

    refused = False
    while not refused:
        time.advance(timedelta(days=5))
        try:
            tokens = await sessions.refresh(tokens.refresh_token)
        except RefreshRefused:
            refused = True

    assert timedelta(days=30) <= time.now() - began <= timedelta(days=35)


async def test_logging_out_ends_cookie_and_tokens(
    sessions: Sessions, sign_in: SignIn, users: Users, db: Database
) -> None:
    await make_user(users)
    tokens = await login(sign_in)
    assert tokens.cookie is not None
    assert tokens.user.session_id is not None

    await sessions.logout(tokens.user.session_id)
    await sessions.logout(tokens.user.session_id)

    assert await sessions.resolve(token_hash(tokens.cookie)) is None
    assert await sessions.principal_of(tokens.user.session_id) is None
    with pytest.raises(RefreshRefused):
        await sessions.refresh(tokens.refresh_token)
    assert await facts(db) == ["auth.session_revoked"]


async def test_disabling_a_user_ends_every_session_at_once(
    sessions: Sessions, sign_in: SignIn, users: Users, db: Database
) -> None:
    user = await make_user(users)
    tokens = await login(sign_in)
    assert tokens.cookie is not None
    assert tokens.user.session_id is not None

    await users.change(user.id, UserPatch(is_active=False))

    assert await sessions.resolve(token_hash(tokens.cookie)) is None
    assert await sessions.principal_of(tokens.user.session_id) is None
    with pytest.raises(RefreshRefused):
        await sessions.refresh(tokens.refresh_token)
    assert await facts(db) == ["auth.session_revoked", "auth.user_disabled"]


async def test_purging_removes_what_has_expired_and_nothing_else(
    sessions: Sessions, sign_in: SignIn, users: Users, db: Database, time: StandingClock
) -> None:
    await make_user(users)
    for _ in range(3):
        await login(sign_in)
    time.advance(timedelta(days=6))
    kept = await login(sign_in)
    with pytest.raises(InvalidCredentials):
        await login(sign_in, "wrong")
    time.advance(timedelta(hours=25))

    # The later login removed three idle cookies; three refresh tokens and its cookie follow.
    assert await sessions.purge() == 4

    assert await stored_sessions(db) == 1
    await sessions.refresh(kept.refresh_token)
    assert await db.read(lambda tx: tx.scalar(select(func.count()).select_from(LoginDelay))) == 0
