"""Being asked again: when, by which proof, for which login, and what guesses come to."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from libs.contracts.auth import AuthClient
from libs.kit import clock
from libs.kit.clock import StandingClock
from libs.kit.db import Transaction
from services.auth.domain import token_hash
from services.auth.models import SecondFactor, User
from tests.services.auth.conftest import PASSWORD, principal_of
from tests.services.auth.mfa.conftest import STEP, code, told, turn_on, wrong
from tests.services.auth.step_up.conftest import CREDENTIALS, STEP_UP, Login, come_in
from tests.support.doors import Door, error_of

LATER = timedelta(minutes=16)
NEW_PASSWORD = "another horse battery"


# ---- how long a proof holds ------------------------------------------------------------------


async def test_who_has_just_logged_in_is_not_asked_and_later_is(
    login: Login, time: StandingClock
) -> None:
    assert await login.is_let()
    time.advance(LATER)
    assert not await login.is_let()

    answer = await login.prove()

    assert answer.status_code == 200, answer.text
    until = answer.json()["content"]["proved_until"]
    assert until == (clock.now() + timedelta(minutes=15)).isoformat().replace("+00:00", "Z")
    assert await login.is_let()
    me = (await login.ask("GET", "/api/auth/me")).json()["content"]
    assert me["proved_until"][:19] == until[:19]
    time.advance(LATER)
    assert not await login.is_let()


async def test_a_proof_opens_one_login_alone(door: Door, login: Login, time: StandingClock) -> None:
    other = await come_in(door)
    time.advance(LATER)

    assert (await login.prove()).status_code == 200

    assert await login.is_let()
    assert not await other.is_let()


async def test_new_tokens_keep_the_old_proof(door: Door, login: Login, time: StandingClock) -> None:
    time.advance(timedelta(minutes=14))
    body = {"refresh_token": login.refresh_token}
    answer = await door.request("POST", "/api/auth/refresh", by=None, json=body)
    assert answer.status_code == 200
    assert await login.is_let()

    time.advance(timedelta(minutes=2))

    assert not await login.is_let()


async def test_a_proof_does_not_outlive_its_password(login: Login, time: StandingClock) -> None:
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await login.ask("POST", "/api/auth/password", change)).status_code == 200

    assert not await login.is_let()
    assert error_of(await login.prove(PASSWORD), 422) == "proof_refused"
    assert (await login.prove(NEW_PASSWORD)).status_code == 200
    assert await login.is_let()


async def test_a_proof_does_not_outlive_a_disabled_user(
    door: Door, ann: User, login: Login, time: StandingClock
) -> None:
    path = f"/api/auth/users/{ann.id}"
    await door.content("POST", "/api/auth/users", status=201, json=SECOND)
    await door.content("POST", f"{path}/disable")

    assert await login.principal() is None
    await door.content("POST", f"{path}/enable")
    assert await login.principal() is None


SECOND = {"username": "bob", "password": PASSWORD, "roles": ["admin"]}


class TestNobodyIsAsked:
    """An installation may switch it off."""

    @pytest.fixture
    def door(self, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Door:
        monkeypatch.setenv("OPSJOB_AUTH_STEP_UP_MINUTES", "0")
        found: Door = request.getfixturevalue("door")
        return found

    async def test_a_login_is_enough(self, login: Login, time: StandingClock) -> None:
        time.advance(timedelta(hours=5))

        assert await login.is_let()


# ---- what proves -----------------------------------------------------------------------------


async def test_who_has_a_second_factor_gives_a_code_too(
    door: Door, ann: User, login: Login, time: StandingClock
) -> None:
    secret, recovery = await turn_on(door, principal_of(ann), time)
    time.advance(LATER)
    means = (await login.ask("GET", STEP_UP)).json()["content"]
    assert (means["code"], means["provider"]) == (True, None)

    shown = code(secret)
    refused = [
        await login.prove(),
        await login.prove(otp=wrong(secret)),
        await login.prove("wrong", shown),
    ]
    assert {error_of(answer, 422) for answer in refused} == {"proof_refused"}
    assert len({answer.json()["message"] for answer in refused}) == 1
    assert not await login.is_let()

    assert (await login.prove(otp=shown)).status_code == 200, "a wrong password uses up no code"
    assert await login.is_let()
    time.advance(LATER)
    assert (await login.prove(otp=recovery[0])).status_code == 200
    assert error_of(await login.prove(otp=recovery[0]), 422) == "proof_refused"


@pytest.mark.usefixtures("no_captcha")
async def test_a_code_proves_once(door: Door, ann: User, login: Login, time: StandingClock) -> None:
    secret, _ = await turn_on(door, principal_of(ann), time)
    shown = code(secret)

    answers = await asyncio.gather(*(login.prove(otp=shown) for _ in range(5)))

    assert sum(answer.status_code == 200 for answer in answers) == 1
    again = await door.request(
        "POST", "/api/auth/login", by=None, json=CREDENTIALS | {"otp_token": shown}
    )
    assert error_of(again, 401) == "otp_refused"
    time.advance(STEP)
    assert (await login.prove(otp=code(secret))).status_code == 200


# ---- guesses ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_captcha")
async def test_guesses_wait_as_those_at_the_login_do_and_are_told(
    door: Door, login: Login, time: StandingClock
) -> None:
    for _ in range(5):
        assert error_of(await login.prove("wrong"), 422) == "proof_refused"

    waits = await login.prove()
    assert error_of(waits, 429) == "too_many"
    assert int(waits.headers["retry-after"]) >= 1
    at_login = await door.request("POST", "/api/auth/login", by=None, json=CREDENTIALS)
    assert error_of(at_login, 429) == "too_many", "they are counted together"
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert error_of(await login.ask("POST", "/api/auth/password", change), 429) == "too_many"
    proofs = [one for one in await told(door) if '"session.prove"' in one]
    assert len([one for one in proofs if '"failure"' in one]) == 5

    time.advance(timedelta(minutes=6))
    assert (await login.prove()).status_code == 200
    assert '"session.prove"' in (await told(door))[-1]


async def test_a_stopped_factor_is_told_before_anything_is_looked_at(
    door: Door, ann: User, login: Login, time: StandingClock
) -> None:
    """Otherwise a hundred wrong codes would tell a thief afterwards which password is right."""
    await turn_on(door, principal_of(ann), time)
    database = door.app.state.database

    def stop(tx: Transaction) -> None:
        tx.execute(update(SecondFactor).values(refused_in_row=100))

    await database.write(stop)
    answers = [await login.prove("wrong"), await login.prove()]

    assert {error_of(answer, 403) for answer in answers} == {"second_factor_stopped"}


# ---- programs --------------------------------------------------------------------------------


async def test_an_api_token_is_asked_for_a_scope_that_a_proved_person_gave(
    door: Door, login: Login, time: StandingClock
) -> None:
    ends = (clock.now() + timedelta(days=1)).isoformat()
    auth = AuthClient(door.runtime.http, door.runtime.internal_tokens, "gateway")
    is_let = []
    for name, scopes in (("plain", ["*"]), ("waived", ["*", "step_up:waive"])):
        spec = {"name": name, "scopes": scopes, "expires_at": ends}
        answer = await login.ask("POST", "/api/auth/tokens", spec)
        assert answer.status_code == 201, answer.text
        info = await auth.resolve_token(token_hash(answer.json()["content"]["token"]))
        assert info is not None
        program = info.as_principal()
        body = {"name": f"role of {name}", "permissions": ["hosts:read"]}
        made = await door.request("POST", "/api/permissions/roles", by=program, json=body)
        is_let.append(made.status_code == 201)
        proof = await door.request("POST", STEP_UP, by=program, json={"password": PASSWORD})
        assert error_of(proof, 403) == "not_by_api_token"
    assert is_let == [False, True]

    time.advance(LATER)
    spec = {"name": "late", "scopes": ["*", "step_up:waive"], "expires_at": ends}
    late = await login.ask("POST", "/api/auth/tokens", spec)
    assert error_of(late, 403) == "step_up_required"
