"""One description of the whole API, as callers see it."""

import json
from pathlib import Path

import pytest

from gateway.api.openapi import merge
from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House, error_of
from tests.gateway.api.services import three_services


@pytest.fixture
def described(tmp_path: Path) -> House:
    """A gateway in front of three small real services."""
    return House(GatewaySettings(), upstreams=dict(three_services(tmp_path)))


async def test_all_public_paths_are_described_with_their_slash(described: House) -> None:
    document = (await described.client.get("/api/schema/")).json()

    assert list(document["paths"]) == [
        "/api/auth/login/",
        "/api/executor/execution-records/{execution_id}/",
        "/api/hosts/",
        "/api/hosts/broken/",
        "/api/realtime/sse/logs/{execution_id}/",
    ]
    assert document["servers"] == [{"url": "/"}]
    assert [tag["name"] for tag in document["tags"]] == ["auth", "execution", "hosts"]


async def test_operations_are_tagged_unique_and_say_what_they_need(described: House) -> None:
    document = (await described.client.get("/api/schema/")).json()
    operations = [one for item in document["paths"].values() for one in item.values()]

    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert {tag for operation in operations for tag in operation["tags"]} == set(
        described.witnesses
    )
    assert document["paths"]["/api/auth/login/"]["post"]["security"] == []
    assert "security" not in document["paths"]["/api/hosts/"]["get"]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "session"}


async def test_schemas_of_one_name_and_two_meanings_are_kept_apart(described: House) -> None:
    document = (await described.client.get("/api/schema/")).json()
    schemas = document["components"]["schemas"]

    assert set(schemas["Answer"]["properties"]) == {"name", "user_id"}
    assert set(schemas["ExecutionAnswer"]["properties"]) == {"execution_id", "lines"}
    record = document["paths"]["/api/executor/execution-records/{execution_id}/"]["get"]
    content = record["responses"]["200"]["content"]["application/json"]["schema"]
    assert content["properties"]["content"]["$ref"].endswith("/ExecutionAnswer")
    assert "Line" in schemas


async def test_every_reference_leads_somewhere(described: House) -> None:
    response = await described.client.get("/api/schema/")
    schemas = response.json()["components"]["schemas"]

    references = {part.split('"')[0] for part in response.text.split("#/components/schemas/")[1:]}
    assert references <= set(schemas)
    assert "Error" in references


async def test_the_description_has_an_entity_tag(described: House) -> None:
    first = await described.client.get("/api/schema/")
    again = await described.client.get(
        "/api/schema", headers={"if-none-match": first.headers["etag"]}
    )

    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_a_service_that_describes_nothing_is_not_left_out_silently(tmp_path: Path) -> None:
    services = dict(three_services(tmp_path))
    del services["hosts"]  # a witness takes its place, and witnesses describe nothing
    house = House(GatewaySettings(), upstreams=dict(services))

    response = await house.client.get("/api/schema/")

    assert response.status_code == 503
    assert error_of(response) == "service_unavailable"


async def test_the_documentation_needs_no_other_site_and_no_inline_script(described: House) -> None:
    response = await described.client.get("/api/docs/")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "http://" not in response.text
    assert "https://" not in response.text
    assert '<script src="/docs-assets/swagger-ui-bundle.js"></script>' in response.text
    assert "<script>" not in response.text


async def test_documentation_can_be_switched_off(tmp_path: Path) -> None:
    house = House(GatewaySettings(docs=False), upstreams=dict(three_services(tmp_path)))

    assert (await house.client.get("/api/docs/")).status_code == 404
    assert (await house.client.get("/api/schema/")).status_code == 404


def test_merging_leaves_the_parts_as_they_were() -> None:
    part: dict[str, object] = {"paths": {"/api/hosts": {"get": {"operationId": "a"}}}}

    merge({"hosts": part})

    assert part == {"paths": {"/api/hosts": {"get": {"operationId": "a"}}}}


def test_what_is_made_of_a_schema_with_two_meanings_has_two_meanings() -> None:
    def part(path: str, field: str) -> dict[str, object]:
        answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Page_Row_"}}}
        rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
        schemas = {
            "Row": {"type": "object", "properties": {field: {"type": "string"}}},
            "Page_Row_": {"type": "object", "properties": {"results": rows}},
        }
        paths = {path: {"get": {"responses": {"200": {"content": answer}}}}}
        return {"paths": paths, "components": {"schemas": schemas}}

    merged = merge({"auth": part("/api/auth/groups", "a"), "hosts": part("/api/hosts", "b")})

    text = json.dumps(merged["paths"]), json.dumps(merged["components"])
    assert "#/components/schemas/HostsPage_Row_" in text[0]
    assert "#/components/schemas/HostsRow" in text[1]
