"""The list of logins: what it shows, and how logins end early."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from libs.contracts.auth import AuthClient
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from services.auth.domain import Role, token_hash
from services.auth.logins.domain import device
from services.auth.models import User
from services.auth.service import Sessions
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user
from tests.support.doors import Door, error_of

SESSIONS = "/api/auth/sessions"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.fixture
async def ann(door: Door) -> User:
    return await make_user(door.use_cases(Users), "ann", Role.VIEWER)


async def login(
    door: Door, *, agent: str = FIREFOX, address: str = "192.0.2.9", remember: bool = False
) -> httpx.Response:
    answer = await door.request(
        "POST",
        "/api/auth/login",
        by=None,
        json={"username": "ann", "password": PASSWORD, "remember_me": remember},
        headers={"user-agent": agent, "x-forwarded-for": address},
    )
    assert answer.status_code == 200, answer.text
    return answer


def refresh_token(answer: httpx.Response) -> str:
    return str(answer.json()["content"]["refresh_token"])


def cookie(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].partition("=")[2].partition(";")[0]


async def listed(door: Door, by: Principal) -> list[dict[str, object]]:
    answer = await door.request("GET", SESSIONS, by=by)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["content"]
    return found


async def principal(door: Door, answer: httpx.Response) -> Principal:
    """The user as the gateway would see the cookie of this login."""
    info = await door.use_cases(Sessions).resolve(token_hash(cookie(answer)))
    assert info is not None
    return info.as_principal()


async def refreshes(door: Door, answer: httpx.Response) -> bool:
    body = {"refresh_token": refresh_token(answer)}
    return (await door.request("POST", "/api/auth/refresh", by=None, json=body)).is_success


async def test_logins_are_listed_with_device_address_and_times(door: Door, ann: User) -> None:
    await login(door, agent="curl/8.0", address="192.0.2.1")
    by = await principal(door, await login(door, remember=True))

    first, second = await listed(door, by)

    assert (first["device"], first["address"]) == ("Firefox on Linux", "192.0.2.9")
    assert (first["current"], first["remembered"]) == (True, True)
    assert (second["device"], second["address"]) == ("curl", "192.0.2.1")
    assert (second["current"], second["remembered"]) == (False, False)
    assert first["id"] == by.session_id
    assert str(first["expires_at"]) > str(first["last_used_at"])
    assert "token" not in str(first).lower()


async def test_a_refreshed_login_stays_one_login(
    door: Door, ann: User, time: StandingClock
) -> None:
    answer = await login(door)
    by = await principal(door, answer)
    time.advance(timedelta(minutes=5))

    assert await refreshes(door, answer)

    (only,) = await listed(door, by)
    assert only["device"] == "Firefox on Linux"
    assert str(only["last_used_at"]) > str(only["created_at"])


async def test_one_login_is_ended_and_the_others_stay(door: Door, ann: User) -> None:
    lost, here = await login(door, agent="lost phone"), await login(door)
    by = await principal(door, here)
    gone = (await principal(door, lost)).session_id

    await door.content("DELETE", f"{SESSIONS}/{gone}", by=by)

    assert [row["current"] for row in await listed(door, by)] == [True]
    assert await door.use_cases(Sessions).resolve(token_hash(cookie(lost))) is None
    assert not await refreshes(door, lost)
    assert await refreshes(door, here)
    again = await door.request("DELETE", f"{SESSIONS}/{gone}", by=by)
    assert error_of(again, 404) == "session_not_found"


async def test_somebody_elses_login_is_no_login(door: Door, ann: User) -> None:
    bob = await make_user(door.use_cases(Users), "bob")
    answer = await login(door)
    session_id = (await principal(door, answer)).session_id

    refused = await door.request(
        "DELETE", f"{SESSIONS}/{session_id}", by=Principal(bob.id, "bob", session_id="s")
    )

    assert error_of(refused, 404) == "session_not_found"
    assert await refreshes(door, answer)


@pytest.mark.parametrize(("but_current", "left"), [("true", 1), ("false", 0)])
async def test_signing_out_everywhere(door: Door, ann: User, but_current: str, left: int) -> None:
    elsewhere = [await login(door) for _ in range(3)]
    here = await login(door)
    by = await principal(door, here)

    ended = await door.content("DELETE", SESSIONS, by=by, params={"but_current": but_current})

    assert ended == {"ended": 4 - left}
    assert len(await listed(door, by)) == left
    assert await refreshes(door, here) == bool(left)
    assert not any([await refreshes(door, one) for one in elsewhere])


async def test_an_administrator_signs_a_user_out(door: Door, ann: User) -> None:
    answer = await login(door)

    shown = await door.request("GET", f"/api/auth/users/{ann.id}/sessions")
    ended = await door.content("DELETE", f"/api/auth/users/{ann.id}/sessions")

    assert [row["device"] for row in shown.json()["content"]] == ["Firefox on Linux"]
    assert ended == {"ended": 1}
    assert not await refreshes(door, answer)
    assert error_of(await door.request("GET", "/api/auth/users/4711/sessions"), 404)


async def test_a_program_ends_no_sessions(door: Door, ann: User) -> None:
    answer = await login(door)
    program = Principal(ann.id, "ann", permissions=frozenset({"*"}), session_id="token:1")
    session_id = (await principal(door, answer)).session_id

    for method, path in (
        ("GET", SESSIONS), ("DELETE", SESSIONS), ("DELETE", f"{SESSIONS}/{session_id}"),
    ):  # fmt: skip
        refused = await door.request(method, path, by=program)
        assert error_of(refused, 403) == "not_by_api_token"
    assert await refreshes(door, answer)


# ---- remember me -----------------------------------------------------------------------------


async def test_without_remember_me_the_cookie_goes_with_the_browser(door: Door, ann: User) -> None:
    header = (await login(door)).headers["set-cookie"].lower()

    assert "max-age" not in header
    assert "expires" not in header


async def test_with_remember_me_the_cookie_outlives_the_browser(door: Door, ann: User) -> None:
    header = (await login(door, remember=True)).headers["set-cookie"]

    assert f"Max-Age={60 * 86400}" in header


@pytest.mark.parametrize(("remember", "days", "lives"), [
    (False, 0.49, True), (False, 0.51, False), (True, 13, True), (True, 15, False),
])  # fmt: skip
async def test_how_long_an_unused_login_lives(
    door: Door, ann: User, time: StandingClock, remember: bool, days: float, lives: bool
) -> None:
    answer = await login(door, remember=remember)

    time.advance(timedelta(days=days))

    found = await door.use_cases(Sessions).resolve(token_hash(cookie(answer)))
    assert (found is not None) == lives


async def test_a_remembered_login_ends_in_the_end_however_much_it_is_used(
    door: Door, ann: User, time: StandingClock
) -> None:
    answer = await login(door, remember=True)
    for _ in range(6):
        time.advance(timedelta(days=9))
        assert await door.use_cases(Sessions).resolve(token_hash(cookie(answer))) is not None

    time.advance(timedelta(days=7))

    assert await door.use_cases(Sessions).resolve(token_hash(cookie(answer))) is None


# ---- races -----------------------------------------------------------------------------------


async def test_of_two_refreshes_at_once_one_wins_and_the_login_ends(door: Door, ann: User) -> None:
    """Two holders of one token are a thief and a victim; neither may go on."""
    answer = await login(door)
    body = {"refresh_token": refresh_token(answer)}

    both = await asyncio.gather(
        *(door.request("POST", "/api/auth/refresh", by=None, json=body) for _ in range(2))
    )

    assert sorted(one.status_code for one in both) == [200, 401]
    auth = AuthClient(door.runtime.http, door.runtime.internal_tokens, "gateway")
    assert await auth.resolve_session(token_hash(cookie(answer))) is None
    winner = next(one for one in both if one.is_success)
    assert not await refreshes(door, winner)


async def test_a_login_ended_during_its_refresh_does_not_come_back(door: Door, ann: User) -> None:
    answer = await login(door)
    by = await principal(door, answer)
    body = {"refresh_token": refresh_token(answer)}

    refreshed, ended = await asyncio.gather(
        door.request("POST", "/api/auth/refresh", by=None, json=body),
        door.request("DELETE", SESSIONS, by=by),
    )

    assert ended.status_code == 200
    if refreshed.is_success and not (await listed(door, by)):
        assert not await refreshes(door, refreshed)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Version/17 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/130 Mobile Safari", "Chrome on Android"),
        ("python-httpx/0.28", "opsjob command"),
        ("my own \x1b[2J tool/1", "my own [2J tool/1"),
        ("x" * 500, "x" * 40),
        ("", "unknown"),
        ("\u202e\u200b", "unknown"),
    ],
)
def test_a_device_has_a_short_harmless_name(agent: str, name: str) -> None:
    assert device(agent) == name
