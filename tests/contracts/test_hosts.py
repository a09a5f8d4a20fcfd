"""HostsClient against the real hosts service."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.hosts import AgentState, EnrolRequest, HostsClient
from libs.kit.auth import Principal
from libs.kit.errors import Invalid, NotFound, Unauthenticated
from services.hosts.agents.service import Agents
from services.hosts.groups.schemas import GroupCreate
from services.hosts.groups.service import Groups
from services.hosts.schemas import HostPatch
from services.hosts.service import Hosts
from tests.support.doors import ADMIN, Door, person
from tests.support.identities import enrol_many, enrol_request

READER = person("hosts:read")


async def test_an_agent_enrols_and_its_host_is_a_target(hosts: HostsClient) -> None:
    issued = await hosts.issue_enrolment_token(None, 60)
    request = enrol_request(issued.token, Ed25519PrivateKey.generate(), hostname="web")

    answer = await hosts.enrol(request)

    (target,) = await hosts.resolve_targets([answer.host_id], READER)
    identity = await hosts.agent_identity(answer.agent_id)
    assert (target.name, target.agent_id) == ("web", answer.agent_id)
    assert (target.public_key, target.agent_status) == (request.public_key, "offline")
    assert identity is not None
    assert (identity.public_key, identity.identity_epoch) == (request.public_key, 1)
    assert identity.status is AgentState.ACTIVE


async def test_a_spent_token_is_refused_by_name(hosts: HostsClient) -> None:
    issued = await hosts.issue_enrolment_token(None, 60)
    request = enrol_request(issued.token, Ed25519PrivateKey.generate())
    await hosts.enrol(request)

    with pytest.raises(Unauthenticated) as caught:
        await hosts.enrol(request)
    assert caught.value.code == "enrolment_refused"


async def test_missing_hosts_are_named(hosts: HostsClient) -> None:
    await enrol_many(hosts, 2)

    with pytest.raises(NotFound) as caught:
        await hosts.resolve_targets([1, 99, 2, 98], READER)
    assert caught.value.code == "host_not_found"
    assert caught.value.details["missing"] == [99, 98]


async def test_targets_keep_their_order(hosts: HostsClient) -> None:
    await enrol_many(hosts, 3)

    targets = await hosts.resolve_targets([3, 1, 3, 2], READER)

    assert [target.host_id for target in targets] == [3, 1, 2]


async def test_groups_become_the_hosts_in_them_and_below(
    hosts: HostsClient, hosts_door: Door
) -> None:
    await enrol_many(hosts, 4)
    groups, inventory = hosts_door.use_cases(Groups), hosts_door.use_cases(Hosts)
    top = (await groups.create(GroupCreate(name="europe"))).group.id
    below = (await groups.create(GroupCreate(name="france", parent_id=top))).group.id
    empty = (await groups.create(GroupCreate(name="nobody"))).group.id
    for host_id, group in ((4, top), (2, below)):
        await inventory.change(host_id, HostPatch(group=group), ADMIN)

    both = await hosts.resolve_groups([below, top], READER)

    assert [target.host_id for target in both] == [2, 4]
    assert [target.host_id for target in await hosts.resolve_groups([below], READER)] == [2]
    assert await hosts.resolve_groups([empty], READER) == []
    with pytest.raises(NotFound) as caught:
        await hosts.resolve_groups([top, 4711], READER)
    assert (caught.value.code, caught.value.details["missing"]) == ("group_not_found", [4711])
    with pytest.raises(NotFound):
        await hosts.resolve_groups([top], person("executions:run"))
    with pytest.raises(Invalid):
        await hosts.resolve_groups([], READER)


async def test_an_empty_or_endless_set_is_refused(hosts: HostsClient) -> None:
    with pytest.raises(Invalid) as empty:
        await hosts.resolve_targets([], READER)
    with pytest.raises(Invalid):
        await hosts.resolve_targets([1] * 20_001, READER)
    assert empty.value.code == "no_targets"


async def test_the_person_behind_the_call_counts(hosts: HostsClient) -> None:
    await enrol_many(hosts, 1)

    with pytest.raises(NotFound) as caught:
        await hosts.resolve_targets([1], person("executions:run"))
    assert caught.value.details["missing"] == [1]
    await hosts.resolve_targets([1], Principal.of_service("execution"))


async def test_identities_come_alone_and_together(hosts: HostsClient, hosts_door: Door) -> None:
    made = await enrol_many(hosts, 3)
    ids = [one.agent_id for one in made]
    await hosts_door.use_cases(Agents).disable(ids[0])

    found = await hosts.agent_identities([*ids, "unknown"])

    assert set(found) == set(ids)
    assert found[ids[0]].status is AgentState.DISABLED
    assert found[ids[1]] == await hosts.agent_identity(ids[1])
    assert await hosts.agent_identity("unknown") is None


async def test_tokens_for_unknown_hosts_or_for_ever_are_refused(hosts: HostsClient) -> None:
    with pytest.raises(NotFound):
        await hosts.issue_enrolment_token(4711, 60)
    for seconds in (0, -1, 3601):
        with pytest.raises(Invalid):
            await hosts.issue_enrolment_token(None, seconds)


@pytest.mark.parametrize(
    "change",
    [
        {"hostname": "a\nb"},
        {"hostname": "x" * 256},
        {"machine_id": "a\0b"},
        {"boot_id": "\x9b"},
        {"token": ""},
        {"token": "x" * 257},
        {"public_key": "not base64!"},
        {"signature": "x" * 200},
        {"os_type": 5},
        {"extra": "field"},
    ],
    ids=lambda change: "B043-" + next(iter(change)),
)
def test_what_an_agent_may_say_is_bounded(change: dict[str, object]) -> None:
    good = enrol_request("token", Ed25519PrivateKey.generate()).model_dump()

    with pytest.raises(ValueError, match="validation error"):
        EnrolRequest.model_validate({**good, **change})
