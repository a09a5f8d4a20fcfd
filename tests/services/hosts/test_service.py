"""Hosts: unique names and places, sealed passwords, and targets for execution."""

import asyncio

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from libs.contracts.hosts import AgentPresence, HostTarget
from libs.kit.auth import Principal
from libs.kit.db import Database
from libs.kit.seal import Seal
from services.hosts.agents.service import Agents
from services.hosts.enrolment.service import Enrolment
from services.hosts.errors import (
    EnrolmentRefused,
    GroupNotFound,
    HostAddressTaken,
    HostNameTaken,
    HostNotFound,
    NoHostsNamed,
)
from services.hosts.groups.schemas import GroupCreate
from services.hosts.groups.service import Groups
from services.hosts.models import Host
from services.hosts.schemas import HostPatch, HostQuery, HostRow
from services.hosts.service import Hosts, password_place
from tests.services.hosts.conftest import enrol, facts, make_host
from tests.support.doors import ADMIN, person
from tests.support.identities import enrol_request

EXECUTION = Principal.of_service("execution")


def patch(**fields: object) -> HostPatch:
    return HostPatch.model_validate(fields)


async def names(hosts: Hosts, **query: object) -> list[str]:
    page = await hosts.page(HostQuery.model_validate(query), ADMIN)
    return [row.name for row in page.rows]


# ---- registering -------------------------------------------------------------------------------


async def test_a_registered_host_is_shown_and_told(hosts: Hosts, db: Database) -> None:
    row = await make_host(hosts, description="front", tags=["web", "eu", "web"])

    assert (row.name, row.ip_address, row.port) == ("host-1", "10.0.0.1", 22)
    assert bytes(row.tags) == b'["web","eu"]'
    assert row.agent_status is AgentPresence.NONE
    assert await facts(db) == ["host_registered"]


@pytest.mark.parametrize("twin", ["host-1", "HOST-1", " Host-1 "])
async def test_a_taken_name_is_refused(hosts: Hosts, db: Database, twin: str) -> None:
    await make_host(hosts, 1)

    with pytest.raises(HostNameTaken):
        await make_host(hosts, 2, name=twin)

    assert await names(hosts) == ["host-1"]
    assert await facts(db) == ["host_registered"]


async def test_of_equal_names_at_once_one_wins(hosts: Hosts) -> None:
    made = await asyncio.gather(
        *(make_host(hosts, n, name="web") for n in range(1, 9)), return_exceptions=True
    )

    assert sum(isinstance(one, HostRow) for one in made) == 1
    assert sum(isinstance(one, HostNameTaken) for one in made) == 7


async def test_two_spellings_of_one_place_are_one_place(hosts: Hosts) -> None:
    """B055."""
    await make_host(hosts, 1, ip_address="10.0.0.1")

    for number, spelling in enumerate(("10.0.0.1", "::ffff:10.0.0.1", "::FFFF:a00:1"), start=2):
        with pytest.raises(HostAddressTaken):
            await make_host(hosts, number, ip_address=spelling)
    await make_host(hosts, 5, ip_address="10.0.0.1", port=2222)


async def test_of_equal_places_at_once_one_wins(hosts: Hosts) -> None:
    made = await asyncio.gather(
        *(make_host(hosts, n, ip_address="10.0.0.1") for n in range(1, 9)), return_exceptions=True
    )

    assert sum(isinstance(one, HostRow) for one in made) == 1
    assert sum(isinstance(one, HostAddressTaken) for one in made) == 7


async def test_a_place_may_be_shared_on_purpose(hosts: Hosts) -> None:
    await make_host(hosts, 1, ip_address="10.0.0.1")

    await make_host(hosts, 2, ip_address="10.0.0.1", allow_shared_address=True)
    await make_host(hosts, 3, ip_address="127.0.0.1")
    await make_host(hosts, 4, ip_address="127.0.0.1")


async def test_an_unknown_group_stores_nothing(hosts: Hosts) -> None:
    with pytest.raises(GroupNotFound):
        await make_host(hosts, group="nowhere")

    assert await names(hosts) == []


async def test_a_password_is_sealed_for_its_host(hosts: Hosts, db: Database, seal: Seal) -> None:
    row = await make_host(hosts, username="root", password="hunter2!")

    sealed = await db.read(lambda tx: tx.scalar(select(Host.password_sealed)))

    assert row.has_password
    assert b"hunter2" not in msgspec.json.encode(row)
    assert sealed is not None
    assert "hunter2" not in sealed
    assert seal.open(sealed, place=password_place(row.id)) == "hunter2!"


# ---- changing ----------------------------------------------------------------------------------


async def test_only_what_is_given_changes(hosts: Hosts, groups: Groups) -> None:
    await groups.create(GroupCreate(name="web"))
    before = await make_host(hosts, username="root", password="secret", group="web", tags=["a"])

    after = await hosts.change(before.id, patch(description="new"), ADMIN)

    assert after.description == "new"
    assert after.updated_at != before.updated_at
    kept = ("name", "ip_address", "port", "username", "has_password", "tags", "groups")
    for field in kept:
        assert getattr(after, field) == getattr(before, field)


async def test_null_clears_account_password_and_group(hosts: Hosts, groups: Groups) -> None:
    await groups.create(GroupCreate(name="web"))
    host = await make_host(hosts, username="root", password="secret", group="WEB")

    after = await hosts.change(host.id, patch(username=None, password=None, group=None), ADMIN)

    assert (after.username, after.has_password, after.groups) == (None, False, [])


async def test_a_host_can_be_renamed_to_another_spelling_of_its_name(hosts: Hosts) -> None:
    host = await make_host(hosts)

    assert (await hosts.change(host.id, patch(name="HOST-1"), ADMIN)).name == "HOST-1"


async def test_a_change_respects_the_others(hosts: Hosts) -> None:
    await make_host(hosts, 1)
    second = await make_host(hosts, 2)

    with pytest.raises(HostNameTaken):
        await hosts.change(second.id, patch(name="Host-1"), ADMIN)
    with pytest.raises(HostAddressTaken):
        await hosts.change(second.id, patch(ip_address="10.0.0.1"), ADMIN)
    with pytest.raises(HostNotFound):
        await hosts.change(4711, patch(name="x"), ADMIN)
    assert (await hosts.one(second.id, ADMIN)).ip_address == "10.0.0.2"


async def test_a_shared_place_stays_shared_until_told_otherwise(hosts: Hosts) -> None:
    await make_host(hosts, 1)
    shared = await make_host(hosts, 2, ip_address="10.0.0.1", allow_shared_address=True)

    await hosts.change(shared.id, patch(port=2222), ADMIN)
    await hosts.change(shared.id, patch(port=22), ADMIN)

    with pytest.raises(HostAddressTaken):
        await hosts.change(shared.id, patch(allow_shared_address=False), ADMIN)


# ---- retiring ----------------------------------------------------------------------------------


async def test_retiring_a_host_ends_its_agent_and_its_tokens(
    hosts: Hosts, enrolment: Enrolment, agents: Agents, db: Database
) -> None:
    host = await make_host(hosts)
    answer = await enrol(enrolment, host.id)
    token = await enrolment.issue(host.id, ttl_seconds=600, by=ADMIN)

    await hosts.retire(host.id, ADMIN)

    identity = await agents.identity(answer.agent_id)
    assert identity is not None
    assert identity.status == "retired"
    assert identity.identity_epoch == answer.identity_epoch + 1
    with pytest.raises(HostNotFound):
        await hosts.one(host.id, ADMIN)
    with pytest.raises(EnrolmentRefused):
        await enrolment.enrol(enrol_request(token.token, Ed25519PrivateKey.generate()))
    assert (await facts(db))[-2:] == ["agent_retired", "host_retired"]


async def test_ids_are_never_used_again(hosts: Hosts) -> None:
    first = await make_host(hosts)
    await hosts.retire(first.id, ADMIN)

    assert (await make_host(hosts)).id > first.id


# ---- targets -----------------------------------------------------------------------------------


async def test_targets_come_in_the_order_asked_without_duplicates(
    hosts: Hosts, enrolment: Enrolment
) -> None:
    for number in (1, 2, 3):
        await make_host(hosts, number)
    answer = await enrol(enrolment, 2)

    targets = await hosts.targets([3, 2, 3, 1, 2], EXECUTION)

    assert [target.host_id for target in targets] == [3, 2, 1]
    assert targets[1].agent_id == answer.agent_id
    assert targets[1].public_key is not None
    assert targets[1].agent_status == "offline"
    assert targets[0] == HostTarget(
        host_id=3,
        name="host-3",
        ip_address="10.0.0.3",
        agent_id=None,
        agent_status="none",
        public_key=None,
        identity_epoch=0,
    )


async def test_targets_must_all_exist(hosts: Hosts) -> None:
    await make_host(hosts)

    with pytest.raises(HostNotFound) as caught:
        await hosts.targets([1, 9, 8], EXECUTION)
    assert caught.value.details == {"missing": [9, 8], "missing_total": 2}
    with pytest.raises(NoHostsNamed):
        await hosts.targets([], EXECUTION)


async def test_targets_are_for_those_who_may_see_hosts(hosts: Hosts) -> None:
    await make_host(hosts)

    with pytest.raises(HostNotFound):
        await hosts.targets([1], person("executions:run"))
    assert await hosts.targets([1], person("hosts:read"))
