"""Small real services, declared with the kit, that stand behind a gateway in tests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import httpx
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from pydantic import SecretStr
from sqlalchemy import MetaData

from libs.kit.auth import Principal, internal_only, public, require
from libs.kit.client import InProcess
from libs.kit.redis import connect
from libs.kit.service import Row, Runtime, Schema, Service
from libs.kit.settings import Settings
from tests.gateway.api.parts import ACCESS, INTERNAL, SECRET


class Spec(Schema):
    """What is asked for."""

    name: str


class Answer(Row):
    """What is answered."""

    name: str
    user_id: int


class Line(Row):
    """A line that only executions know."""

    text: str


class Events:
    """A source of server-sent events under the test's control."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.opened = 0
        self.closed = 0

    def say(self, text: str) -> None:
        """Sends one event to whoever reads."""
        self.queue.put_nowait(f"data: {text}\n\n".encode())

    def end(self) -> None:
        """Ends the stream from the service's side."""
        self.queue.put_nowait(None)

    async def read(self) -> AsyncIterator[bytes]:
        """What the route sends; counts readers that come and go."""
        self.opened += 1
        try:
            while (event := await self.queue.get()) is not None:
                yield event
        finally:
            self.closed += 1


def hosts_routes() -> APIRouter:
    """Routes of a stand-in for hosts."""
    router = APIRouter()

    @router.get("/api/hosts")
    async def list_hosts(by: Annotated[Principal, require("hosts:read")]) -> list[Answer]:
        return [Answer(name="web", user_id=by.id)]

    @router.post("/api/hosts", status_code=201)
    async def register(spec: Spec, by: Annotated[Principal, require("hosts:write")]) -> Answer:
        return Answer(name=spec.name, user_id=by.id)

    @router.get("/api/hosts/broken")
    async def broken(by: Annotated[Principal, require("hosts:read")]) -> Answer:
        raise RuntimeError(f"a defect for user {by.id}")

    @router.post("/internal/hosts/resolve", dependencies=[internal_only()])
    async def resolve() -> Answer:
        return Answer(name="secret", user_id=0)

    return router


class Conflicting:
    """A namespace, so that another schema can bear the name Answer."""

    class Answer(Row):
        """Something else under the same name."""

        execution_id: str
        lines: list[Line]


def execution_routes(events: Events) -> APIRouter:
    """Routes of a stand-in for execution, with a live stream."""
    router = APIRouter()

    @router.get("/api/executor/execution-records/{execution_id}")
    async def record(
        execution_id: str, by: Annotated[Principal, require("hosts:read")]
    ) -> Conflicting.Answer:
        return Conflicting.Answer(execution_id=execution_id, lines=[])

    @router.get("/api/realtime/sse/logs/{execution_id}")
    async def logs(
        execution_id: str, by: Annotated[Principal, require("hosts:read")]
    ) -> StreamingResponse:
        return StreamingResponse(events.read(), media_type="text/event-stream")

    return router


def auth_routes() -> APIRouter:
    """Routes of a stand-in for auth."""
    router = APIRouter()

    @router.post("/api/auth/login", dependencies=[public()])
    async def login(spec: Spec) -> Answer:
        return Answer(name=spec.name, user_id=1)

    return router


def app_of(name: str, router: APIRouter, folder: Path) -> FastAPI:
    """A service as its composition would make it; its database is never opened."""
    runtime = Runtime(
        settings=Settings(
            database_url=f"sqlite:///{folder}/{{service}}.db",
            secret=SecretStr(SECRET.get_secret_value()),
        ),
        redis=connect("redis://127.0.0.1:1/0"),
        http=httpx.AsyncClient(transport=InProcess()),
        internal_tokens=INTERNAL,
        access_tokens=ACCESS,
    )
    service = Service(name=name, metadata=MetaData(), build=lambda *_: [], routers=(router,))
    return service.create_app(runtime)


def three_services(folder: Path, events: Events | None = None) -> dict[str, FastAPI]:
    """auth, hosts and execution, small but real."""
    return {
        "auth": app_of("auth", auth_routes(), folder),
        "hosts": app_of("hosts", hosts_routes(), folder),
        "execution": app_of("execution", execution_routes(events or Events()), folder),
    }
