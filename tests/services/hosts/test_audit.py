"""What hosts accounts for: who changed the inventory, its groups, its agents and their tokens."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.contracts.audit import Audited
from libs.contracts.hosts import HostsClient
from libs.kit.acting import acting_as
from libs.kit.db import Database
from libs.kit.errors import Unauthenticated
from services.hosts.enrolment.service import Enrolment
from services.hosts.service import Hosts
from tests.services.hosts.conftest import enrol, make_host
from tests.support.accounting import accounts
from tests.support.doors import ADMIN, Door, error_of, person
from tests.support.identities import enrol_request
from tests.support.waiting import eventually

ANN = person("hosts:read", "hosts:write", "agents:write", user_id=5)
FROM = {"x-forwarded-for": "192.0.2.44", "user-agent": "curl/8", "x-request-id": "request-0007"}


def state(text: str | None) -> dict[str, object]:
    assert text is not None
    found: dict[str, object] = json.loads(text)
    return found


async def told(door: Door, *actions: str) -> list[Audited]:
    return await accounts(door.app.state.database, *actions)


async def made(door: Door, path: str, **body: object) -> int:
    answer = await door.request("POST", path, by=ANN, json=body, headers=FROM)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["content"]["id"])


async def test_a_host_from_its_registration_to_its_end(door: Door) -> None:
    web = {"name": "web", "ip_address": "10.0.0.9", "username": "root", "password": "canary-1"}
    host_id = await made(door, "/api/hosts", **web)
    patch = {"port": 2222, "tags": ["blue"], "password": "canary-2"}
    await door.request("PATCH", f"/api/hosts/{host_id}", by=ANN, json=patch, headers=FROM)
    await door.request("DELETE", f"/api/hosts/{host_id}", by=ANN, headers=FROM)

    created, updated, deleted = await told(door)

    assert [one.action for one in (created, updated, deleted)] == [
        *("host.create", "host.update", "host.delete")
    ]
    for one in (created, updated, deleted):
        assert (one.actor_id, one.actor_name, one.actor_kind) == (5, "user-5", "user")
        assert (one.address, one.user_agent) == ("192.0.2.44", "curl/8")
        assert one.request_id == "request-0007"
        assert (one.object_type, one.object_id, one.object_name) == ("host", str(host_id), "web")
        assert "canary" not in one.model_dump_json()
    assert created.before is None
    assert state(created.after)["has_password"] is True
    assert (state(updated.before)["port"], state(updated.after)["port"]) == (22, 2222)
    assert state(updated.after)["tags"] == ["blue"]
    assert state(updated.after)["password_changed"] is True
    assert state(deleted.before)["name"] == "web"
    assert deleted.after is None


async def test_what_fails_is_not_recorded_as_done(door: Door) -> None:
    await made(door, "/api/hosts", name="web", ip_address="10.0.0.9")
    again = {"name": "web", "ip_address": "10.0.0.10"}
    answer = await door.request("POST", "/api/hosts", by=ANN, json=again)

    assert error_of(answer, 409) == "host_name_taken"
    assert len(await told(door, "host.create")) == 1


async def test_a_group_from_its_making_to_its_end(door: Door) -> None:
    group_id = await made(door, "/api/hosts/groups", name="web")
    path = f"/api/hosts/groups/{group_id}"
    await door.request("PATCH", path, by=ANN, json={"name": "shops"})
    await door.request("DELETE", path, by=ANN)

    created, updated, deleted = await told(door)

    assert (created.action, created.object_name) == ("host_group.create", "web")
    assert (state(updated.before)["name"], state(updated.after)["name"]) == ("web", "shops")
    assert (deleted.action, deleted.object_name) == ("host_group.delete", "shops")


async def test_tokens_and_agents(door: Door) -> None:
    host_id = await made(door, "/api/hosts", name="web", ip_address="10.0.0.9")
    issued = {"host_id": host_id, "ttl_seconds": 600}
    token_id = await made(door, "/api/agents/enrolment_tokens", **issued)
    await door.request("DELETE", f"/api/agents/enrolment_tokens/{token_id}", by=ANN)
    agent = await enrol(door.use_cases(Enrolment), host_id)
    for verb in ("disable", "enable"):
        await door.request("POST", f"/api/agents/{agent.agent_id}/{verb}", by=ANN)
    await door.request("DELETE", f"/api/agents/{agent.agent_id}", by=ANN)

    found = await told(door)

    assert [one.action for one in found] == [
        *("host.create", "enrolment_token.issue", "enrolment_token.revoke"),
        *("enrolment_token.issue", "agent.enrol", "agent.disable", "agent.enable", "agent.retire"),
    ]
    by_action = {one.action: one for one in found}
    assert by_action["agent.enrol"].object_name == "web"
    assert state(by_action["agent.enrol"].after)["host_id"] == host_id
    assert state(by_action["agent.enable"].before)["status"] == "disabled"
    assert by_action["agent.retire"].actor_name == "user-5"


async def test_a_host_that_is_retired_takes_its_agent_along_in_the_records(
    hosts: Hosts, enrolment: Enrolment, db: Database
) -> None:
    host = await make_host(hosts)
    await enrol(enrolment, host.id)
    await hosts.retire(host.id, ADMIN)

    assert [one.action for one in await accounts(db)][-2:] == ["host.delete", "agent.retire"]


async def test_a_refused_enrolment_is_recorded_with_the_address_of_the_machine(door: Door) -> None:
    gateway = HostsClient(door.runtime.http, door.runtime.internal_tokens, "gateway-agents")
    request = enrol_request("nobody-knows-this", Ed25519PrivateKey.generate())
    with acting_as(0, "agent", "agent", address="192.0.2.66"), pytest.raises(Unauthenticated):
        await gateway.enrol(request)

    [found] = await eventually(lambda: told(door, "agent.enrol"))

    assert (found.outcome, found.address) == ("denied", "192.0.2.66")
    assert (found.actor_name, found.actor_kind) == ("gateway-agents", "service")


@pytest.mark.parametrize("path", ["/api/agents", "/api/agents/enrolment_tokens"])
async def test_who_may_not_look_is_recorded(door: Door, path: str) -> None:
    await door.request("GET", path, by=person(user_id=8), headers=FROM)

    [found] = await eventually(lambda: told(door, "access.denied"))

    assert (found.actor_id, found.address, found.outcome) == (8, "192.0.2.44", "denied")
    assert found.detail == f"forbidden: GET {path}"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_hidden_host_is_missing_to_the_caller_and_a_denial_to_the_log(
    door: Door, method: str
) -> None:
    host_id = await made(door, "/api/hosts", name="web", ip_address="10.0.0.9")
    body = {"port": 99} if method == "PATCH" else None
    stranger = person(user_id=9)
    hidden = await door.request(method, f"/api/hosts/{host_id}", by=stranger, json=body)
    missing = await door.request(method, "/api/hosts/987654", by=stranger, json=body)

    [found] = await eventually(lambda: told(door, "access.denied"))

    assert error_of(hidden, 404) == error_of(missing, 404) == "host_not_found"
    assert (found.object_type, found.object_id, found.actor_id) == ("host", str(host_id), 9)
    assert found.detail == f"host_not_found: {method} /api/hosts/{host_id}"
