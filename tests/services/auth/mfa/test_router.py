"""The second factor over HTTP: turned on, renewed, lost, taken away, required."""

import base64
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from libs.contracts.auth import API_TOKEN_SESSION
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Transaction
from services.auth.domain import Role
from services.auth.models import RecoveryCode, SecondFactor
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user, principal_of
from tests.services.auth.mfa.conftest import (
    LOGIN,
    MFA,
    STEP,
    code,
    login,
    post,
    told,
    turn_on,
    wrong,
)
from tests.support.doors import ADMIN, Door, error_of, person
from tests.support.waiting import eventually

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


async def test_a_program_does_not_touch_the_factor_of_its_user(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    program = replace(ann, session_id=f"{API_TOKEN_SESSION}1")

    for path, body in (
        ("setup", {"current_password": PASSWORD}),
        ("verify", {"otp_token": code(secret)}),
        ("disable", {"current_password": PASSWORD, "otp_token": code(secret)}),
        ("recovery_codes", {"otp_token": code(secret)}),
    ):
        assert error_of(await post(door, program, path, **body), 403) == "not_by_api_token"


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

    async def records_of_all() -> str:
        records = "\n".join(await told(door))
        wanted = ("mfa.enable", "mfa.recovery_code_used", "mfa.disable", "login.failed")
        return records if all(f'"{action}"' in records for action in wanted) else ""

    records = await eventually(records_of_all)
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
