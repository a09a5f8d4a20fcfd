"""Ways in through the gateway, step by step as a browser goes them, on the real platform."""

import base64
import os
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest

from tests.support.oidc_provider import Provider
from tests.support.platform import Platform
from tests.support.slapd import OPS, Slapd
from tests.support.slapd import PASSWORD as DIRECTORY_PASSWORD

pytestmark = [pytest.mark.processes, pytest.mark.slow]

PASSWORD = "A long enough pass phrase 52!"
STEP = 30.0
MakeUser = Callable[..., str]


@pytest.fixture
def visitor(platform: Platform) -> Iterator[httpx.Client]:
    """A browser that nobody has logged in with."""
    proof = {"X-Requested-With": "opsjob", "Origin": platform.url}
    with httpx.Client(base_url=platform.url, timeout=30, trust_env=False, headers=proof) as client:
        yield client


@pytest.fixture
def member(admin: httpx.Client) -> MakeUser:
    """Makes users of this test, with these roles."""

    def make(*roles: str) -> str:
        name = f"way{os.getpid()}-{time.monotonic_ns() % 10_000_000}"
        body = {"username": name, "password": PASSWORD, "roles": [*roles]}
        assert admin.post("/api/auth/users/", json=body).status_code == 201
        return name

    return make


def login(client: httpx.Client, name: str, **more: object) -> httpx.Response:
    body = {"username": name, "password": PASSWORD, **more}
    return client.post("/api/auth/login/", json=body)


def error_of(answer: httpx.Response) -> str:
    return str(answer.json()["content"]["error"])


def content_of(answer: httpx.Response) -> dict[str, object]:
    assert answer.is_success, answer.text
    content: dict[str, object] = answer.json()["content"]
    return content


def code(secret: object, *, later: float = 0.0) -> str:
    """What an authenticator shows, or will show."""
    return pyotp.TOTP(str(secret)).at(int(time.time() + later))


def test_a_second_factor_from_its_setup_to_a_recovery_code(
    visitor: httpx.Client, member: MakeUser
) -> None:
    name = member()
    assert login(visitor, name).status_code == 200
    setup = visitor.post("/api/auth/mfa/setup/", json={"current_password": PASSWORD})
    secret = content_of(setup)["secret"]
    first = code(secret)
    on = visitor.post("/api/auth/mfa/verify/", json={"otp_token": first})
    codes = content_of(on)["recovery_codes"]
    assert isinstance(codes, list)
    visitor.cookies.clear()

    answers = [
        login(visitor, name),
        login(visitor, name, otp_token=first),
        login(visitor, name, otp_token=codes[0]),
        login(visitor, name, otp_token=codes[0]),
        login(visitor, name, otp_token=code(secret, later=STEP)),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 200, 401, 200]
    assert error_of(answers[0]) == "otp_required"
    assert error_of(answers[1]) == error_of(answers[3]) == "otp_refused"


def test_a_role_that_asks_for_a_second_factor_leads_to_its_setup(
    visitor: httpx.Client, admin: httpx.Client, member: MakeUser
) -> None:
    spec = {"name": f"Guarded {time.monotonic_ns()}", "permissions": ["hosts:read"]}
    body = spec | {"require_two_factor": True}
    role = content_of(admin.post("/api/permissions/roles/", json=body))
    name = member(str(role["key"]))

    refused = login(visitor, name)
    assert error_of(refused) == "otp_enrolment_required"
    ticket = {"enrolment_token": refused.json()["content"]["details"]["enrolment_token"]}
    setup = content_of(visitor.post("/api/auth/mfa/enrolment/setup/", json=ticket))
    shown = {**ticket, "otp_token": code(setup["secret"])}
    content_of(visitor.post("/api/auth/mfa/enrolment/verify/", json=shown))
    entered = login(visitor, name, otp_token=code(setup["secret"], later=STEP))

    assert entered.status_code == 200, entered.text
    assert visitor.get("/api/hosts/").status_code == 200


def test_after_failures_a_picture_is_asked_for_and_good_for_one_answer(
    visitor: httpx.Client, member: MakeUser
) -> None:
    name = member()
    for _ in range(3):
        body = {"username": name, "password": "not the password"}
        visitor.post("/api/auth/login/", json=body)

    asked = login(visitor, name)
    picture = content_of(visitor.get("/api/auth/captcha/"))
    guess = {"captcha_key": picture["captcha_key"], "captcha_value": "guess"}
    answers = [login(visitor, name, **guess), login(visitor, name, **guess)]

    assert error_of(asked) == "captcha_required"
    image = base64.b64decode(str(picture["captcha_image"]).partition(",")[2])
    assert image.startswith(b"\x89PNG")
    assert picture["expires_in"] == 120
    assert [error_of(answer) for answer in answers] == ["captcha_wrong"] * 2


def test_the_way_through_an_identity_provider_and_out_again(
    visitor: httpx.Client, identity_provider: Provider
) -> None:
    start = visitor.get("/api/auth/oidc/company/start/", params={"return_to": "/hosts"})
    (kept,) = start.headers.get_list("set-cookie")
    asked = parse_qs(urlsplit(start.headers["location"]).query)

    back = visitor.get(identity_provider.back(start.headers["location"]))
    (cookie,) = [one for one in back.headers.get_list("set-cookie") if "opsjob_session=" in one]
    again = visitor.get(str(back.request.url))
    me = content_of(visitor.get("/api/auth/me/"))
    out = content_of(visitor.post("/api/auth/logout/", json={}))

    assert start.status_code == back.status_code == 303
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 40
    assert len(asked["nonce"][0]) >= 40
    for flag in ("HttpOnly", "SameSite=lax", "Max-Age=600"):
        assert flag in kept
    for flag in ("HttpOnly", "SameSite=strict"):
        assert flag.lower() in cookie.lower()
    assert back.headers["location"] == "/hosts"
    assert again.headers["location"].endswith("error=oidc_refused")
    assert me["username"] == identity_provider.person["preferred_username"]
    assert str(out["continue_at"]).startswith(f"{identity_provider.issuer}/logout?client_id=")
    assert visitor.get("/api/auth/me/").status_code == 401


def test_who_is_in_the_directory_comes_in_with_the_rights_of_its_groups(
    visitor: httpx.Client, directory: Slapd
) -> None:
    name = f"lena{os.getpid()}"
    directory.add_person(name, displayName="Lena Lind")
    directory.set_groups({OPS: [name]})
    body = {"username": name, "password": DIRECTORY_PASSWORD}

    wrong = visitor.post("/api/auth/login/", json=body | {"password": "another"})
    right = visitor.post("/api/auth/login/", json=body)
    me = content_of(visitor.get("/api/auth/me/"))
    directory.set_groups({})
    visitor.cookies.clear()
    assert visitor.post("/api/auth/login/", json=body).status_code == 200
    later = content_of(visitor.get("/api/auth/me/"))

    assert (wrong.status_code, right.status_code) == (401, 200)
    assert error_of(wrong) == "invalid_credentials"
    assert (me["display_name"], me["roles"]) == ("Lena Lind", ["operator"])
    assert later["roles"] == []


def test_a_way_back_with_another_state_or_browser_opens_nothing(
    visitor: httpx.Client, identity_provider: Provider
) -> None:
    def leave() -> str:
        start = visitor.get("/api/auth/oidc/company/start/")
        return identity_provider.back(start.headers["location"])

    wrong = visitor.get(f"{leave().partition('&state=')[0]}&state=of-nobody")
    elsewhere = httpx.get(leave(), trust_env=False)

    for answer in (wrong, elsewhere):
        assert answer.status_code == 303
        assert answer.headers["location"].endswith("error=oidc_refused")
        assert not [
            one for one in answer.headers.get_list("set-cookie") if "opsjob_session=" in one
        ]
    assert visitor.get("/api/auth/me/").status_code == 401
