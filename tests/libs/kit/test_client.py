"""Calls between services, in one process, over a socket and to nobody."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import httpx
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, Request

from libs.kit.auth import InternalTokens, Principal, internal_only, require
from libs.kit.client import InProcess, ServiceClient, remote_transport
from libs.kit.db import Database
from libs.kit.errors import AppError, NotFound, TooMany, Unavailable
from libs.kit.logging import request_id
from libs.kit.service import Runtime, Schema, Service, create_app, entering
from libs.kit.settings import Settings
from tests.libs.kit.things import SECRET, Base, Things

router = APIRouter()


class Question(Schema):
    ids: list[int]


class ThingMissing(NotFound):
    code = "thing_missing"
    message = "This thing does not exist."


@router.post("/internal/things/find")
async def find(
    question: Question, request: Request, by: Annotated[Principal, internal_only()]
) -> dict[str, object]:
    if 404 in question.ids:
        raise ThingMissing(missing=[404])
    if 429 in question.ids:
        raise TooMany(retry_after=9)
    return {"ids": question.ids, "by": by.username, "request": request.headers["x-request-id"]}


@router.get("/api/things/mine")
async def mine(by: Annotated[Principal, require("things:read")], page: int = 1) -> dict[str, int]:
    return {"user": by.id, "page": page}


@router.get("/internal/things/broken")
async def broken(by: Annotated[Principal, internal_only()]) -> None:
    raise RuntimeError


def build(db: Database, runtime: Runtime) -> list[object]:
    return [Things(db)]


service = Service("things", Base.metadata, build, (router,))


class ThingsClient(ServiceClient):
    service = "things"

    async def find(self, ids: list[int], by: Principal | None = None) -> object:
        question = Question(ids=ids)
        return await self._call("POST", "/internal/things/find", json=question, principal=by)

    async def mine(self, by: Principal) -> object:
        return await self._call("GET", "/api/things/mine", params={"page": 3}, principal=by)

    async def broken(self) -> object:
        return await self._call("GET", "/internal/things/broken")


ANN = Principal(7, "ann", permissions=frozenset(("things:read",)))


@pytest.fixture
async def app(runtime: Runtime) -> AsyncIterator[FastAPI]:
    app = create_app(service, runtime)
    async with entering([app]):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[ThingsClient]:
    network = InProcess()
    network.apps["things"] = app
    async with httpx.AsyncClient(transport=network) as http:
        yield ThingsClient(http, InternalTokens(SECRET), "execution")


async def test_content_comes_unwrapped_and_ids_travel(client: ThingsClient) -> None:
    token = request_id.set("request-0001")
    answer = await client.find([1, 2])
    request_id.reset(token)

    assert answer == {"ids": [1, 2], "by": "execution", "request": "request-0001"}


async def test_a_service_may_ask_for_somebody(client: ThingsClient) -> None:
    found = await client.find([1], by=ANN)

    assert isinstance(found, dict)
    assert found["by"] == "ann"
    assert await client.mine(ANN) == {"user": 7, "page": 3}


async def test_an_error_comes_back_as_the_same_family_and_code(client: ThingsClient) -> None:
    with pytest.raises(NotFound) as caught:
        await client.find([404])
    assert (caught.value.code, caught.value.details) == ("thing_missing", {"missing": [404]})
    assert str(caught.value) == "This thing does not exist."

    with pytest.raises(TooMany) as busy:
        await client.find([429])
    assert busy.value.retry_after == 9


async def test_a_bug_on_the_other_side_is_unavailable_here(client: ThingsClient) -> None:
    with pytest.raises(Unavailable):
        await client.broken()


async def test_a_service_that_is_not_there_is_unavailable(runtime: Runtime) -> None:
    async with httpx.AsyncClient(transport=InProcess()) as http:
        with pytest.raises(Unavailable):
            await ThingsClient(http, runtime.internal_tokens, "execution").find([1])


async def test_an_answer_that_is_no_envelope_is_unavailable(runtime: Runtime) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(Unavailable):
            await ThingsClient(http, runtime.internal_tokens, "execution").find([1])


def settings_with(socket_path: Path | None, url: str) -> Settings:
    return Settings(
        database_url="sqlite:////tmp/{service}.db",
        secret=SECRET,
        internal_socket=socket_path,
        service_url=url,
    )


async def test_over_a_unix_socket_the_host_header_names_the_service(
    app: FastAPI, tmp_path: Path
) -> None:
    listening = socket.socket(socket.AF_UNIX)
    path = tmp_path / "s"
    listening.bind(str(path))
    async with answering(app, listening):
        transport = remote_transport(settings_with(path, "http://{service}:8000"))
        async with httpx.AsyncClient(transport=transport) as http:
            answer = await ThingsClient(http, InternalTokens(SECRET), "execution").mine(ANN)
            direct = await http.get("http://things/health/live")

    assert answer == {"user": 7, "page": 3}
    assert direct.request.headers["host"] == "things"


async def test_over_tcp_the_template_says_where(app: FastAPI) -> None:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    async with answering(app, listening):
        transport = remote_transport(settings_with(None, f"http://127.0.0.1:{port}/{{service}}"))
        async with httpx.AsyncClient(transport=transport) as http:
            answer = await ThingsClient(http, InternalTokens(SECRET), "execution").mine(ANN)

    assert answer == {"user": 7, "page": 3}


async def test_nobody_at_the_socket_is_unavailable(tmp_path: Path) -> None:
    transport = remote_transport(settings_with(tmp_path / "none", "http://{service}"))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(Unavailable) as caught:
            await ThingsClient(http, InternalTokens(SECRET), "execution").mine(ANN)

    assert isinstance(caught.value, AppError)
    assert caught.value.retry_after == 2


class answering:  # noqa: N801  reads as a verb where it is used
    """A uvicorn in this loop, on a socket that is bound already."""

    def __init__(self, app: FastAPI, listening: socket.socket) -> None:
        config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
        self._server = uvicorn.Server(config)
        self._listening = listening

    async def __aenter__(self) -> None:
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup(sockets=[self._listening])

    async def __aexit__(self, *_: object) -> None:
        await self._server.shutdown(sockets=[self._listening])
