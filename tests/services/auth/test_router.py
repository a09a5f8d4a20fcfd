"""The public routes of auth: who may, what is set, what is answered."""

import pytest
from starlette.requests import Request

from libs.kit import clock
from libs.kit.auth import Principal
from services.auth.domain import Role, permissions_of
from services.auth.signin.router import client_address
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user, principal_of
from tests.support.doors import NOBODY, Door, error_of, person

CREDENTIALS = {"username": "ann", "password": PASSWORD}


@pytest.fixture
async def ann(door: Door) -> Principal:
    """A user who exists."""
    return principal_of(await make_user(door.use_cases(Users), "ann", Role.OPERATOR))


async def test_a_login_answers_with_tokens_and_the_user(door: Door, ann: Principal) -> None:
    answer = await door.request("POST", "/api/auth/login", by=None, json=CREDENTIALS)

    content = answer.json()["content"]
    assert answer.status_code == 200
    assert content["user"].pop("proved_until") > clock.now().isoformat()
    assert set(content) == {"access_token", "refresh_token", "expires_in", "user"}
    assert content["user"] == {
        "id": ann.id,
        "username": "ann",
        "roles": ["operator"],
        "permissions": sorted(permissions_of([Role.OPERATOR])),
        "is_active": True,
        "must_change_password": False,
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("proto", "cookie"),
    [
        ("https", "__Host-opsjob="),
        ("http", "opsjob_session="),
    ],
)
async def test_the_cookie_is_as_safe_as_the_connection_allows(
    door: Door, ann: Principal, proto: str, cookie: str
) -> None:
    answer = await door.request(
        "POST", "/api/auth/login", by=None, json=CREDENTIALS, headers={"x-forwarded-proto": proto}
    )

    (header,) = answer.headers.get_list("set-cookie")
    assert header.startswith(cookie)
    attributes = {part.strip().lower() for part in header.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert ("secure" in attributes) == (proto == "https")
    assert not any(part.startswith("domain") for part in attributes)


async def test_wrong_credentials_are_one_answer_without_a_cookie(
    door: Door, ann: Principal
) -> None:
    bodies = []
    for credentials in (
        {"username": "ann", "password": "wrong"},
        {"username": "nobody", "password": PASSWORD},
        {"username": "", "password": ""},
    ):
        answer = await door.request("POST", "/api/auth/login", by=None, json=credentials)
        assert error_of(answer, 401) == "invalid_credentials"
        assert "set-cookie" not in answer.headers
        document = answer.json()
        del document["content"]["request_id"]
        bodies.append(document)

    assert bodies[0] == bodies[1] == bodies[2]


async def test_the_message_speaks_the_language_of_the_reader(door: Door) -> None:
    answer = await door.request(
        "POST",
        "/api/auth/login",
        by=None,
        json=CREDENTIALS,
        headers={"accept-language": "zh-CN,zh;q=0.9"},
    )

    assert answer.json()["message"] == "用户名或密码错误。"


@pytest.mark.usefixtures("no_captcha")
async def test_too_many_failures_say_when_to_come_back(door: Door, ann: Principal) -> None:
    wrong = {"username": "ann", "password": "wrong"}
    for _ in range(5):
        await door.request("POST", "/api/auth/login", by=None, json=wrong)

    answer = await door.request("POST", "/api/auth/login", by=None, json=CREDENTIALS)

    assert error_of(answer, 429) == "too_many"
    assert int(answer.headers["retry-after"]) >= 1


async def test_refresh_rotates_over_http(door: Door, ann: Principal) -> None:
    login = await door.request("POST", "/api/auth/login", by=None, json=CREDENTIALS)
    body = {"refresh_token": login.json()["content"]["refresh_token"]}

    first = await door.request("POST", "/api/auth/refresh", by=None, json=body)
    again = await door.request("POST", "/api/auth/refresh", by=None, json=body)

    assert first.status_code == 200
    assert first.json()["content"]["refresh_token"] != body["refresh_token"]
    assert error_of(again, 401) == "refresh_refused"


async def test_logging_out_clears_both_cookies(door: Door, ann: Principal) -> None:
    answer = await door.request("POST", "/api/auth/logout", by=ann)

    assert answer.status_code == 200
    names = {header.partition("=")[0] for header in answer.headers.get_list("set-cookie")}
    assert names == {"__Host-opsjob", "opsjob_session"}
    assert all("Max-Age=0" in header for header in answer.headers.get_list("set-cookie"))


async def test_me_shows_the_present_state(door: Door, ann: Principal) -> None:
    content = await door.content("GET", "/api/auth/me", by=ann)

    assert content["username"] == "ann"
    gone = await door.request("GET", "/api/auth/me", by=person(user_id=4711))
    assert error_of(gone, 401) == "session_ended"


async def test_changing_the_password_over_http(door: Door, ann: Principal) -> None:
    body = {"current_password": PASSWORD, "new_password": "another good one"}

    await door.content("POST", "/api/auth/password", by=ann, json=body)

    again = await door.request("POST", "/api/auth/password", by=ann, json=body)
    assert error_of(again, 422) == "current_password_wrong"


async def test_roles_are_listed_with_what_they_allow(door: Door) -> None:
    answer = await door.request("GET", "/api/auth/roles", by=person("users:read"))

    names = {role["name"] for role in answer.json()["content"]}
    assert names == {"admin", "operator", "viewer", "auditor", "member"}


async def test_users_are_made_listed_and_disabled(door: Door) -> None:
    spec = {"username": "bob", "password": PASSWORD, "roles": ["viewer", "viewer"]}

    made = await door.content("POST", "/api/auth/users", json=spec, status=201)
    listed = await door.content("GET", "/api/auth/users", params={"search": "bo"})
    path = f"/api/auth/users/{made['id']}"
    disabled = await door.content("PATCH", path, json={"is_active": False})

    assert made.pop("one_time_password") is None
    assert made["roles"] == ["viewer"]
    assert PASSWORD not in str(made)
    assert "argon2" not in str(made)
    assert (listed["total"], listed["page"], listed["page_size"]) == (1, 1, 20)
    assert listed["results"] == [made]
    assert disabled["is_active"] is False
    answer = await door.request("GET", "/api/auth/users/4711")
    assert error_of(answer, 404) == "user_not_found"


ROUTES = [
    ("GET", "/api/auth/users", "users:read"),
    ("POST", "/api/auth/users", "users:write"),
    ("GET", "/api/auth/users/1", "users:read"),
    ("PATCH", "/api/auth/users/1", "users:write"),
    ("DELETE", "/api/auth/users/1", "users:write"),
    ("POST", "/api/auth/users/1/disable", "users:write"),
    ("POST", "/api/auth/users/1/enable", "users:write"),
    ("POST", "/api/auth/users/1/reset_password", "users:write"),
    ("GET", "/api/auth/users/1/sessions", "users:read"),
    ("DELETE", "/api/auth/users/1/sessions", "users:write"),
    ("GET", "/api/auth/users/1/tokens", "users:read"),
    ("DELETE", "/api/auth/users/1/tokens", "users:write"),
    ("DELETE", "/api/auth/users/1/tokens/1", "users:write"),
    ("GET", "/api/auth/groups", "users:read"),
    ("POST", "/api/auth/groups", "users:write"),
    ("GET", "/api/auth/groups/1", "users:read"),
    ("PATCH", "/api/auth/groups/1", "users:write"),
    ("DELETE", "/api/auth/groups/1", "users:write"),
    ("GET", "/api/auth/groups/1/members", "users:read"),
    ("POST", "/api/auth/groups/1/members", "users:write"),
    ("DELETE", "/api/auth/groups/1/members/1", "users:write"),
    ("GET", "/api/auth/roles", "users:read"),
]


@pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
async def test_each_route_needs_its_permission(
    door: Door, method: str, path: str, permission: str
) -> None:
    everything_else = {"users:read", "users:write", "hosts:write", "system:read"} - {permission}
    others = person(*everything_else)

    assert error_of(await door.request(method, path, by=None, json={}), 401) == "unauthenticated"
    assert error_of(await door.request(method, path, by=NOBODY, json={}), 403) == "forbidden"
    assert error_of(await door.request(method, path, by=others, json={}), 403) == "forbidden"
    allowed = await door.request(method, path, by=person(permission), json={})
    assert allowed.status_code in {200, 404, 422}


@pytest.mark.parametrize("path", ["/api/auth/me", "/api/auth/logout", "/api/auth/password"])
async def test_own_affairs_need_a_login_and_nothing_else(door: Door, path: str) -> None:
    method = "GET" if path.endswith("me") else "POST"

    answer = await door.request(method, path, by=None, json=None if method == "GET" else {})

    assert error_of(answer, 401) == "unauthenticated"


@pytest.mark.parametrize(
    "path",
    ["sessions/resolve", "sessions/principal", "users/active", "users/first-admin"],
)
async def test_internal_routes_refuse_people(door: Door, path: str) -> None:
    answer = await door.request("POST", f"/internal/{path}", json={})
    nobody = await door.request("POST", f"/internal/{path}", by=None, json={})

    assert error_of(answer, 403) == "forbidden"
    assert error_of(nobody, 401) == "unauthenticated"


@pytest.mark.parametrize("headers", [{"x-user-id": "1"}, {"x-roles": "admin"}, {"x-internal": "1"}])
async def test_forged_headers_are_worth_nothing(door: Door, headers: dict[str, str]) -> None:
    answer = await door.request("GET", "/api/auth/users", by=None, headers=headers)

    assert error_of(answer, 401) == "unauthenticated"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("garbage", "192.0.2.7"),
        ("", "192.0.2.7"),
        ("1" * 10_000, "192.0.2.7"),
    ],
)
def test_failures_are_counted_by_the_address_that_the_gateway_saw(
    forwarded: str, address: str
) -> None:
    request = Request(
        {
            "type": "http",
            "headers": [(b"x-forwarded-for", forwarded.encode())],
            "client": ("192.0.2.7", 1234),
        }
    )

    assert client_address(request) == address
