"""The calls that need no credential, because they are the way to one."""

import pytest

from tests.gateway.api.parts import House, error_of

ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
COOKIES = "opsjob_session=" + "s" * 43 + "; opsjob_login=" + "b" * 43 + "; other=1"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/auth/options/"),
        ("GET", "/api/auth/oidc/company/start/"),
        ("GET", "/api/auth/oidc/company/callback/?code=c&state=s"),
        ("POST", "/api/auth/mfa/enrolment/setup/"),
        ("POST", "/api/auth/mfa/enrolment/verify/"),
    ],
)
async def test_a_way_in_is_open_to_everybody(house: House, method: str, path: str) -> None:
    answer = await house.client.request(method, path)

    assert answer.status_code == 200
    assert house.witnesses["auth"].last.header("authorization") is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/auth/options/"),
        ("POST", "/api/auth/oidc/company/callback/"),
        ("GET", "/api/auth/oidc/company/callback/more/"),
        ("GET", "/api/auth/oidc/Company/start/"),
        ("GET", "/api/auth/oidc/" + "x" * 33 + "/start/"),
        ("GET", "/api/auth/oidc/company/"),
        ("POST", "/api/auth/mfa/setup/"),
    ],
)
async def test_what_only_looks_like_it_is_not(house: House, method: str, path: str) -> None:
    answer = await house.client.request(method, path)

    assert answer.status_code == 401
    assert error_of(answer) == "unauthenticated"
    assert house.visits() == 0


async def test_only_the_way_back_may_begin_at_another_site(house: House) -> None:
    back = await house.client.get("/api/auth/oidc/company/callback/", headers=ELSEWHERE)
    start = await house.client.get("/api/auth/oidc/company/start/", headers=ELSEWHERE)

    assert back.status_code == 200
    assert start.status_code == 403
    assert error_of(start) == "csrf_failed"


async def test_the_way_back_shows_the_cookie_of_the_login_and_no_other(house: House) -> None:
    headers = {"cookie": COOKIES}
    await house.client.get("/api/auth/oidc/company/callback/", headers=headers)
    back = house.witnesses["auth"].last.header("cookie")
    await house.client.get("/api/auth/oidc/company/start/", headers=headers)

    assert back == "opsjob_login=" + "b" * 43
    assert house.witnesses["auth"].last.header("cookie") is None


@pytest.mark.parametrize(
    "cookies", ["opsjob_login=" + "b" * 43 + "; opsjob_login=" + "c" * 43, "opsjob_login=<script>"]
)
async def test_a_doubtful_cookie_of_the_login_is_refused(house: House, cookies: str) -> None:
    path = "/api/auth/oidc/company/callback/"

    answer = await house.client.get(path, headers={"cookie": cookies})

    assert answer.status_code == 401
    assert house.visits() == 0
