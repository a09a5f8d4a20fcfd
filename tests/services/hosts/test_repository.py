"""Lists of hosts: pages, orders, filters, and one form for list and detail."""

from datetime import timedelta

import msgspec
import pytest

from libs.kit import clock
from libs.kit.auth import Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Database, Transaction
from libs.kit.seal import Seal
from services.hosts.agents.domain import Presence, Sighting
from services.hosts.agents.service import Agents, PresenceIntake
from services.hosts.enrolment.service import Enrolment
from services.hosts.groups.repository import GroupRepository
from services.hosts.groups.schemas import GroupCreate
from services.hosts.groups.service import Groups
from services.hosts.models import GroupMember
from services.hosts.repository import Totals
from services.hosts.schemas import HostOut, HostPatch, HostQuery
from services.hosts.service import Hosts
from tests.services.hosts.conftest import enrol, make_host
from tests.support.access import Given, accesses_as
from tests.support.doors import ADMIN

EXECUTION = Principal.of_service("execution")


def patch(**fields: object) -> HostPatch:
    return HostPatch.model_validate(fields)


async def names(hosts: Hosts, **query: object) -> list[str]:
    page = await hosts.page(HostQuery.model_validate(query), ADMIN)
    return [row.name for row in page.rows]


async def test_hosts_are_listed_page_by_page(hosts: Hosts) -> None:
    for number in range(1, 8):
        await make_host(hosts, number)

    page = await hosts.page(HostQuery(page=2, page_size=3), ADMIN)
    beyond = await hosts.page(HostQuery(page=1_000_000, page_size=200), ADMIN)

    assert page.total == 7
    assert [row.name for row in page.rows] == ["host-4", "host-5", "host-6"]
    assert (beyond.total, beyond.rows) == (7, [])


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("id", ["b", "A", "c"]),
        ("-id", ["c", "A", "b"]),
        ("name", ["A", "b", "c"]),
        ("-name", ["c", "b", "A"]),
        ("-ip_address", ["c", "A", "b"]),
        ("created_at", ["b", "A", "c"]),
    ],
)
async def test_hosts_are_listed_in_the_order_asked(
    hosts: Hosts, sort: str, expected: list[str]
) -> None:
    for number, name in enumerate(("b", "A", "c"), start=1):
        await make_host(hosts, number, name=name)

    assert await names(hosts, sort=sort) == expected
    assert await names(hosts, sort=sort, search="10.0.0") == expected


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("WEB", ["web"]),
        ("10.0.0.1", ["web", "50%"]),
        ("%", ["50%"]),
        ("_", ["a_b"]),
        ("\\", ["c\\d"]),
        ("' OR 1=1 --", []),
        ("\u00c9", ["\u00e9t\u00e9"]),
    ],
)
async def test_a_search_is_taken_literally(hosts: Hosts, search: str, found: list[str]) -> None:
    for number, name in enumerate(("web", "a_b", "c\\d", "\u00e9t\u00e9"), start=1):
        await make_host(hosts, number, name=name)
    await make_host(hosts, 10, name="50%")

    assert await names(hosts, search=search) == found


async def test_a_host_in_several_groups_is_one_row(
    hosts: Hosts, groups: Groups, db: Database
) -> None:
    """B057: the same host by several paths is still one host."""
    for name in ("b", "a"):
        await groups.create(GroupCreate(name=name))
    host = await make_host(hosts, group="b")
    await put_into(db, host.id, "a")
    await make_host(hosts, 2)

    page = await hosts.page(HostQuery(), ADMIN)

    assert [row.groups for row in page.rows] == [
        [{"id": 2, "name": "a"}, {"id": 1, "name": "b"}],
        [],
    ]
    assert (await hosts.one(host.id, ADMIN)).groups == page.rows[0].groups


async def put_into(db: Database, host_id: int, group: str) -> None:
    def write(tx: Transaction) -> None:
        found = GroupRepository(tx).by_name(group)
        assert found is not None
        tx.add(GroupMember(host_id=host_id, group_id=found.id))

    await db.write(write)


async def test_a_group_includes_the_groups_below_it(hosts: Hosts, groups: Groups) -> None:
    top = await groups.create(GroupCreate(name="top"))
    below = await groups.create(GroupCreate(name="below", parent_id=top.group.id))
    await make_host(hosts, 1, group="below")
    await make_host(hosts, 2, group="top")
    await make_host(hosts, 3)

    assert await names(hosts, group_id=top.group.id) == ["host-1", "host-2"]
    assert await names(hosts, group_id=below.group.id) == ["host-1"]
    assert await names(hosts, group_id=4711) == []


async def test_hosts_are_found_by_the_state_of_their_agent(
    hosts: Hosts, enrolment: Enrolment, agents: Agents, intake: PresenceIntake
) -> None:
    """What SQL filters by and what each row says are the same for every state."""
    for number in range(1, 5):
        await make_host(hosts, number)
    answers = [await enrol(enrolment, host_id) for host_id in (2, 3, 4)]
    await agents.disable(answers[2].agent_id)
    await intake.note(seen(answers[1].agent_id))

    page = await hosts.page(HostQuery(), ADMIN)

    assert [row.agent_status for row in page.rows] == ["none", "offline", "online", "disabled"]
    for row in page.rows:
        found = await hosts.page(HostQuery(agent_status=row.agent_status), ADMIN)
        assert (found.total, [one.id for one in found.rows]) == (1, [row.id])


def seen(agent_id: str) -> Presence:
    at = clock.now()
    return Presence([Sighting(agent_id, at, "gateway-1", "session-1", '{"cpu_percent": 1.5}')], [])


async def test_lists_and_details_are_what_the_documentation_says(
    hosts: Hosts, groups: Groups, enrolment: Enrolment, intake: PresenceIntake
) -> None:
    """HostRow is encoded past pydantic; the documented HostOut must read it without a change."""
    await groups.create(GroupCreate(name="web"))
    host = await make_host(hosts, group="web", tags=["\u00e9", '"'], description="a\nb")
    answer = await enrol(enrolment, host.id)
    await intake.note(seen(answer.agent_id))

    encoded = msgspec.json.encode(await hosts.one(host.id, ADMIN))

    document = msgspec.json.decode(encoded)
    shown = HostOut.model_validate_json(encoded)
    assert set(document) == set(HostOut.model_fields)
    assert shown.metrics == {"cpu_percent": 1.5}
    assert shown.last_seen_at is not None
    assert shown.last_seen_at.tzinfo is not None
    assert abs(shown.created_at - clock.now()) < timedelta(minutes=1)
    assert shown.tags == ["\u00e9", '"']


async def test_totals_are_right_after_every_change_of_this_process(
    hosts: Hosts, groups: Groups, enrolment: Enrolment
) -> None:
    async def total(**query: object) -> int:
        return (await hosts.page(HostQuery.model_validate(query), ADMIN)).total

    assert await total() == 0
    host = await make_host(hosts, 1)
    assert await total() == 1
    assert await total(search="host-1") == 1
    await hosts.change(host.id, patch(name="other"), ADMIN)
    assert await total(search="host-1") == 0
    await enrol(enrolment)
    assert await total() == 2
    await hosts.retire(host.id, ADMIN)
    assert await total() == 1


async def test_totals_of_changes_elsewhere_show_after_a_moment(
    hosts: Hosts, db: Database, seal: Seal, time: StandingClock
) -> None:
    other_process = Hosts(db, seal=seal, totals=Totals(60), accesses=accesses_as(Given()))
    assert (await hosts.page(HostQuery(), ADMIN)).total == 0
    await make_host(other_process)

    before = await hosts.page(HostQuery(), ADMIN)
    time.advance(timedelta(seconds=40))
    await hosts.page(HostQuery(), ADMIN)  # however often somebody looks
    time.advance(timedelta(seconds=21))
    after = await hosts.page(HostQuery(), ADMIN)

    assert [row.name for row in before.rows] == ["host-1"]
    assert (before.total, after.total) == (0, 1)
