"""A user who gets a second factor, at a moment that stands still."""

from datetime import timedelta

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
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user, principal_of
from tests.support.doors import Door

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
        told = select(outbox.c.body).where(outbox.c.type == "audit.audited").order_by(outbox.c.id)
        rows = tx.execute(told)
        return [row[0] for row in rows]

    told: list[str] = await door.app.state.database.read(read)
    return told
