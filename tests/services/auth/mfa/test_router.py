"""The second factor over HTTP: turned on, asked for, used up, renewed, lost and taken away."""

import asyncio
import base64
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from sqlalchemy import select

from libs.kit import clock
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Transaction
from libs.kit.db.tables import outbox
from services.auth.domain import Role
from services.auth.models import RecoveryCode, SecondFactor
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user, principal_of
from tests.support.doors import ADMIN, Door, error_of, person

LOGIN = "/api/auth/login"
MFA = "/api/auth/mfa"
STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def standing(time: StandingClock) -> StandingClock:
    """The middle of a time step; it moves when a test says so."""
    into = time.now().timestamp() % 30
    time.advance(timedelta(seconds=45 - into))
    return time


@pytest.fixture
async def ann(door: Door) -> Principal:
    """A user who exists."""
    return principal_of(await make_user(door.use_cases(Users), "ann", Role.OPERATOR))


def code(secret: str, *, steps: int = 0) -> str:
    """What the authenticator shows now, or some steps later."""
    return pyotp.TOTP(secret).at(clock.now() + steps * STEP)


def wrong(secret: str) -> str:
    """Six digits that no step near now has."""
    near = {code(secret, steps=step) for step in range(-3, 4)}
    return next(text for text in (f"{n:06d}" for n in range(100)) if text not in near)


async def login(door: Door, otp: str | None = None, password: str = PASSWORD) -> httpx.Response:
    body = {"username": "ann", "password": password}
    if otp is not None:
        body["otp_token"] = otp
    return await door.request("POST", LOGIN, by=None, json=body)


async def post(door: Door, by: Principal | None, path: str, **body: str) -> httpx.Response:
    return await door.request("POST", f"{MFA}/{path}", by=by, json=body)


async def turn_on(door: Door, ann: Principal, time: StandingClock) -> tuple[str, list[str]]:
    """Ann with a second factor: its secret and her recovery codes, one step later."""
    setup = (await post(door, ann, "setup", current_password=PASSWORD)).json()["content"]
    answer = await post(door, ann, "verify", otp_token=code(setup["secret"]))
    assert answer.status_code == 200, answer.text
    time.advance(STEP)
    return setup["secret"], answer.json()["content"]["recovery_codes"]


async def told(door: Door) -> list[str]:
    """What the audit log was told, in order."""

    def read(tx: Transaction) -> list[str]:
        rows = tx.execute(select(outbox.c.body).where(outbox.c.type == "audit.audited"))
        return [row[0] for row in rows]

    told: list[str] = await door.app.state.database.read(read)
    return told


# ---- setting up ------------------------------------------------------------------------------


async def test_a_setup_shows_the_secret_as_text_address_and_picture(
    door: Door, ann: Principal
) -> None:
    answer = await post(door, ann, "setup", current_password=PASSWORD)

    content = answer.json()["content"]
    address = urlsplit(content["otpauth_uri"])
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query)["secret"] == [content["secret"]]
    assert parse_qs(address.query)["issuer"] == ["OPS Job"]
    assert "ann" in address.path
    assert len(base64.b32decode(content["secret"])) == 20
    assert content["qr_code"].startswith("data:image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_setup_counts_only_after_a_code(door: Door, ann: Principal) -> None:
    await post(door, ann, "setup", current_password=PASSWORD)

    assert (await login(door)).status_code == 200
    status = await door.content("GET", f"{MFA}/status", by=ann)
    assert status == {
        "enabled": False,
        "required": False,
        "enabled_at": None,
        "recovery_codes_left": 0,
    }


async def test_a_setup_needs_the_password(door: Door, ann: Principal) -> None:
    answer = await post(door, ann, "setup", current_password="wrong")

    assert error_of(answer, 422) == "current_password_wrong"


async def test_guesses_at_the_password_of_a_session_found_open_are_slowed_down(
    door: Door, ann: Principal
) -> None:
    for _ in range(5):
        await post(door, ann, "setup", current_password="wrong")

    answer = await post(door, ann, "setup", current_password=PASSWORD)

    assert error_of(answer, 429) == "too_many"


async def test_a_wrong_first_code_turns_nothing_on(door: Door, ann: Principal) -> None:
    setup = (await post(door, ann, "setup", current_password=PASSWORD)).json()["content"]

    answer = await post(door, ann, "verify", otp_token=wrong(setup["secret"]))

    assert error_of(answer, 422) == "otp_wrong"
    assert (await login(door)).status_code == 200


async def test_verifying_gives_ten_recovery_codes(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    _, codes = await turn_on(door, ann, standing)

    assert len(set(codes)) == 10
    status = await door.content("GET", f"{MFA}/status", by=ann)
    assert status["enabled"] is True
    assert status["recovery_codes_left"] == 10


async def test_a_second_setup_waits_until_the_first_is_off(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    await turn_on(door, ann, standing)

    answer = await post(door, ann, "setup", current_password=PASSWORD)

    assert error_of(answer, 409) == "second_factor_on"


async def test_secret_and_recovery_codes_are_not_in_the_database_as_they_are(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, codes = await turn_on(door, ann, standing)

    def read(tx: Transaction) -> str:
        sealed = tx.scalars(select(SecondFactor.sealed_secret)).all()
        hashes = tx.scalars(select(RecoveryCode.code_hash)).all()
        return " ".join([*sealed, *hashes])

    stored = await door.app.state.database.read(read)
    assert stored.startswith("v1:")
    assert secret not in stored
    assert not any(one in stored for one in codes)


# ---- logging in ------------------------------------------------------------------------------


async def test_a_login_without_a_code_asks_for_one_and_opens_nothing(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    await turn_on(door, ann, standing)

    answer = await login(door)

    assert error_of(answer, 401) == "otp_required"
    assert "set-cookie" not in answer.headers
    assert "access_token" not in answer.text


async def test_only_who_knows_the_password_learns_of_the_second_factor(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)

    assert error_of(await login(door, password="wrong"), 401) == "invalid_credentials"
    answer = await login(door, otp=code(secret), password="wrong")
    assert error_of(answer, 401) == "invalid_credentials"
    assert (await login(door, otp=code(secret))).status_code == 200


async def test_a_code_counts_once(door: Door, ann: Principal, standing: StandingClock) -> None:
    secret, _ = await turn_on(door, ann, standing)
    shown = code(secret)

    assert (await login(door, otp=shown)).status_code == 200
    assert error_of(await login(door, otp=shown), 401) == "otp_refused"
    standing.advance(STEP)
    assert (await login(door, otp=code(secret))).status_code == 200


async def test_of_fifty_logins_with_one_code_one_gets_in(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    shown = code(secret)

    answers = await asyncio.gather(*(login(door, otp=shown) for _ in range(50)))

    assert sum(answer.status_code == 200 for answer in answers) == 1


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_clock_may_be_off_by_one_step(
    door: Door, ann: Principal, standing: StandingClock, steps: int
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    standing.advance(3 * STEP)

    assert (await login(door, otp=code(secret, steps=steps))).status_code == 200


@pytest.mark.parametrize("steps", [-2, 2])
async def test_a_clock_that_is_off_by_more_does_not_do(
    door: Door, ann: Principal, standing: StandingClock, steps: int
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    standing.advance(3 * STEP)

    answer = await login(door, otp=code(secret, steps=steps))

    assert error_of(answer, 401) == "otp_refused"


async def test_after_the_next_code_the_one_before_it_counts_no_more(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    standing.advance(3 * STEP)
    before = code(secret)
    assert (await login(door, otp=code(secret, steps=1))).status_code == 200

    assert error_of(await login(door, otp=before), 401) == "otp_refused"


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param("{0}7", id="B041-seven-digits"),
        pytest.param(" {0}", id="B041-leading-space"),
        pytest.param("{0} ", id="B041-trailing-space"),
        pytest.param("abcdef", id="B041-letters"),
        pytest.param("{arabic}", id="B041-arabic-digits"),
        pytest.param("{0}\n", id="B041-line-end"),
    ],
)
async def test_a_code_has_one_spelling(
    door: Door, ann: Principal, standing: StandingClock, shape: str
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    good = code(secret)
    arabic = good.translate({ord("0") + n: 0x0660 + n for n in range(10)})

    answer = await login(door, otp=shape.format(good, arabic=arabic))

    assert error_of(answer, 401) == "otp_refused"


async def test_wrong_codes_count_as_failed_logins(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    for _ in range(3):
        assert error_of(await login(door, otp=wrong(secret)), 401) == "otp_refused"

    assert error_of(await login(door, otp=code(secret)), 401) == "captcha_required"


async def test_guesses_at_codes_from_many_addresses_are_slowed_down_together(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    body = {"username": "ann", "password": PASSWORD, "otp_token": wrong(secret)}
    for number in range(5):
        headers = {"x-forwarded-for": f"198.51.100.{number}"}
        answer = await door.request("POST", LOGIN, by=None, json=body, headers=headers)
        assert error_of(answer, 401) == "otp_refused"

    answer = await door.request(
        "POST", LOGIN, by=None, json=body, headers={"x-forwarded-for": "203.0.113.9"}
    )

    assert error_of(answer, 429) == "too_many"


async def test_a_recovery_code_opens_one_login(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    _, codes = await turn_on(door, ann, standing)

    assert (await login(door, otp=codes[3].upper())).status_code == 200
    assert error_of(await login(door, otp=codes[3]), 401) == "otp_refused"
    status = await door.content("GET", f"{MFA}/status", by=ann)
    assert status["recovery_codes_left"] == 9


async def test_of_many_logins_with_one_recovery_code_one_gets_in(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    _, codes = await turn_on(door, ann, standing)

    answers = await asyncio.gather(*(login(door, otp=codes[0]) for _ in range(20)))

    assert sum(answer.status_code == 200 for answer in answers) == 1


# ---- afterwards ------------------------------------------------------------------------------


async def test_new_recovery_codes_end_the_old_ones(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, old = await turn_on(door, ann, standing)

    answer = await post(door, ann, "recovery_codes", otp_token=code(secret))

    new = answer.json()["content"]["recovery_codes"]
    assert len(set(new)) == 10
    assert set(new).isdisjoint(old)
    assert error_of(await login(door, otp=old[0]), 401) == "otp_refused"
    assert (await login(door, otp=new[0])).status_code == 200


async def test_turning_off_needs_password_and_code(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)

    no_password = await post(door, ann, "disable", current_password="wrong", otp_token=code(secret))
    no_code = await post(door, ann, "disable", current_password=PASSWORD, otp_token=wrong(secret))
    assert error_of(no_password, 422) == "current_password_wrong"
    assert error_of(no_code, 422) == "otp_wrong"
    assert error_of(await login(door), 401) == "otp_required"

    both = await post(door, ann, "disable", current_password=PASSWORD, otp_token=code(secret))

    assert both.status_code == 200
    assert (await login(door)).status_code == 200
    again = await post(door, ann, "disable", current_password=PASSWORD, otp_token=code(secret))
    assert error_of(again, 409) == "second_factor_off"


async def test_an_administrator_takes_away_a_lost_factor_and_with_it_all_logins(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    opened = (await login(door, otp=code(secret))).json()["content"]

    answer = await post(door, ADMIN, f"users/{ann.id}/reset")

    assert answer.status_code == 200
    refresh = {"refresh_token": opened["refresh_token"]}
    ended = await door.request("POST", "/api/auth/refresh", by=None, json=refresh)
    assert error_of(ended, 401) == "refresh_refused"
    assert (await login(door)).status_code == 200
    records = [record for record in await told(door) if '"mfa.reset"' in record]
    assert len(records) == 1
    assert f'"object_id":"{ann.id}"' in records[0]


async def test_nobody_resets_the_factor_of_somebody_who_may_do_more(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    await turn_on(door, ann, standing)
    clerk = person("users:write", "users:read", user_id=99)

    assert error_of(await post(door, clerk, f"users/{ann.id}/reset"), 403) == "forbidden"
    assert error_of(await post(door, person(), f"users/{ann.id}/reset"), 403) == "forbidden"
    assert error_of(await post(door, ADMIN, "users/4711/reset"), 404) == "user_not_found"
    assert error_of(await login(door), 401) == "otp_required"


async def test_the_audit_log_hears_of_every_change_and_of_no_secret(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, codes = await turn_on(door, ann, standing)
    await login(door, otp=codes[0])
    await login(door, otp="000000")
    await post(door, ann, "disable", current_password=PASSWORD, otp_token=code(secret))

    records = "\n".join(await told(door))

    for action in ("mfa.enable", "mfa.recovery_code_used", "mfa.disable", "login.failed"):
        assert f'"{action}"' in records
    assert secret not in records
    assert codes[0] not in records
    assert PASSWORD not in records


# ---- required --------------------------------------------------------------------------------


@pytest.fixture
def required_for_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy of an installation; read when the service starts."""
    monkeypatch.setenv("OPSJOB_AUTH_MFA_REQUIRED_FOR_ROLES", "operator, admin")


@pytest.mark.usefixtures("required_for_operators")
class TestRequired:
    """Where a role needs a second factor."""

    @pytest.fixture
    async def ann(self, required_for_operators: None, door: Door) -> Principal:
        """An operator who has none yet."""
        return principal_of(await make_user(door.use_cases(Users), "ann", Role.OPERATOR))

    async def test_others_need_none(self, door: Door, ann: Principal) -> None:
        await make_user(door.use_cases(Users), "bob", Role.VIEWER)
        body = {"username": "bob", "password": PASSWORD}

        answer = await door.request("POST", LOGIN, by=None, json=body)

        assert answer.status_code == 200

    async def test_the_way_to_the_first_login(
        self, door: Door, ann: Principal, standing: StandingClock
    ) -> None:
        refused = await login(door)
        assert error_of(refused, 401) == "otp_enrolment_required"
        assert "set-cookie" not in refused.headers
        ticket = refused.json()["content"]["details"]["enrolment_token"]

        setup = await post(door, None, "enrolment/setup", enrolment_token=ticket)
        secret = setup.json()["content"]["secret"]
        bad = await post(
            door, None, "enrolment/verify", enrolment_token=ticket, otp_token=wrong(secret)
        )
        shown = code(secret)
        good = await post(door, None, "enrolment/verify", enrolment_token=ticket, otp_token=shown)

        assert error_of(bad, 422) == "otp_wrong"
        assert len(good.json()["content"]["recovery_codes"]) == 10
        assert error_of(await login(door, otp=shown), 401) == "otp_refused"
        standing.advance(STEP)
        assert (await login(door, otp=code(secret))).status_code == 200

    async def test_a_ticket_works_once_and_not_for_long(
        self, door: Door, ann: Principal, standing: StandingClock
    ) -> None:
        ticket = (await login(door)).json()["content"]["details"]["enrolment_token"]
        newer = (await login(door)).json()["content"]["details"]["enrolment_token"]

        replaced = await post(door, None, "enrolment/setup", enrolment_token=ticket)
        standing.advance(timedelta(seconds=601))
        late = await post(door, None, "enrolment/setup", enrolment_token=newer)
        made_up = await post(door, None, "enrolment/setup", enrolment_token="x")

        for answer in (replaced, late, made_up):
            assert error_of(answer, 401) == "enrolment_refused"

    async def test_turning_off_ends_all_logins(
        self, door: Door, ann: Principal, standing: StandingClock
    ) -> None:
        secret, _ = await turn_on(door, ann, standing)
        opened = (await login(door, otp=code(secret))).json()["content"]
        standing.advance(STEP)

        await post(door, ann, "disable", current_password=PASSWORD, otp_token=code(secret))

        refresh = {"refresh_token": opened["refresh_token"]}
        ended = await door.request("POST", "/api/auth/refresh", by=None, json=refresh)
        assert error_of(ended, 401) == "refresh_refused"
        assert error_of(await login(door), 401) == "otp_enrolment_required"
