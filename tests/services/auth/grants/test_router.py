"""Grants and templates through their doors, and the rows that decisions are made from."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.contracts.access import AccessSet
from libs.contracts.auth import AuthClient
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.service import Service
from services.auth.app import service
from tests.support.access import TreeOfHosts
from tests.support.doors import ADMIN, NOBODY, Door, error_of, opened, person

GRANTS = "/api/permissions/grants"
TEMPLATES = "/api/permissions/templates"
RUN = {
    "actions": ["view", "execute"],
    "object_type": "host",
    "object_ids": [5, 6],
    "what": ["adhoc"],
    "accounts": ["app"],
}


@pytest.fixture
def tree() -> TreeOfHosts:
    return TreeOfHosts()


@pytest.fixture
async def door(
    database_url: Callable[[Service], str], tmp_path: Path, tree: TreeOfHosts
) -> AsyncIterator[Door]:
    url = database_url(service)
    async with opened(service, url, tmp_path, neighbours={"hosts": tree}) as running:
        await user(running, "root")  # the id of the administrator of these tests
        yield running


async def user(door: Door, name: str = "ann") -> int:
    body = {"username": name, "password": "correct horse battery"}
    made = await door.content("POST", "/api/auth/users", status=201, json=body)
    assert isinstance(made["id"], int)
    return made["id"]


async def give(
    door: Door, user_id: int, *, by: Principal = ADMIN, **more: object
) -> dict[str, object]:
    body = RUN | {"subject_type": "user", "subject_id": user_id} | more
    return await door.content("POST", GRANTS, status=201, by=by, json=body)


async def access_of(door: Door, user_id: int) -> AccessSet:
    client = AuthClient(door.runtime.http, door.runtime.internal_tokens, "execution")
    return AccessSet.of((await client.access_of({user_id: ""}))[user_id])


def later(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def test_a_grant_is_stored_shown_and_counts_at_once(door: Door) -> None:
    ann = await user(door)
    window = {"days": [5, 1, 1], "start": "22:00", "until": "06:00", "zone": "Asia/Shanghai"}
    made = await give(door, ann, expires_at=later(8), windows=[window], reason="ticket 7")

    assert made["state"] == "live"
    assert made["subject_name"] == "ann"
    assert made["object_ids"] == ["5", "6"]
    assert made["windows"] == [window | {"days": [1, 5]}]
    assert await door.content("GET", f"{GRANTS}/{made['id']}") == made
    (row,) = (await access_of(door, ann)).rows
    assert (row.id, row.object_ids, row.accounts) == (made["id"], ("5", "6"), ("app",))


async def test_a_known_version_is_not_sent_again_until_something_changes(door: Door) -> None:
    ann = await user(door)
    client = AuthClient(door.runtime.http, door.runtime.internal_tokens, "hosts")
    first = (await client.access_of({ann: ""}))[ann]

    again = (await client.access_of({ann: first.version}))[ann]
    assert again.rows is None
    made = await give(door, ann)
    second = (await client.access_of({ann: first.version}))[ann]
    assert second.rows is not None
    assert len(second.rows) == 1
    await door.content("DELETE", f"{GRANTS}/{made['id']}")
    third = (await client.access_of({ann: second.version}))[ann]
    assert third.rows == []
    assert await client.access_of({99_999: ""}) == {}


async def test_members_of_a_group_have_its_grants(door: Door) -> None:
    ann = await user(door)
    group = await door.content("POST", "/api/auth/groups", status=201, json={"name": "night"})
    await give(door, ann, subject_type="group", subject_id=group["id"])
    assert not (await access_of(door, ann)).rows

    await door.content("POST", f"/api/auth/groups/{group['id']}/members", json={"user_ids": [ann]})
    assert (await access_of(door, ann)).rows


async def test_a_grant_ends_by_itself_and_by_being_revoked(door: Door, time: StandingClock) -> None:
    ann = await user(door)
    end = time.now() + timedelta(hours=1)
    made = await give(door, ann, expires_at=end.isoformat())
    kept = await give(door, ann, object_ids=["*"])

    time.advance(timedelta(hours=1))
    assert (await door.content("GET", f"{GRANTS}/{made['id']}"))["state"] == "expired"
    assert [row.id for row in (await access_of(door, ann)).rows] == [kept["id"]]
    patch = {"expires_at": (end + timedelta(days=1)).isoformat()}
    over = await door.request("PATCH", f"{GRANTS}/{made['id']}", json=patch)
    assert error_of(over, 409) == "grant_over"

    revoked = await door.content("DELETE", f"{GRANTS}/{kept['id']}")
    assert revoked["state"] == "revoked"
    assert await door.content("DELETE", f"{GRANTS}/{kept['id']}") == revoked
    assert not (await access_of(door, ann)).rows


@pytest.mark.parametrize(
    "wrong",
    [
        {"actions": []},
        {"actions": ["fly"]},
        {"object_ids": []},
        {"object_ids": ["x"]},
        {"object_ids": [0]},
        {"object_ids": ["05"]},
        {"what": []},
        {"accounts": []},
        {"what": ["everything"]},
        {"accounts": ["-x"]},
        {"actions": ["view"]},
        {"object_type": "execution"},
        {"windows": []},
        {"windows": [{"days": [8], "start": "08:00", "until": "18:00"}]},
        {"windows": [{"days": [1], "start": "08:00", "until": "08:00"}]},
        {"windows": [{"days": [1], "start": "24:00", "until": "08:00"}]},
        {"windows": [{"days": [1], "start": "08:00", "until": "18:00", "zone": "Mars/X"}]},
        {"windows": [{"days": [1], "start": "08:00", "until": "18:00", "zone": "../etc"}]},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "2020-01-01"},
        {"created_by": 1},
        {"revoked_at": None},
    ],
)
async def test_bad_grants_are_refused_and_nothing_is_stored(
    door: Door, wrong: dict[str, object]
) -> None:
    ann = await user(door)
    body = RUN | {"subject_type": "user", "subject_id": ann} | wrong

    assert (await door.request("POST", GRANTS, json=body)).status_code == 422
    assert (await door.content("GET", GRANTS))["total"] == 0


async def test_a_grant_needs_somebody_to_be_for(door: Door) -> None:
    for kind in ("user", "group"):
        body = RUN | {"subject_type": kind, "subject_id": 9_999}
        assert error_of(await door.request("POST", GRANTS, json=body), 404) == "subject_not_found"


async def test_nobody_gives_more_than_they_hold(door: Door, tree: TreeOfHosts) -> None:
    ann, bob = await user(door), await user(door, "bob")
    tree.hosts = {5: [1, 2], 6: [3]}
    await give(
        door, ann, actions=["execute", "grant"], object_type="host_group", object_ids=[2],
        expires_at=(end := later(5)),
    )  # fmt: skip
    as_ann = person(user_id=ann)

    made = await give(door, bob, by=as_ann, actions=["execute"], object_ids=[5], expires_at=end)
    body = RUN | {"subject_type": "user", "subject_id": bob, "actions": ["execute"]}
    for more in (
        {"object_ids": [5]},
        {"object_ids": [5, 6], "expires_at": end},
        {"object_ids": [5], "expires_at": end, "accounts": ["root"]},
        {"object_ids": [5], "expires_at": later(6)},
    ):
        refused = await door.request("POST", GRANTS, by=as_ann, json=body | more)
        assert error_of(refused, 403) == "exceeds_own_rights"
    widened = await door.request(
        "PATCH", f"{GRANTS}/{made['id']}", by=as_ann, json={"expires_at": None}
    )
    assert error_of(widened, 403) == "exceeds_own_rights"
    nothing = await door.request("POST", GRANTS, by=NOBODY, json=body)
    assert error_of(nothing, 403) == "forbidden"
    seen = await door.content("GET", GRANTS, by=as_ann)
    assert seen["total"] == 1
    await door.content("DELETE", f"{GRANTS}/{made['id']}", by=as_ann)
    assert not (await access_of(door, bob)).rows


async def test_grants_of_others_are_hidden_from_who_may_not_see_permissions(door: Door) -> None:
    made = await give(door, await user(door))
    hidden = await door.request("GET", f"{GRANTS}/{made['id']}", by=NOBODY)
    missing = await door.request("GET", f"{GRANTS}/9999", by=NOBODY)

    assert error_of(hidden, 404) == error_of(missing, 404) == "grant_not_found"
    for change in ("PATCH", "DELETE"):
        answer = await door.request(change, f"{GRANTS}/{made['id']}", by=NOBODY, json={})
        assert answer.status_code in (404, 422)
    assert (await door.content("GET", GRANTS, by=NOBODY))["total"] == 0


async def test_the_list_is_filtered_by_all_that_a_grant_is_about(door: Door) -> None:
    ann, bob = await user(door), await user(door, "bob")
    first = await give(door, ann)
    second = await give(door, bob, object_ids=["*"], starts_at=later(1))
    third = await give(
        door, bob, actions=["edit"], object_type="execution", what=[], accounts=[],
        object_ids=["0192d3a5-0000-7000-8000-000000000000"],
    )  # fmt: skip

    async def found(**wanted: str | int) -> set[object]:
        return {one["id"] for one in await door.rows("GET", GRANTS, params=wanted)}

    assert await found() == {first["id"], second["id"], third["id"]}
    assert await found(subject_type="user", subject_id=ann) == {first["id"]}
    assert await found(object_type="host", object_id="5") == {first["id"], second["id"]}
    assert await found(object_type="host", object_id="55") == {second["id"]}
    assert await found(action="edit") == {third["id"]}
    assert await found(state="scheduled") == {second["id"]}
    assert await found(created_by=ADMIN.id, state="live") == {first["id"], third["id"]}
    assert (await door.request("GET", GRANTS, params={"colour": "red"})).status_code == 422


async def test_a_template_gives_all_of_its_parts_to_all_or_to_nobody(door: Door) -> None:
    ann, bob = await user(door), await user(door, "bob")
    parts = [RUN, {"actions": ["view"], "object_type": "host_group", "object_ids": [2]}]
    made = await door.content(
        "POST", TEMPLATES, status=201, json={"name": "On call", "parts": parts}
    )
    path = f"{TEMPLATES}/{made['id']}"
    subjects = [{"subject_type": "user", "subject_id": one} for one in (ann, bob)]
    wrong = {"subjects": [*subjects, {"subject_type": "group", "subject_id": 77}]}

    answer = await door.request("POST", f"{path}/apply", json=wrong)
    assert error_of(answer, 404) == "subject_not_found"
    assert (await door.content("GET", GRANTS))["total"] == 0
    given = await door.content(
        "POST", f"{path}/apply", status=201, json={"subjects": subjects, "expires_at": later(2)}
    )
    assert len(given) == 4
    assert (await door.content("GET", GRANTS, params={"template_id": 1}))["total"] == 4
    clerk = person("permissions:read", "permissions:write")
    refused = await door.request("POST", f"{path}/apply", by=clerk, json={"subjects": subjects})
    assert error_of(refused, 403) == "exceeds_own_rights"

    twin = await door.request("POST", TEMPLATES, json={"name": "on CALL", "parts": parts})
    assert error_of(twin, 409) == "template_name_taken"
    changed = await door.content("PATCH", path, json={"parts": parts[1:]})
    assert isinstance(changed["parts"], list)
    assert len(changed["parts"]) == 1
    await door.content("DELETE", path)
    assert error_of(await door.request("GET", path), 404) == "template_not_found"
    assert len((await access_of(door, ann)).rows) == 2
