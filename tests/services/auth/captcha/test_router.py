"""Pictures after failures: when they are asked for, and what an answer is worth."""

import asyncio
import base64
from collections import deque
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select

from libs.kit.clock import StandingClock
from libs.kit.db import Database
from services.auth.captcha.domain import LENGTH, LETTERS
from services.auth.captcha.service import WAITING_PER_ADDRESS, Captchas
from services.auth.models import Captcha, User
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user
from tests.support.doors import Door, error_of

HERE = "192.0.2.1"
ELSEWHERE = "192.0.2.2"


@pytest.fixture
async def ann(door: Door) -> User:
    return await make_user(door.use_cases(Users), "ann")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> deque[str]:
    """What the next pictures say, known beforehand; without any left they are random again."""
    planned: deque[str] = deque()
    module = "services.auth.captcha.service.new_answer"
    monkeypatch.setattr(module, lambda: planned.popleft() if planned else "R" * LENGTH)
    return planned


async def attempt(
    door: Door, password: str = "wrong", *, name: str = "ann", address: str = HERE, **more: str
) -> httpx.Response:
    body = {"username": name, "password": password, **more}
    headers = {"x-forwarded-for": address}
    return await door.request("POST", "/api/auth/login", by=None, json=body, headers=headers)


async def fail(door: Door, times: int = 3, *, name: str = "ann", address: str = HERE) -> None:
    for _ in range(times):
        answer = await attempt(door, name=name, address=address)
        assert error_of(answer, 401) == "invalid_credentials"


async def picture(door: Door, address: str = HERE) -> dict[str, str]:
    answer = await door.request(
        "GET", "/api/auth/captcha", by=None, headers={"x-forwarded-for": address}
    )
    assert answer.status_code == 200, answer.text
    content: dict[str, str] = answer.json()["content"]
    return content


async def answered(door: Door, value: str, *, password: str = PASSWORD) -> httpx.Response:
    """A login that answers a new picture."""
    key = (await picture(door))["captcha_key"]
    return await attempt(door, password, captcha_key=key, captcha_value=value)


async def test_a_picture_is_a_png_that_says_nothing_else(door: Door) -> None:
    content = await picture(door)

    kind, _, data = content["captcha_image"].partition(",")
    image = Image.open(BytesIO(base64.b64decode(data)))
    assert kind == "data:image/png;base64"
    assert (image.format, image.size) == ("PNG", (160, 60))
    assert image.info == {}
    assert int(content["expires_in"]) == 120
    assert set(content) == {"captcha_key", "captcha_image", "expires_in"}
    assert len(content["captcha_key"]) >= 43


def test_guessing_a_picture_is_hopeless() -> None:
    assert len(set(LETTERS)) ** LENGTH >= 2**20


async def test_two_failures_ask_for_nothing(door: Door, ann: User) -> None:
    await fail(door, 2)

    assert (await attempt(door, PASSWORD)).status_code == 200


async def test_after_three_failures_even_the_right_password_needs_a_picture(
    door: Door, ann: User, answers: deque[str]
) -> None:
    await fail(door)

    assert error_of(await attempt(door, PASSWORD), 401) == "captcha_required"
    answers.append("ACDEF")
    assert (await answered(door, "ACDEF")).status_code == 200
    assert (await attempt(door, PASSWORD)).status_code == 200


@pytest.mark.parametrize("value", ["acdef", " ACDEF ", "AcDeF"])
async def test_case_and_spaces_do_not_matter(
    door: Door, ann: User, answers: deque[str], value: str
) -> None:
    await fail(door)
    answers.append("ACDEF")

    assert (await answered(door, value)).status_code == 200


async def test_a_wrong_answer_uses_the_picture_up(
    door: Door, ann: User, answers: deque[str]
) -> None:
    await fail(door)
    answers.append("ACDEF")
    key = (await picture(door))["captcha_key"]

    wrong = await attempt(door, PASSWORD, captcha_key=key, captcha_value="AAAAA")
    right = await attempt(door, PASSWORD, captcha_key=key, captcha_value="ACDEF")

    assert error_of(wrong, 401) == "captcha_wrong"
    assert error_of(right, 401) == "captcha_wrong"


async def test_a_right_answer_is_good_once(door: Door, ann: User, answers: deque[str]) -> None:
    await fail(door)
    answers.append("ACDEF")
    key = (await picture(door))["captcha_key"]

    first = await attempt(door, "wrong", captcha_key=key, captcha_value="ACDEF")
    second = await attempt(door, PASSWORD, captcha_key=key, captcha_value="ACDEF")

    assert error_of(first, 401) == "invalid_credentials"
    assert error_of(second, 401) == "captcha_wrong"


async def test_of_many_who_answer_one_picture_at_once_one_gets_through(
    door: Door, ann: User, answers: deque[str]
) -> None:
    await fail(door)
    answers.append("ACDEF")
    key = (await picture(door))["captcha_key"]

    many = await asyncio.gather(
        *(attempt(door, PASSWORD, captcha_key=key, captcha_value="ACDEF") for _ in range(20))
    )

    codes = [answer.status_code for answer in many]
    assert codes.count(200) == 1
    assert codes.count(401) == 19


async def test_a_picture_is_good_for_two_minutes(
    door: Door, ann: User, answers: deque[str], time: StandingClock
) -> None:
    await fail(door)
    answers.extend(["ACDEF", "ACDEF"])
    keys = [(await picture(door))["captcha_key"] for _ in range(2)]
    time.advance(timedelta(seconds=119))
    timely = await attempt(door, PASSWORD, captcha_key=keys[0], captcha_value="ACDEF")
    await fail(door)
    time.advance(timedelta(seconds=1))

    late = await attempt(door, PASSWORD, captcha_key=keys[1], captcha_value="ACDEF")

    assert timely.status_code == 200
    assert error_of(late, 401) == "captcha_wrong"


async def test_a_picture_of_another_address_is_worth_nothing(
    door: Door, ann: User, answers: deque[str]
) -> None:
    await fail(door)
    answers.append("ACDEF")
    key = (await picture(door, ELSEWHERE))["captcha_key"]

    answer = await attempt(door, PASSWORD, captcha_key=key, captcha_value="ACDEF")

    assert error_of(answer, 401) == "captcha_wrong"


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("", "", "captcha_required"),
        ("x", "", "captcha_required"),
        ("", "ACDEF", "captcha_required"),
        ("unknown", "ACDEF", "captcha_wrong"),
        ("x" * 100_000, "ACDEF", "captcha_wrong"),
        ("' OR 1=1 --", "ACDEF", "captcha_wrong"),
        ("unknown", "A" * 30_000, "captcha_wrong"),
    ],
)
async def test_an_answer_that_is_none(
    door: Door, ann: User, key: str, value: str, code: str
) -> None:
    await fail(door)

    answer = await attempt(door, PASSWORD, captcha_key=key, captcha_value=value)

    assert error_of(answer, 401) == code


async def test_the_table_gives_no_answer_away(door: Door, ann: User, answers: deque[str]) -> None:
    answers.append("ACDEF")
    content = await picture(door)
    database: Database = door.app.state.database

    (row,) = await database.read(lambda tx: list(tx.scalars(select(Captcha)).all()))

    assert content["captcha_key"] not in (row.key_hash, row.answer_hash)
    assert "ACDEF" not in f"{row.key_hash}{row.answer_hash}"


async def test_names_of_nobody_are_asked_for_pictures_all_the_same(door: Door, ann: User) -> None:
    for name in ("ann", "nobody"):
        await fail(door, name=name)

    answers = [await attempt(door, PASSWORD, name=name) for name in ("ann", "nobody")]

    documents = [answer.json() for answer in answers]
    for document in documents:
        del document["content"]["request_id"]
    assert documents[0] == documents[1]
    assert documents[0]["content"]["error"] == "captcha_required"


# ---- no lock-out by others -------------------------------------------------------------------


async def test_failures_elsewhere_ask_nobody_else(door: Door, ann: User) -> None:
    await fail(door, address=ELSEWHERE)

    assert error_of(await attempt(door, PASSWORD, address=ELSEWHERE), 401) == "captcha_required"
    assert (await attempt(door, PASSWORD)).status_code == 200


async def test_an_account_under_attack_from_everywhere_asks_strangers_not_who_is_at_home(
    door: Door, ann: User
) -> None:
    assert (await attempt(door, PASSWORD)).status_code == 200
    for number in range(15):
        await fail(door, 1, address=f"198.51.100.{number}")

    stranger = await attempt(door, PASSWORD, address="203.0.113.9")
    at_home = await attempt(door, PASSWORD)

    assert error_of(stranger, 401) == "captcha_required"
    assert at_home.status_code == 200


async def test_an_address_that_fails_with_many_names_is_asked(door: Door, ann: User) -> None:
    for number in range(30):
        await fail(door, 1, name=f"name-{number}")

    assert error_of(await attempt(door, PASSWORD), 401) == "captcha_required"


async def test_failures_are_forgotten_after_an_hour(
    door: Door, ann: User, time: StandingClock
) -> None:
    await fail(door)
    time.advance(timedelta(hours=1, seconds=1))

    assert (await attempt(door, PASSWORD)).status_code == 200


async def test_a_wrong_picture_counts_as_no_failure_of_the_password(
    door: Door, ann: User, answers: deque[str]
) -> None:
    await fail(door)
    for _ in range(10):
        wrong = await attempt(door, PASSWORD, captcha_key="unknown", captcha_value="x")
        assert error_of(wrong, 401) == "captcha_wrong"
    answers.append("ACDEF")

    assert (await answered(door, "ACDEF")).status_code == 200


# ---- limits ----------------------------------------------------------------------------------


async def test_hoarding_pictures_ends_for_one_address_only(door: Door, time: StandingClock) -> None:
    captchas = door.use_cases(Captchas)
    for _ in range(WAITING_PER_ADDRESS):
        await captchas.new(address=HERE)

    refused = await door.request(
        "GET", "/api/auth/captcha", by=None, headers={"x-forwarded-for": HERE}
    )

    assert error_of(refused, 429) == "too_many_captchas"
    await picture(door, ELSEWHERE)
    time.advance(timedelta(seconds=120))
    await picture(door)


async def test_old_pictures_are_swept(door: Door, time: StandingClock) -> None:
    captchas = door.use_cases(Captchas)
    for _ in range(3):
        await captchas.new(address=HERE)
    time.advance(timedelta(seconds=120))

    await captchas.purge()

    database: Database = door.app.state.database
    query = select(func.count()).select_from(Captcha)
    assert await database.read(lambda tx: tx.scalar(query)) == 0
