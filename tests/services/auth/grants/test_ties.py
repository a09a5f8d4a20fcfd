"""What somebody gave on under an own grant ends with it; what an administrator gave stands."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from libs.kit.db.tables import outbox
from libs.kit.service import Service
from services.auth.app import service
from tests.support.access import TreeOfHosts
from tests.support.doors import ADMIN, Door, opened, person

GRANTS = "/api/permissions/grants"
WINDOW = {"days": [1, 2, 3, 4, 5, 6, 7], "start": "00:00", "until": "24:00"}


@pytest.fixture
async def door(database_url: Callable[[Service], str], tmp_path: Path) -> AsyncIterator[Door]:
    tree = TreeOfHosts()
    tree.hosts = {5: [1], 6: [1]}
    async with opened(
        service, database_url(service), tmp_path, neighbours={"hosts": tree}
    ) as running:
        await user(running, "root")
        yield running


async def user(door: Door, name: str) -> Principal:
    body = {"username": name, "password": "correct horse battery"}
    made = await door.content("POST", "/api/auth/users", status=201, json=body)
    assert isinstance(made["id"], int)
    return person(user_id=made["id"])


async def give(door: Door, to: int, by: Principal = ADMIN, **more: object) -> dict[str, object]:
    body: dict[str, object] = {
        "subject_type": "user",
        "subject_id": to,
        "actions": ["execute", "grant"],
        "object_type": "host",
        "object_ids": [5, 6],
        "what": ["adhoc"],
        "accounts": ["app"],
    }
    return await door.content("POST", GRANTS, status=201, by=by, json=body | more)


async def told(door: Door) -> list[dict[str, object]]:
    """What the audit log is told, in order."""
    database: Database = door.app.state.database
    query = select(outbox.c.body).where(outbox.c.topic == "audit").order_by(outbox.c.id)
    return [json.loads(body) for body in await database.read(lambda tx: list(tx.scalars(query)))]


async def shown(door: Door, grant: dict[str, object]) -> dict[str, object]:
    return await door.content("GET", f"{GRANTS}/{grant['id']}")


async def chain(door: Door) -> tuple[list[Principal], list[dict[str, object]]]:
    """An administrator gives to ann, ann to bob, bob to eve."""
    people = [await user(door, name) for name in ("ann", "bob", "eve")]
    grants = [await give(door, people[0].id)]
    grants.append(await give(door, people[1].id, people[0], object_ids=[5]))
    grants.append(await give(door, people[2].id, people[1], object_ids=[5], actions=["execute"]))
    return people, grants


async def test_what_was_given_on_ends_with_the_grant_and_says_so_before(door: Door) -> None:
    _, grants = await chain(door)
    ids = [grant["id"] for grant in grants]

    before = [await shown(door, grant) for grant in grants]
    await door.content("DELETE", f"{GRANTS}/{ids[0]}")
    after = [await shown(door, grant) for grant in grants]

    assert [one["ends_with_it"] for one in before] == [2, 1, 0]
    assert [one["rests_on"] for one in before] == [[], [ids[0]], [ids[1]]]
    assert [one["state"] for one in after] == ["revoked"] * 3
    assert [one["ended_with"] for one in after] == [None, ids[0], ids[1]]
    assert [one["ends_with_it"] for one in after] == [0, 0, 0]


async def test_what_an_administrator_gave_stands_on_its_own(door: Door) -> None:
    ann, bob = await user(door, "ann"), await user(door, "bob")
    held = await give(door, ann.id)
    writer = person("permissions:write", "executions:run", "hosts:read", user_id=ann.id)
    given = await give(door, bob.id, writer, actions=["execute"])

    await door.content("DELETE", f"{GRANTS}/{held['id']}")

    assert given["rests_on"] == []
    assert (await shown(door, given))["state"] == "live"


async def test_a_shorter_end_cuts_what_rests_on_it_and_other_hours_end_it(
    door: Door, time: StandingClock
) -> None:
    _, (first, second, third) = await chain(door)
    end = (time.now() + timedelta(hours=1)).isoformat().replace("+00:00", "Z")

    await door.content("PATCH", f"{GRANTS}/{first['id']}", json={"expires_at": end})
    cut = [await shown(door, grant) for grant in (second, third)]
    await door.content("PATCH", f"{GRANTS}/{second['id']}", json={"windows": [WINDOW]})
    ended = await shown(door, third)

    assert len({one["expires_at"] for one in [await shown(door, first), *cut]}) == 1
    assert [one["state"] for one in cut] == ["live", "live"]
    assert (ended["state"], ended["ended_with"]) == ("revoked", second["id"])
    assert (await shown(door, second))["state"] == "live"


async def test_a_grant_that_an_administrator_makes_longer_leaves_its_tie(
    door: Door, time: StandingClock
) -> None:
    ann, bob = await user(door, "ann"), await user(door, "bob")
    end = time.now() + timedelta(hours=1)
    held = await give(door, ann.id, expires_at=end.isoformat())
    given = await give(door, bob.id, ann, expires_at=end.isoformat())
    path = f"{GRANTS}/{given['id']}"

    shorter = {"expires_at": (end - timedelta(minutes=1)).isoformat()}
    tied = await door.content("PATCH", path, json=shorter)
    longer = {"expires_at": (end + timedelta(hours=1)).isoformat()}
    free = await door.content("PATCH", path, json=longer)
    await door.content("DELETE", f"{GRANTS}/{held['id']}")

    assert (tied["rests_on"], free["rests_on"]) == ([held["id"]], [])
    assert (await shown(door, given))["state"] == "live"


async def test_who_leaves_the_group_takes_along_what_was_given_on_under_its_grants(
    door: Door,
) -> None:
    ann, bob, eve = [await user(door, name) for name in ("ann", "bob", "eve")]
    group = await door.content("POST", "/api/auth/groups", status=201, json={"name": "night"})
    members = f"/api/auth/groups/{group['id']}/members"
    await door.content("POST", members, json={"user_ids": [ann.id, bob.id]})
    held = await give(door, 0, subject_type="group", subject_id=group["id"])
    of_ann = await give(door, eve.id, ann, object_ids=[5])
    of_bob = await give(door, eve.id, bob, object_ids=[6])

    await door.content("DELETE", f"{members}/{ann.id}")
    left = [(await shown(door, one))["state"] for one in (of_ann, of_bob)]
    await door.content("DELETE", f"/api/auth/groups/{group['id']}")

    assert left == ["revoked", "live"]
    assert (await shown(door, of_ann))["ended_with"] == held["id"]
    assert (await shown(door, of_bob))["state"] == (await shown(door, held))["state"] == "revoked"


async def test_the_grants_of_who_is_deleted_end_with_what_they_gave(door: Door) -> None:
    (ann, *_), grants = await chain(door)

    await door.content("DELETE", f"/api/auth/users/{ann.id}")

    assert [(await shown(door, one))["state"] for one in grants] == ["revoked"] * 3
    records = [one for one in await told(door) if one["action"] == "grant.revoke"]
    assert [one["object_name"] for one in records] == ["user ann", "user bob", "user eve"]
    assert [one["detail"] for one in records] == [
        "",
        f"Ended with grant {grants[0]['id']}.",
        f"Ended with grant {grants[1]['id']}.",
    ]


async def test_an_explanation_says_on_what_a_grant_rests(door: Door) -> None:
    (_, bob, _), grants = await chain(door)
    asked = {"action": "execute", "object_type": "host", "object_id": 5, "account": "app"}

    told = await door.content("POST", "/api/permissions/explain", by=bob, json=asked)

    assert f"given by ann under grant {grants[0]['id']} and ends with it" in str(told["text"])
