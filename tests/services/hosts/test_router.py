"""The public routes of hosts: who may, what is answered, and that lists keep their form."""

import pytest
from fastapi.routing import APIRoute

from libs.contracts.hosts import EnrolAnswer
from services.hosts.enrolment.service import Enrolment
from services.hosts.service import Hosts
from tests.services.hosts.conftest import AGENT_PORT, enrol, make_host
from tests.support.doors import NOBODY, Door, error_of, person

EVERYTHING = {"hosts:read", "hosts:write", "agents:read", "agents:write"}

AGENT = "/api/agents/" + "0" * 32
BY_SIGHT = [
    *(("GET", "/api/hosts"), ("GET", "/api/hosts/{host_id}"), ("PATCH", "/api/hosts/{host_id}")),
    *(("DELETE", "/api/hosts/{host_id}"), ("GET", "/api/hosts/groups")),
    *((method, "/api/hosts/groups/{group_id}") for method in ("GET", "PATCH", "DELETE")),
    ("GET", "/api/agents/enrolment_tokens/gateway"),
]
"""Routes that everybody may call, who then sees and changes what roles and grants allow; the last
says the same to all."""

ROUTES = [
    ("POST", "/api/hosts", "hosts:write"),
    ("POST", "/api/hosts/groups", "hosts:write"),
    ("GET", "/api/agents", "agents:read"),
    ("GET", AGENT, "agents:read"),
    ("DELETE", AGENT, "agents:write"),
    ("POST", f"{AGENT}/disable", "agents:write"),
    ("POST", f"{AGENT}/enable", "agents:write"),
    ("POST", f"{AGENT}/quarantine", "agents:write"),
    ("POST", f"{AGENT}/release", "agents:write"),
    ("GET", "/api/agents/enrolment_tokens", "agents:read"),
    ("POST", "/api/agents/enrolment_tokens", "agents:write"),
    ("DELETE", "/api/agents/enrolment_tokens/1", "agents:write"),
]


@pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
async def test_each_route_needs_its_permission(
    door: Door, method: str, path: str, permission: str
) -> None:
    others = person(*EVERYTHING - {permission})
    body: dict[str, object] | None = None if method in {"GET", "DELETE"} else {}

    nobody = await door.request(method, path, by=None, json=body)
    assert error_of(nobody, 401) == "unauthenticated"
    for stranger in (NOBODY, others):
        refused = await door.request(method, path, by=stranger, json=body)
        assert error_of(refused, 403) == "forbidden"
    allowed = await door.request(method, path, by=person(permission), json=body)
    assert allowed.status_code in {200, 201, 404, 422}


async def test_every_public_route_is_in_the_table_above(door: Door) -> None:
    stated = {
        (method, route.path)
        for route in door.app.routes
        if isinstance(route, APIRoute) and route.path.startswith("/api/")
        for method in route.methods or ()
    }

    assert set(BY_SIGHT) <= stated
    assert len(stated) == len(ROUTES) + len(BY_SIGHT)


@pytest.mark.parametrize(
    "path",
    [
        "hosts/resolve",
        "agents/enrol",
        "agents/identity",
        "agents/identities",
        "agents/enrolment-tokens",
    ],
)
async def test_internal_routes_refuse_people(door: Door, path: str) -> None:
    answer = await door.request("POST", f"/internal/{path}", json={})
    nobody = await door.request("POST", f"/internal/{path}", by=None, json={})

    assert error_of(answer, 403) == "forbidden"
    assert error_of(nobody, 401) == "unauthenticated"


async def test_the_published_example_of_a_host_works(door: Door) -> None:
    await door.content("POST", "/api/hosts/groups", json={"name": "web"}, status=201)
    spec = {
        "name": "web-1",
        "ip_address": "192.0.2.10",
        "port": 22,
        "username": "root",
        "password": "secret",
        "group": "web",
    }

    made = await door.content("POST", "/api/hosts", json=spec, status=201)

    assert made["groups"] == [{"id": 1, "name": "web"}]
    assert made["has_password"] is True
    assert "secret" not in str(made)
    assert made["agent_status"] == "none"
    assert made["metrics"] is None


async def test_lists_and_details_show_the_same(door: Door) -> None:
    hosts = door.use_cases(Hosts)
    for number in range(1, 4):
        await make_host(hosts, number, tags=["a"])
    await enrol(door.use_cases(Enrolment), 2)

    page = await door.content("GET", "/api/hosts", params={"page_size": 2})
    first, second = await door.rows("GET", "/api/hosts", params={"page_size": 2})

    assert (page["total"], page["page"], page["page_size"]) == (3, 1, 2)
    assert first == await door.content("GET", "/api/hosts/1")
    assert second == await door.content("GET", "/api/hosts/2")
    assert second["agent_status"] == "offline"


async def test_hosts_are_changed_and_retired(door: Door) -> None:
    made = await make_host(door.use_cases(Hosts))
    path = f"/api/hosts/{made.id}"

    changed = await door.content("PATCH", path, json={"description": "x", "group": None})
    await door.content("DELETE", path)

    assert changed["description"] == "x"
    for method in ("GET", "DELETE"):
        assert error_of(await door.request(method, path), 404) == "host_not_found"


@pytest.fixture
async def agent(door: Door) -> EnrolAnswer:
    return await enrol(door.use_cases(Enrolment))


async def test_agents_are_shown_disabled_enabled_and_retired(
    door: Door, agent: EnrolAnswer
) -> None:
    path = f"/api/agents/{agent.agent_id}"

    (row,) = await door.rows("GET", "/api/agents")
    detail = await door.content("GET", path)
    disabled = await door.content("POST", f"{path}/disable")
    enabled = await door.content("POST", f"{path}/enable")
    await door.content("DELETE", path)

    assert row == {name: detail[name] for name in row}
    assert row["host_name"] == "web"
    assert (disabled["status"], enabled["status"]) == ("disabled", "offline")
    assert error_of(await door.request("GET", path), 404) == "agent_not_found"
    enable = await door.request("POST", f"{path}/enable")
    assert error_of(enable, 409) == "agent_retired"


async def test_a_token_is_shown_once(door: Door) -> None:
    tokens = "/api/agents/enrolment_tokens"

    issued = await door.content("POST", tokens, json={}, status=201)
    (listed,) = await door.rows("GET", tokens)
    await door.content("DELETE", f"{tokens}/{issued['id']}")
    again = await door.request("DELETE", f"{tokens}/{issued['id']}")

    assert len(str(issued["token"])) >= 43
    assert str(issued["token"]) not in str(listed)
    assert listed["state"] == "open"
    assert error_of(again, 409) == "enrolment_token_spent"


async def test_everybody_learns_where_agents_connect_and_nobody_else(door: Door) -> None:
    path = "/api/agents/enrolment_tokens/gateway"

    told = await door.request("GET", path, by=NOBODY)
    nobody = await door.request("GET", path, by=None)

    assert told.json()["content"] == {"url": None, "port": AGENT_PORT}
    assert error_of(nobody, 401) == "unauthenticated"


async def test_messages_speak_the_language_of_the_reader(door: Door) -> None:
    answer = await door.request("GET", "/api/hosts/4711", headers={"accept-language": "zh-CN"})

    assert error_of(answer, 404) == "host_not_found"
    assert answer.json()["message"] == "没有这台主机。"


async def test_the_documentation_names_every_field_of_a_host(door: Door) -> None:
    document = door.app.openapi()

    content = document["paths"]["/api/hosts"]["get"]["responses"]["200"]["content"]
    page = content["application/json"]["schema"]["properties"]["content"]["$ref"]
    assert "HostOut" in page
    host = document["components"]["schemas"]["HostOut"]["properties"]
    assert {"id", "name", "ip_address", "agent_status", "metrics"} <= set(host)
    assert not [path for path in document["paths"] if path.startswith("/internal")]
