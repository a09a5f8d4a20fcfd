"""A service as an app: one envelope out, a policy on every route, loops that are watched."""

import asyncio
import json
from dataclasses import replace

import httpx
import pytest
from fastapi import APIRouter

from libs.kit.auth import Principal, require
from libs.kit.errors import AppError
from libs.kit.service import (
    Runtime,
    create_app,
    entering,
    jobs_of,
)
from tests.libs.kit.things import Things
from tests.libs.kit.things_service import Answer, NameReserved, service


async def test_success_wears_the_envelope(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/things", json={"name": "a"})

    assert response.status_code == 201
    assert response.json() == {
        "code": 201,
        "message": "OK",
        "success": True,
        "content": {"id": 1, "name": "a"},
    }
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["cache-control"] == "no-store"


async def test_a_page_has_its_shape(client: httpx.AsyncClient) -> None:
    for n in range(3):
        await client.post("/api/things", json={"name": f"n{n}"})

    response = await client.get("/api/things?page=2&page_size=2")

    assert response.json()["content"] == {
        "total": 3,
        "page": 2,
        "page_size": 2,
        "results": ["n2"],
    }


async def test_ready_bytes_get_the_envelope_too(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things/ready")

    assert response.json()["content"] == {"results": []}
    assert response.headers["content-type"] == "application/json"


async def test_no_content_stays_empty(client: httpx.AsyncClient) -> None:
    response = await client.delete("/api/things/1")

    assert (response.status_code, response.content) == (204, b"")


async def test_an_optional_body_may_be_left_out(client: httpx.AsyncClient) -> None:
    without = await client.post("/api/things/1/cancel")
    given = await client.post("/api/things/1/cancel", json={"reason": "late"})

    assert without.json()["content"] == {"reason": "none"}
    assert given.json()["content"] == {"reason": "late"}


async def test_a_known_error_has_its_code_and_both_languages(client: httpx.AsyncClient) -> None:
    body = {"name": "reserved"}
    english = await client.post("/api/things", json=body)
    chinese = await client.post("/api/things", json=body, headers={"accept-language": "zh-CN"})

    assert english.json()["message"] == "This name is reserved."
    assert chinese.json()["message"] == "该名称已被保留。"
    content = chinese.json()["content"]
    assert (content["error"], content["details"]) == ("name_reserved", {"name": "reserved"})
    assert content["request_id"] == chinese.headers["x-request-id"]


async def test_success_speaks_chinese(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things", headers={"accept-language": "zh,en;q=0.5"})

    assert response.json()["message"] == "成功"


async def test_a_bug_is_a_500_without_its_words(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things/broken", headers={"x-request-id": "request-0001"})

    assert Answer(response) == (500, "internal")
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
    assert response.json()["content"]["request_id"] == "request-0001"


async def test_retry_after_is_a_header(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things/busy")

    assert Answer(response) == (429, "too_many")
    assert response.headers["retry-after"] == "7"


async def test_unknown_paths_and_methods_wear_the_envelope(client: httpx.AsyncClient) -> None:
    assert Answer(await client.get("/api/nothing")) == (404, "not_found")
    refused = await client.put("/api/things")
    assert Answer(refused) == (405, "method_not_allowed")
    assert "POST" in refused.headers["allow"] or "GET" in refused.headers["allow"]


async def test_an_absurd_request_id_is_replaced(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/things", headers={"x-request-id": "x" * 500})

    assert len(response.headers["x-request-id"]) == 36


async def test_without_a_token_nothing_opens(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]

    refused = await client.get("/api/things")
    assert Answer(refused) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert (await client.get("/api/anybody")).status_code == 200


async def test_two_authorization_headers_are_refused(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    token = client.headers["authorization"]
    request = client.build_request("GET", "/api/things")
    request.headers = httpx.Headers([("authorization", token), ("authorization", token)])

    assert Answer(await client.send(request)) == (401, "unauthenticated")


async def test_a_missing_permission_is_403(client: httpx.AsyncClient, runtime: Runtime) -> None:
    viewer = Principal(2, "viewer", permissions=frozenset(("things:read",)))
    token = runtime.internal_tokens.issue("things", viewer, "gw")
    headers = {"authorization": f"Bearer {token}"}

    assert (await client.get("/api/things", headers=headers)).status_code == 200
    refused = await client.post("/api/things", json={"name": "a"}, headers=headers)
    assert Answer(refused) == (403, "forbidden")


async def test_internal_routes_are_for_services(
    client: httpx.AsyncClient, runtime: Runtime
) -> None:
    tokens = runtime.internal_tokens
    person = Principal(2, "ann", permissions=frozenset(("*",)))
    forwarded = tokens.issue("things", person, "gateway")
    by_service = tokens.issue("things", Principal.of_service("execution"), "execution")
    for_person = tokens.issue("things/internal", person, "execution")

    async def status(token: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"}
        return await client.post("/internal/things/resolve", headers=headers)

    assert (await status(forwarded)).status_code == 403
    assert (await status(by_service)).json()["content"]["kind"] == "service"
    assert (await status(for_person)).json()["content"]["username"] == "ann"
    response = await client.get("/api/things", headers={"authorization": f"Bearer {for_person}"})
    assert response.status_code == 401


async def test_a_route_without_a_policy_stops_the_start(runtime: Runtime) -> None:
    bare = APIRouter()

    @bare.get("/api/bare")
    async def handler() -> str:
        return "x"

    with pytest.raises(TypeError, match="/api/bare states no policy"):
        create_app(replace(service, routers=(bare,)), runtime)


async def test_an_internal_route_must_say_so(runtime: Runtime) -> None:
    bare = APIRouter()

    @bare.get("/internal/bare", dependencies=[require("x")])
    async def handler() -> str:
        return "x"

    with pytest.raises(TypeError, match="internal_only"):
        create_app(replace(service, routers=(bare,)), runtime)


async def test_health_and_metrics(client: httpx.AsyncClient) -> None:
    live = await client.get("/health/live")
    ready = await client.get("/health/ready")
    metrics = await client.get("/metrics")

    assert live.status_code == 200
    assert ready.json()["content"] == {"database": "ok", "migrations": "ok", "redis": "down"}
    assert b"opsjob_http_seconds_bucket" in metrics.content
    assert metrics.headers["content-type"].startswith("text/plain")


async def test_not_migrated_is_not_ready(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.kit.migrate.heads", lambda folder: frozenset(("0009",)))

    response = await client.get("/health/ready")

    assert Answer(response) == (503, "unavailable")
    assert response.headers["retry-after"] == "2"


async def test_openapi_tells_of_the_envelope(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    answer = document["paths"]["/api/things"]["post"]["responses"]["201"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema["properties"]["content"] == {"$ref": "#/components/schemas/ThingOut"}
    assert "/internal/things/resolve" not in document["paths"]
    assert "HTTPValidationError" not in json.dumps(document)
    assert "/health/ready" not in document["paths"]


async def test_a_loop_that_dies_is_reported(runtime: Runtime) -> None:
    class Dying:
        async def run(self) -> None:
            message = "out of luck"
            raise ValueError(message)

    deaths: asyncio.Queue[BaseException] = asyncio.Queue()
    doomed = replace(
        service, build=lambda db, rt: [Things(db), Dying()], loops=(Dying,), routers=()
    )
    app = create_app(doomed, replace(runtime, fatal=deaths.put_nowait))

    async with entering([app]):
        async with asyncio.timeout(5):
            death = await deaths.get()

    assert str(death) == "out of luck"


async def test_loops_run_while_the_app_does(runtime: Runtime) -> None:
    class Ticking:
        def __init__(self) -> None:
            self.running = asyncio.Event()
            self.stopped = False

        async def run(self) -> None:
            self.running.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.stopped = True

    ticking = Ticking()
    app = create_app(
        replace(service, build=lambda db, rt: [Things(db), ticking], loops=(Ticking,)), runtime
    )

    async with entering([app]), asyncio.timeout(5):
        await ticking.running.wait()
    assert ticking.stopped


async def test_the_jobs_of_apps_are_collected(runtime: Runtime) -> None:
    jobs = jobs_of([create_app(service, runtime)], runtime.redis)

    await jobs.run()  # nothing to do, so it returns


def test_an_error_family_knows_its_status() -> None:
    assert (NameReserved.status, NameReserved().code) == (409, "name_reserved")
    assert AppError().code == "internal"
