"""The audit log through its API, and refusals that become records."""

import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.contracts.audit import AuditClient, audited
from libs.kit.acting import Actor
from libs.kit.redis import Redis
from libs.kit.refusals import Refusal
from libs.kit.service import Service
from services.auth.app import service
from services.auth.audit.service import AuditLog
from services.auth.users.service import Users
from tests.services.auth.conftest import PASSWORD, make_user, principal_of
from tests.support.doors import ADMIN, Door, error_of, opened, person
from tests.support.waiting import eventually

LOGS = "/api/permissions/audit-logs"
READER = person("audit:read")
Rows = list[dict[str, object]]


@pytest.fixture
async def live(
    database_url: Callable[[Service], str], tmp_path: Path, redis_url: str, redis: Redis
) -> AsyncIterator[Door]:
    """The service with a Redis that carries its facts."""
    url = database_url(service)
    async with opened(service, url, tmp_path, redis_url=redis_url) as running:
        yield running


async def say(door: Door, action: str, **about: object) -> None:
    """A record as if some service had told it."""
    said = audited(action, **about)  # type: ignore[arg-type]  # named by the tests
    await door.use_cases(AuditLog).record(said.stamped("trace"))


async def rows(door: Door, **params: str | int) -> Rows:
    found = (await door.content("GET", LOGS, by=READER, params=params))["results"]
    assert isinstance(found, list)
    return found


async def test_records_are_listed_newest_first_with_a_cursor(door: Door) -> None:
    for number in range(5):
        await say(door, "host.create", kind="host", id=number)

    first = await door.content("GET", LOGS, by=READER, params={"page_size": 3})
    rest = await rows(door, page_size=3, cursor=int(str(first["next_cursor"])))

    shown = first["results"]
    assert isinstance(shown, list)
    assert [one["resource_id"] for one in [*shown, *rest]] == ["4", "3", "2", "1", "0"]
    last = await door.content("GET", LOGS, by=READER, params={"cursor": 4})
    assert last["next_cursor"] is None


_FILTERS: list[tuple[dict[str, str | int], set[str]]] = [
    ({"user_id": 7}, {"a"}),
    ({"action": "user.create"}, {"b"}),
    ({"action": "user."}, {"b", "c"}),
    ({"success": "false"}, {"c"}),
    ({"success": "true"}, {"a", "b"}),
    ({"resource_type": "host"}, {"a"}),
    ({"resource_type": "user", "resource_id": "3"}, {"c"}),
    ({"ip_address": "192.0.2.5"}, {"a"}),
    ({"search": "MIA"}, {"a"}),
    ({"search": "100%"}, {"b"}),
    ({"search": "_"}, set()),
    ({"search": "user.d"}, {"c"}),
]


@pytest.mark.parametrize(("filters", "expected"), _FILTERS, ids=str)
async def test_filters(door: Door, filters: dict[str, str | int], expected: set[str]) -> None:
    mia = Actor(7, "Mia", "user", "192.0.2.5")
    await say(door, "host.update", kind="host", id=3, name="a", by=mia)
    await say(door, "user.create", kind="user", id=9, name="b", detail="100% new")
    await say(door, "user.delete", kind="user", id=3, name="c", outcome="failure")

    assert {str(row["resource_name"]) for row in await rows(door, **filters)} == expected


async def test_records_can_be_had_by_time(door: Door) -> None:
    await say(door, "host.create", name="now")
    hour = timedelta(hours=1)
    past, future = (f"{datetime.now(UTC) + by:%Y-%m-%dT%H:%M:%SZ}" for by in (-hour, hour))

    assert len(await rows(door, start_date=past, end_date=future)) == 1
    assert await rows(door, start_date=future) == []
    assert await rows(door, end_date=past) == []


@pytest.mark.parametrize(
    "params",
    [
        *({"user_id": "0"}, {"user_id": "x"}, {"unknown": "1"}, {"cursor": "0"}),
        *({"page_size": "201"}, {"start_date": "yesterday"}, {"search": "x" * 129}),
        *({"success": "perhaps"}, {"action": "x" * 65}),
    ],
    ids=str,
)
async def test_bad_filters_are_refused(door: Door, params: dict[str, str | int]) -> None:
    assert error_of(await door.request("GET", LOGS, by=READER, params=params), 422) == "invalid"


async def test_a_record_shows_what_changed(door: Door) -> None:
    before = {"port": 22, "name": "web", "password": "canary-1"}
    after = {"port": 2222, "name": "web", "password": "canary-2", "tags": ["a"]}
    await say(door, "host.update", kind="host", id=1, before=before, after=after)

    answer = await door.request("GET", f"{LOGS}/1", by=READER)

    assert "canary" not in answer.text
    shown = answer.json()["content"]
    assert shown["changes"] == [
        {"field": "port", "before": 22, "after": 2222},
        {"field": "tags", "before": None, "after": ["a"]},
    ]
    assert shown["prev_hash"] == "0" * 64
    assert error_of(await door.request("GET", f"{LOGS}/2", by=READER), 404) == (
        "audit_record_not_found"
    )


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/1", f"{LOGS}/export"])
async def test_only_those_with_the_right_may_read(door: Door, path: str) -> None:
    await say(door, "host.create")

    nobody = person("users:read", "hosts:read", "permissions:read")
    assert error_of(await door.request("GET", path, by=nobody), 403) == "forbidden"
    assert (await door.request("GET", path, by=READER)).status_code == 200


# ---- exports ---------------------------------------------------------------------------------


async def test_a_csv_holds_what_matches_and_no_formula(door: Door) -> None:
    await say(door, "user.create", name='=cmd|"/c calc"!A1')
    await say(door, "host.create", name="web, with a comma\nand a line")

    answer = await door.request(
        "GET", f"{LOGS}/export", by=READER, params={"format": "csv", "action": "user."}
    )
    everything = await door.request("GET", f"{LOGS}/export", by=READER)

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [line["resource_name"] for line in lines] == ['\'=cmd|"/c calc"!A1']
    names = [
        line["resource_name"]
        for line in csv.DictReader(io.StringIO(everything.content.decode("utf-8-sig")))
    ]
    assert "web, with a comma\nand a line" in names


async def test_json_lines_hold_every_record_whatever_their_number(door: Door) -> None:
    for number in range(1203):
        await say(door, "host.update", kind="host", id=number)

    answer = await door.request("GET", f"{LOGS}/export", by=READER, params={"format": "jsonl"})

    found = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["id"] for one in found] == list(range(1203, 0, -1))
    assert len({one["hash"] for one in found}) == 1203


async def test_a_sheet_holds_texts_as_texts(door: Door) -> None:
    await say(door, "user.create", name="=1+1", after={"n": 1})

    answer = await door.request("GET", f"{LOGS}/export", by=READER, params={"format": "xlsx"})

    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=1+1" in sheet
    assert "resource_name" in sheet


async def test_an_export_is_recorded_itself(live: Door) -> None:
    answer = await live.request(
        "GET", f"{LOGS}/export", by=READER, params={"format": "jsonl", "success": "true"}
    )
    assert answer.status_code == 200

    found = await eventually(lambda: rows(live, action="audit.export"))
    detail = await live.content("GET", f"{LOGS}/{found[0]['id']}", by=READER)

    assert found[0]["user_id"] == READER.id
    assert found[0]["username"] == READER.username
    assert detail["after"] == {"format": "jsonl", "filters": {"success": True}}


async def test_an_unknown_form_is_refused(door: Door) -> None:
    answer = await door.request("GET", f"{LOGS}/export", by=READER, params={"format": "pdf"})

    assert error_of(answer, 422) == "invalid"


# ---- refusals --------------------------------------------------------------------------------


async def test_a_denial_is_recorded_with_who_and_where_from(live: Door) -> None:
    answer = await live.request(
        "GET",
        "/api/auth/users",
        by=person(user_id=31),
        headers={
            "x-forwarded-for": "192.0.2.77",
            "user-agent": "curl/8",
            "x-request-id": "request-0001",
        },
    )
    assert answer.status_code == 403

    [found] = await eventually(lambda: rows(live, action="access.denied"))

    assert (found["user_id"], found["username"]) == (31, "user-31")
    assert (found["ip_address"], found["user_agent"]) == ("192.0.2.77", "curl/8")
    assert (found["outcome"], found["success"], found["request_id"]) == (
        *("denied", False),
        "request-0001",
    )
    assert found["detail"] == "forbidden: GET /api/auth/users"


async def test_wrong_passwords_and_answers_to_pictures_are_told_together(live: Door) -> None:
    user = await make_user(live.use_cases(Users), "ann")
    login = {"username": "ann", "password": "wrong"}
    guess = {**login, "captcha_key": "k" * 43, "captcha_value": "AAAAA"}
    headers = {"x-forwarded-for": "192.0.2.77"}

    async def attempt(body: dict[str, str]) -> str:
        answer = await live.request("POST", "/api/auth/login", by=None, json=body, headers=headers)
        return error_of(answer, 401)

    assert [await attempt(login) for _ in range(3)] == ["invalid_credentials"] * 3
    assert [await attempt(guess) for _ in range(5)] == ["captcha_wrong"] * 5

    async def both() -> list[dict[str, object]]:
        found = await rows(live, action="login.failed")
        return sorted(found, key=lambda one: str(one["detail"])) if len(found) == 2 else []

    picture, password = await eventually(both)
    for one in (picture, password):
        assert (one["resource_id"], one["ip_address"]) == (str(user.id), "192.0.2.77")
        assert one["outcome"] == "denied"
    assert picture["detail"] == "captcha_wrong: POST /api/auth/login"
    assert password["detail"] == "invalid_credentials: The password is wrong."


async def test_a_wrong_code_of_somebody_who_is_logged_in_is_recorded(live: Door) -> None:
    ann = principal_of(await make_user(live.use_cases(Users), "ann"))
    await live.request("POST", "/api/auth/mfa/setup", by=ann, json={"current_password": PASSWORD})
    answer = await live.request(
        "POST", "/api/auth/mfa/verify", by=ann, json={"otp_token": "000000"}
    )
    assert error_of(answer, 422) == "otp_wrong"

    [found] = await eventually(lambda: rows(live, action="mfa.refused"))

    assert (found["user_id"], found["resource_id"]) == (ann.id, str(ann.id))
    assert found["detail"] == "otp_wrong: POST /api/auth/mfa/verify"


async def test_equal_denials_become_one_record_with_a_count(live: Door) -> None:
    for _ in range(30):
        await live.request("GET", "/api/auth/users", by=person(user_id=31))

    found = await eventually(lambda: rows(live, action="access.denied"))

    assert len(found) == 1
    assert found[0]["repeats"] == 30


async def test_a_caller_without_a_good_internal_token_is_recorded(live: Door) -> None:
    await live.request("GET", "/api/auth/users", by=None)

    [found] = await eventually(lambda: rows(live, action="access.denied"))

    assert found["actor_kind"] == "anonymous"
    assert found["detail"] == "unauthenticated: GET /api/auth/users"


async def test_what_the_gateway_refused_is_recorded(live: Door) -> None:
    client = AuditClient(live.runtime.http, live.runtime.internal_tokens, "gateway")
    actor = Actor(0, "", "anonymous", "192.0.2.9", "evil/1 \N{SNOWMAN}", "gateway")
    refusal = Refusal("access.denied", "csrf_failed", "POST /api/hosts", actor=actor)

    await client.report_refusals([(refusal, 12)])

    [found] = await eventually(lambda: rows(live, action="access.denied"))
    assert (found["repeats"], found["ip_address"]) == (12, "192.0.2.9")
    assert found["detail"] == "csrf_failed: POST /api/hosts"


async def test_people_cannot_report_refusals(door: Door) -> None:
    token = door.runtime.internal_tokens.issue("auth/internal", ADMIN, "gateway")
    answer = await door.request(
        "POST",
        "/internal/audit/refusals",
        by=None,
        json={"refusals": []},
        headers={"authorization": f"Bearer {token}"},
    )

    assert error_of(answer, 403) == "forbidden"
