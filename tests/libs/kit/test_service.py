"""A service as an app: strict in, one envelope out, a policy on every route."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter
from pydantic import Field

from libs.kit.auth import Principal, internal_only, public, require
from libs.kit.db import Database
from libs.kit.errors import AppError, Conflict, TooMany
from libs.kit.ids import Id
from libs.kit.pagination import Page, Paging
from libs.kit.service import (
    Choice,
    Moment,
    Ready,
    Row,
    Runtime,
    Schema,
    Service,
    create_app,
    entering,
    jobs_of,
    provided,
)
from libs.kit.text import Name, SafeText
from tests.libs.kit.conftest import Base, Things


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(Schema):
    size: int


class ThingCreate(Schema):
    name: Name
    colour: Choice[Colour] = Colour.RED
    note: SafeText = ""
    count: Annotated[int, Field(ge=0, le=1000)] = 1
    ratio: float = 1.0
    flag: bool = False
    after: Moment | None = None
    parts: list[Part] = Field(default_factory=list)


class ThingOut(Row):
    id: int
    name: str


class Cancel(Schema):
    reason: SafeText = ""


class NameReserved(Conflict):
    code = "name_reserved"
    message = "This name is reserved."
    message_zh = "该名称已被保留。"


router = APIRouter(prefix="/api/things", tags=["things"])
ThingsUseCases = Annotated[Things, provided(Things)]
Writer = Annotated[Principal, require("things:write")]
Reader = Annotated[Principal, require("things:read")]


@router.post("", status_code=201)
async def make(spec: ThingCreate, things: ThingsUseCases, by: Writer) -> ThingOut:
    if spec.name == "reserved":
        raise NameReserved(name=spec.name)
    return ThingOut.model_validate(await things.make(spec.name))


@router.get("")
async def names(page: Paging, things: ThingsUseCases, by: Reader) -> Page[str]:
    found = await things.names()
    return Page.of(found[page.offset :][: page.page_size], total=len(found), params=page)


@router.get("/ready", response_model=Page[str])
async def ready_bytes(by: Reader) -> Ready:
    return Ready(b'{"results":[]}')


@router.get("/busy")
async def busy(by: Reader) -> None:
    raise TooMany(retry_after=7)


@router.get("/broken")
async def broken(by: Reader) -> None:
    message = "password=hunter2"
    raise RuntimeError(message)


@router.get("/{thing_id}")
async def one(thing_id: Id, by: Reader) -> ThingOut:
    return ThingOut(id=thing_id, name="x")


@router.delete("/{thing_id}", status_code=204)
async def remove(thing_id: Id, by: Writer) -> None:
    return None


@router.post("/{thing_id}/cancel", status_code=202)
async def cancel(thing_id: Id, by: Writer, spec: Cancel | None = None) -> dict[str, str]:
    return {"reason": spec.reason if spec else "none"}


@router.get("/open", dependencies=[public()])
async def never_reached() -> str:
    return "open"


internal = APIRouter(prefix="/internal/things")


@internal.post("/resolve")
async def resolve(by: Annotated[Principal, internal_only()]) -> dict[str, object]:
    return {"username": by.username, "kind": by.kind}


anybody = APIRouter()


@anybody.get("/api/anybody", dependencies=[public()])
async def anybody_may(language: str = "en") -> str:
    return language


whole = APIRouter()
whole.include_router(router)


def build(db: Database, runtime: Runtime) -> list[object]:
    return [Things(db)]


service = Service("things", Base.metadata, build, (whole, internal, anybody))


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(service, runtime)
    admin = Principal(1, "admin", permissions=frozenset(("*",)))
    headers = {"authorization": "Bearer " + runtime.internal_tokens.issue("things", admin, "gw")}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        entering([app]),
        httpx.AsyncClient(transport=transport, base_url="http://things", headers=headers) as http,
    ):
        yield http


class Answer:
    """Status and error code of an envelope."""

    def __init__(self, response: httpx.Response) -> None:
        document = response.json()
        self.status = response.status_code
        self.document = document
        assert document["code"] == self.status
        assert document["success"] is (self.status < 400)
        self.error = document["content"]["error"] if self.status >= 400 else None

    def __eq__(self, other: object) -> bool:
        return (self.status, self.error) == other

    def __repr__(self) -> str:
        return f"{self.status} {self.error} {self.document}"


async def sent(client: httpx.AsyncClient, body: bytes, kind: str = "application/json") -> Answer:
    response = await client.post("/api/things", content=body, headers={"content-type": kind})
    return Answer(response)


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


@pytest.mark.parametrize(
    ("item", "body", "status"),
    [
        ("B1", b'{"name":"a","name":"b"}', 400),
        ("B1", b'{"name":"a","parts":[{"size":1,"size":2}]}', 400),
        ("B2", b'{"name":"a","ratio":NaN}', 400),
        ("B2", b'{"name":"a","ratio":-Infinity}', 400),
        ("B2", b'{"name":"a","ratio":1e400}', 400),
        ("B3", b'{"name":"a","count":9223372036854775808}', 422),
        ("B3", b'{"name":"a","count":2147483648}', 422),
        ("B3", b'{"name":"a","count":' + b"9" * 100_000 + b"}", 422),
        ("B4", b'{"a":' * 10_000, 400),
        ("B4", b"[" * 10_000, 400),
        ("B4", b'{"name":' + b"[" * 65 + b"]" * 65 + b"}", 400),
        ("B5", b'{"name":"\\ud800"}', 422),
        ("B5", b'{"name":"a","note":"\\udc00x\\ud800"}', 422),
        ("B6", b'{"name":"a","note":"\\u0000"}', 422),
        ("B6", b'{"name":"a","\\u0000":1}', 422),
        ("B7", b'\xef\xbb\xbf{"name":"a"}', 400),
        ("B7", '{"name":"a"}'.encode("utf-16"), 400),
        ("B7", '{"name":"é"}'.encode("latin-1"), 400),
        ("B8", b'{"name":"a"} x', 400),
        ("B8", b'{"name":"a"}{"name":"b"}', 400),
        ("B8", b"", 400),
        ("B8", b"  \n ", 400),
        ("B13", b"{}", 422),
        ("B13", b"null", 422),
        ("B13", b'{"name":null}', 422),
        ("B13", b'{"name":""}', 422),
        ("B13", b'{"name":[]}', 422),
        ("B13", b'{"name":{}}', 422),
        ("B13", b'{"name":"a","colour":null}', 422),
        ("B14", b'{"name":["a"]}', 422),
        ("B14", b'{"name":"a","count":"1"}', 422),
        ("B14", b'{"name":"a","count":true}', 422),
        ("B14", b'{"name":"a","count":1.0}', 422),
        ("B14", b'{"name":"a","flag":1}', 422),
        ("B14", b'{"name":"a","parts":[{"size":"1"}]}', 422),
        ("B14", b'{"name":"a","colour":"green"}', 422),
        ("B14", b"[]", 422),
        ("B15", b'{"name":"a","owner_id":1}', 422),
        ("B15", b'{"name":"a","parts":[{"size":1,"id":7}]}', 422),
        ("B16", b'{"name":"a","__proto__":{"x":1}}', 422),
        ("B17", b'{"name":"' + b"a" * 1_000_000 + b'"}', 422),
        ("B17", b'{"name":"a","note":"' + b"a" * 1_000_000 + b'"}', 422),
        ("B30", b'{"name":"a","after":"2026-01-01T00:00:00"}', 422),
        ("B30", b'{"name":"a","after":1e18}', 422),
        ("B30", b'{"name":"a","after":"10000-01-01T00:00:00Z"}', 422),
    ],
)
async def test_bad_bodies_store_nothing(
    client: httpx.AsyncClient, item: str, body: bytes, status: int
) -> None:
    began = time.perf_counter()
    answer = await sent(client, body)

    assert answer == (status, "malformed" if status == 400 else "invalid"), item
    assert time.perf_counter() - began < 1
    listed = await client.get("/api/things")
    assert listed.json()["content"]["total"] == 0


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/jsonp",
    ],
)
async def test_b9_only_json_is_read(client: httpx.AsyncClient, kind: str) -> None:
    answer = await sent(client, b'{"name":"a"}', kind)

    assert answer == (415, "unsupported_media_type")


async def test_json_in_utf_8_may_say_so(client: httpx.AsyncClient) -> None:
    assert (await sent(client, b'{"name":"a"}', "application/json; charset=UTF-8")).status == 201


async def test_b10_compressed_bodies_are_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await client.post("/api/things", content=b"\x1f\x8b", headers=headers)

    assert Answer(response) == (415, "unsupported_media_type")


async def test_b11_a_body_over_the_limit_is_refused(
    client: httpx.AsyncClient,
) -> None:
    declared = await sent(client, b'{"name":"' + b"a" * 5_000_000 + b'"}')

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"a" * 100_000

    headers = {"content-type": "application/json"}
    streamed = await client.post("/api/things", content=chunks(), headers=headers)

    assert declared == (413, "too_large")
    assert Answer(streamed) == (413, "too_large")


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=1000000000",
        "page=abc",
        "page_size=0",
        "page_size=-5",
        "page_size=201",
        "page_size=9999999999999999999",
        "page=%00",
    ],
)
async def test_b18_pages_outside_their_range(client: httpx.AsyncClient, query: str) -> None:
    assert Answer(await client.get(f"/api/things?{query}")) == (422, "invalid")


@pytest.mark.parametrize("thing_id", ["0", "-1", "2147483648", "9" * 400, "x", "1.5", "%00"])
async def test_ids_in_paths_are_checked(client: httpx.AsyncClient, thing_id: str) -> None:
    assert Answer(await client.get(f"/api/things/{thing_id}")).status in (404, 422)


async def test_refused_fields_are_named_and_not_echoed(client: httpx.AsyncClient) -> None:
    answer = await sent(client, b'{"name":"a","count":"hunter2","password":"hunter2"}')

    fields = answer.document["content"]["details"]["fields"]
    assert {field["field"] for field in fields} == {"body.count", "body.password"}
    assert "hunter2" not in json.dumps(answer.document)


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
