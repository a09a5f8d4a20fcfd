"""The catalogue of bad input, as far as it concerns users and sessions; ids are its B-numbers."""

from collections.abc import Mapping

import httpx
import pytest
from sqlalchemy import func, select

from libs.kit.db import Database
from services.auth.models import Session, User
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user
from tests.support.doors import ADMIN as ADMIN_OF_ELSEWHERE
from tests.support.doors import Door, error_of

USERS = "/api/auth/users"
LOGIN = "/api/auth/login"
GOOD = {"username": "bob", "password": PASSWORD, "roles": ["viewer"]}


async def stored(door: Door) -> tuple[int, int]:
    """How many users and sessions there are."""
    db: Database = door.app.state.database
    return await db.read(
        lambda tx: (
            tx.scalar(select(func.count()).select_from(User)) or 0,
            tx.scalar(select(func.count()).select_from(Session)) or 0,
        )
    )


def without(field: str) -> dict[str, object]:
    return {name: value for name, value in GOOD.items() if name != field}


# ---- bodies ------------------------------------------------------------------------------------

RAW = [
    pytest.param(b'{"username":"a","username":"b","password":"x"}', 400, id="B001-duplicate-key"),
    pytest.param(b'{"username":NaN,"password":"x"}', 400, id="B002-nan"),
    pytest.param(b'{"username":1e400,"password":"x"}', 400, id="B002-overflow"),
    pytest.param(b'{"username":' + b"9" * 400 + b"}", 422, id="B003-long-number"),
    pytest.param(b"[" * 10_000, 400, id="B004-depth-of-lists"),
    pytest.param(b'{"a":' * 10_000, 400, id="B004-depth-of-objects"),
    pytest.param(b'{"username":"\\ud800","password":"long enough"}', 422, id="B005-surrogate"),
    pytest.param(b'{"username":"a\\u0000","password":"long enough"}', 422, id="B006-nul"),
    pytest.param(b'\xef\xbb\xbf{"username":"a"}', 400, id="B007-bom"),
    pytest.param('{"username":"a"}'.encode("utf-16"), 400, id="B007-utf16"),
    pytest.param(b'{"username":"caf\xe9"}', 400, id="B007-latin1"),
    pytest.param(b'{"username":"a"} garbage', 400, id="B008-garbage-after"),
    pytest.param(b'{"username":"a"}{"username":"b"}', 400, id="B008-two-documents"),
    pytest.param(b"", 400, id="B008-empty"),
    pytest.param(b"  \n", 400, id="B008-whitespace"),
    pytest.param(b'{"__proto__":{"roles":["admin"]}}', 422, id="B016-proto"),
]


@pytest.mark.parametrize("path", [USERS, LOGIN])
@pytest.mark.parametrize(("body", "status"), RAW)
async def test_a_body_that_is_no_good_json(door: Door, path: str, body: bytes, status: int) -> None:
    answer = await door.request("POST", path, raw=body)

    expected = "malformed" if status == 400 else "invalid"
    assert error_of(answer, status) == expected
    assert await stored(door) == (0, 0)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-7",
        "",
    ],
    ids=lambda kind: f"B009-{kind.partition('/')[2] or 'none'}",
)
async def test_a_body_of_another_kind(door: Door, kind: str) -> None:
    answer = await door.request("POST", LOGIN, raw=b"{}", headers={"content-type": kind})

    assert error_of(answer, 415) == "unsupported_media_type"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"], ids=lambda e: f"B010-{e}")
async def test_a_compressed_body(door: Door, encoding: str) -> None:
    answer = await door.request("POST", LOGIN, raw=b"{}", headers={"content-encoding": encoding})

    assert error_of(answer, 415) == "unsupported_media_type"


FIELDS = [
    *(pytest.param(without(name), id=f"B013-{name}-missing") for name in ("username", "password")),
    *(
        pytest.param({**GOOD, name: value}, id=f"B013-{name}-{label}")
        for name in GOOD
        for label, value in (("null", None), ("object", {}))
    ),
    pytest.param({**GOOD, "username": ""}, id="B013-username-empty"),
    pytest.param({**GOOD, "username": []}, id="B013-username-list"),
    pytest.param({**GOOD, "username": 1}, id="B014-username-number"),
    pytest.param({**GOOD, "password": 12345678}, id="B014-password-number"),
    pytest.param({**GOOD, "password": True}, id="B014-password-bool"),
    pytest.param({**GOOD, "roles": "viewer"}, id="B014-roles-text"),
    pytest.param({**GOOD, "roles": [1]}, id="B014-roles-numbers"),
    pytest.param({**GOOD, "roles": {"viewer": True}}, id="B014-roles-object"),
    pytest.param({**GOOD, "must_change_password": "true"}, id="B014-bool-as-text"),
    pytest.param({**GOOD, "must_change_password": 1}, id="B014-bool-as-number"),
    *(
        pytest.param({**GOOD, name: 1}, id=f"B015-{name}")
        for name in (
            "id", "is_active", "is_first_admin", "password_hash", "created_at", "permissions",
            "is_superuser", "role", "extra",
        )
    ),
    *(
        pytest.param({**GOOD, name: {}}, id=f"B016-{name}")
        for name in ("constructor", "prototype", "__class__", "$where", "$gt")
    ),
    pytest.param({**GOOD, "one_time_password": True}, id="B038-two-passwords"),
    pytest.param({**GOOD, "email": "no address"}, id="B014-email"),
    pytest.param({**GOOD, "email": "a@b\n.c"}, id="B052-email-newline"),
    pytest.param({**GOOD, "email": "a" * 250 + "@b.c"}, id="B017-email"),
    pytest.param({**GOOD, "phone": "call me"}, id="B014-phone"),
    pytest.param({**GOOD, "display_name": "x" * 129}, id="B017-display-name"),
    pytest.param({**GOOD, "department": "a\u202eb"}, id="B046-department"),
    pytest.param({**GOOD, "position": None}, id="B013-position-null"),
    pytest.param({**GOOD, "username": "x" * 1_000_000}, id="B017-username"),
    pytest.param({**GOOD, "username": "x" * 65}, id="B017-username-65"),
    pytest.param({**GOOD, "password": "x" * 1_000_000}, id="B038-password-1MB"),
    pytest.param({**GOOD, "password": "x" * 257}, id="B038-password-257"),
    pytest.param({**GOOD, "password": ""}, id="B038-password-empty"),
    pytest.param({**GOOD, "roles": ["viewer"] * 51}, id="B054-roles-too-many"),
    pytest.param({**GOOD, "roles": ["root"]}, id="B053-unknown-role"),
    pytest.param({**GOOD, "roles": ["Admin"]}, id="B053-role-in-capitals"),
    *(
        pytest.param({**GOOD, "username": f"a{character}b"}, id=f"B046-U+{ord(character):04X}")
        for character in "\u202a\u202e\u2066\u2069\u200b\u200d\ufeff\u00ad\U000e0041"
    ),
    *(
        pytest.param({**GOOD, "username": f"a{character}b"}, id=f"B052-U+{ord(character):04X}")
        for character in "\n\r\t\x1b\x9b\x7f"
    ),
    pytest.param({**GOOD, "username": "a" + "\u0301" * 50}, id="B048-combining-marks"),
    pytest.param({**GOOD, "username": "a\ufffe"}, id="B048-noncharacter"),
    *(
        pytest.param({**GOOD, "username": name}, id=f"B049-{label}")
        for label, name in (
            ("spaces", "   "), ("dot", "."), ("dots", ".."), ("dash", "-"), ("help", "--help"),
            ("rf", "-rf"), ("ideographic-space", "\u3000"),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("body", FIELDS)
async def test_a_user_that_makes_no_sense(door: Door, body: Mapping[str, object]) -> None:
    answer = await door.request("POST", USERS, json=body)

    assert error_of(answer, 422) in {"invalid", "password_refused", "unknown_role"}
    assert "x" * 200 not in answer.text
    assert await stored(door) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"is_active": None}, id="B013-null"),
        pytest.param({"roles": None}, id="B013-roles-null"),
        pytest.param({"is_active": "false"}, id="B014-text"),
        pytest.param({"is_active": 0}, id="B014-number"),
        pytest.param({"username": "other"}, id="B015-username"),
        pytest.param({"password": PASSWORD}, id="B015-password"),
        pytest.param({"is_first_admin": True}, id="B015-first-admin"),
    ],
)
async def test_a_change_that_makes_no_sense(door: Door, body: Mapping[str, object]) -> None:
    user = await make_user(door.use_cases(Users), "ann")

    answer = await door.request("PATCH", f"{USERS}/{user.id}", json=body)

    assert error_of(answer, 422) == "invalid"
    after = await door.use_cases(Users).one(user.id)
    assert (after.username, after.is_active, after.updated_at) == ("ann", True, user.updated_at)


@pytest.mark.parametrize(
    "name",
    [
        "'; DROP TABLE users; --", "' OR 1=1", "\\'", "$1", "::regclass", "<script>x</script>",
        "{{7*7}}", "${7*7}", "%s%n", "{0.__class__}", "=1+1", "NULL", "None", "true", "0", "~", "*",
        "[object Object]", "admin", "me", "new",
    ],
    ids=lambda name: f"B021-B049-B050-{name[:8]}",
)  # fmt: skip
async def test_text_that_looks_like_code_is_only_text(door: Door, name: str) -> None:
    made = await door.content("POST", USERS, json={**GOOD, "username": name}, status=201)
    shown = await door.content("GET", f"{USERS}/{made['id']}")
    found = await door.content("GET", USERS, params={"search": name})

    assert made["username"] == shown["username"] == name
    assert found["results"] == [shown]


@pytest.mark.parametrize(
    ("first", "twin"),
    [
        pytest.param("caf\u00e9", "cafe\u0301", id="B047-composition"),
        pytest.param("Bob", "bOB", id="B047-case"),
        pytest.param("bob", " bob\u00a0", id="B047-outer-space"),
        pytest.param("bo b", "bo\u3000b", id="B047-inner-space"),
        pytest.param("admin", "ADMIN", id="B053-case-of-admin"),
    ],
)
async def test_twins_of_a_name_are_taken(door: Door, first: str, twin: str) -> None:
    await door.content("POST", USERS, json={**GOOD, "username": first}, status=201)

    answer = await door.request("POST", USERS, json={**GOOD, "username": twin})

    assert error_of(answer, 409) == "username_taken"


# ---- parameters --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "user_id",
    ["0", "-1", "2147483648", "9007199254740993", "9" * 400, "abc", "1.0", "0x1", "1e3", "\u0661"],
    ids=lambda text: f"B003-{text[:12]}",
)
async def test_an_id_that_is_none(door: Door, user_id: str) -> None:
    answer = await door.request("GET", f"{USERS}/{user_id}")

    assert error_of(answer, 422) == "invalid"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("page=-1", id="B018-page-negative"),
        pytest.param("page=0", id="B018-page-zero"),
        pytest.param("page=1000000000", id="B018-page-huge"),
        pytest.param("page=abc", id="B018-page-text"),
        pytest.param("page_size=0", id="B018-size-zero"),
        pytest.param("page_size=-5", id="B018-size-negative"),
        pytest.param("page_size=100000000", id="B018-size-huge"),
        pytest.param("page_size=9999999999999999999", id="B018-size-beyond"),
        pytest.param("sort=password_hash", id="B019-hidden-column"),
        pytest.param("sort=name%3Bdrop%20table", id="B019-sql"),
        pytest.param("sort=(select%201)", id="B019-subselect"),
        pytest.param("sort=--id", id="B019-two-signs"),
        pytest.param("password__startswith=a", id="B020-walk"),
        pytest.param("unknown=1", id="B020-unknown"),
        pytest.param("is_active=maybe", id="B020-bool"),
        pytest.param("search=" + "x" * 129, id="B017-search"),
        pytest.param("search=%00", id="B006-search"),
        pytest.param("ids[]=1", id="B022-array"),
    ],
)
async def test_a_parameter_that_makes_no_sense(door: Door, query: str) -> None:
    answer = await door.request("GET", USERS, params=query)

    assert error_of(answer, 422) == "invalid"


async def test_of_a_repeated_parameter_the_last_counts(door: Door) -> None:
    content = await door.content("GET", USERS, params="page_size=5&page_size=7")

    assert content["page_size"] == 7


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PROPFIND"], ids="B024-{}".format)
async def test_a_method_that_is_not_offered(door: Door, method: str) -> None:
    answer = await door.request(method, USERS)

    assert error_of(answer, 405) == "method_not_allowed"


# ---- logins ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "password"),
    [
        pytest.param("nobody", PASSWORD, id="B038-unknown-user"),
        pytest.param("ann", "", id="B038-empty-password"),
        pytest.param("ann", "x" * 1_000_000, id="B038-1MB-password"),
        pytest.param("x" * 1_000_000, PASSWORD, id="B038-1MB-name"),
        pytest.param("ann", PASSWORD + " ", id="B038-trailing-space-in-password"),
        pytest.param("ann", PASSWORD.upper(), id="B038-case-of-password"),
        pytest.param("ann", PASSWORD[:-1], id="B038-one-short"),
        pytest.param("ann\u200b", PASSWORD, id="B046-hidden-character"),
        pytest.param("' OR 1=1 --", PASSWORD, id="B021-sql"),
    ],
)
async def test_credentials_that_are_wrong_get_one_answer(
    door: Door, username: str, password: str
) -> None:
    await make_user(door.use_cases(Users), "ann")

    body = {"username": username, "password": password}
    answer = await door.request("POST", LOGIN, by=None, json=body)

    assert error_of(answer, 401) == "invalid_credentials"
    assert await stored(door) == (1, 0)


@pytest.mark.parametrize(
    "token",
    ["", "x", "x" * 1_000_000, "' OR 1=1", "../../etc/passwd", "a.b.c"],
    ids=lambda token: f"B035-{token[:6] or 'empty'}",
)
async def test_a_refresh_token_that_is_none(door: Door, token: str) -> None:
    answer = await door.request("POST", "/api/auth/refresh", by=None, json={"refresh_token": token})

    assert error_of(answer, 401) == "refresh_refused"


AUTHORIZATIONS: list[object] = [
    pytest.param("Bearer ", id="B034-empty"),
    pytest.param("Bearer " + "x" * 20_000, id="B034-long"),
    pytest.param("Basic YWRtaW46YWRtaW4=", id="B034-basic"),
    pytest.param("Bearer eyJhbGciOiJub25lIn0.e30.", id="B031-alg-none"),
    pytest.param("Bearer a.b." + "A" * 86, id="B031-garbage"),
]


@pytest.mark.parametrize("header", AUTHORIZATIONS)
async def test_a_token_that_is_none(door: Door, header: str) -> None:
    answer = await door.request("GET", USERS, by=None, headers={"authorization": header})

    assert error_of(answer, 401) == "unauthenticated"


async def test_a_user_token_is_no_service_token(door: Door) -> None:
    """B033: neither an access token nor a token for another service opens a route."""
    access = door.runtime.access_tokens.issue(1, "session", 60)
    other = door.runtime.internal_tokens.issue("hosts", ADMIN_OF_ELSEWHERE, "gateway")

    for token in (access, other):
        answer = await door.request(
            "GET", USERS, by=None, headers={"authorization": f"Bearer {token}"}
        )
        assert error_of(answer, 401) == "unauthenticated"


async def test_a_token_in_the_query_is_no_token(door: Door) -> None:
    """B034: a token in an address would end up in logs."""
    token = door.runtime.internal_tokens.issue("auth", ADMIN_OF_ELSEWHERE, "gateway")

    answer: httpx.Response = await door.request(
        "GET", USERS, by=None, params={"access_token": token}
    )

    assert error_of(answer, 401) == "unauthenticated"
