"""The second factor at the login: asked for, used up, guessed at."""

import asyncio
from datetime import timedelta

import pytest

from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from services.auth.mfa.domain import MOST_REFUSED
from tests.services.auth.conftest import PASSWORD
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
from tests.support.doors import ADMIN, Door, error_of

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


# ---- the end of guessing -----------------------------------------------------------------------


async def guess(door: Door, ann: Principal, time: StandingClock, secret: str, times: int) -> None:
    """Wrong codes of somebody who has all the time."""
    for _ in range(times):
        time.advance(timedelta(hours=2))
        answer = await post(door, ann, "recovery_codes", otp_token=wrong(secret))
        assert error_of(answer, 422) == "otp_wrong"


async def test_a_hundred_wrong_codes_in_a_row_stop_the_factor_until_it_is_reset(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, codes = await turn_on(door, ann, standing)
    await guess(door, ann, standing, secret, MOST_REFUSED)
    standing.advance(timedelta(hours=2))

    assert error_of(await login(door, otp=code(secret)), 403) == "second_factor_stopped"
    assert error_of(await login(door, otp=codes[0]), 403) == "second_factor_stopped"
    assert sum('"mfa.stopped"' in one for one in await told(door)) == 1
    assert (await post(door, ADMIN, f"users/{ann.id}/reset")).status_code == 200
    assert (await login(door)).status_code == 200


async def test_a_good_code_forgets_the_wrong_ones_before_it(
    door: Door, ann: Principal, standing: StandingClock
) -> None:
    secret, _ = await turn_on(door, ann, standing)
    for guesses in (MOST_REFUSED - 1, 1):
        await guess(door, ann, standing, secret, guesses)
        standing.advance(timedelta(hours=2))
        assert (await login(door, otp=code(secret))).status_code == 200
