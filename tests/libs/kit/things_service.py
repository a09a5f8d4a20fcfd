"""A service of the tests' own, with a route of each kind."""

from enum import StrEnum
from typing import Annotated

import httpx
from fastapi import APIRouter
from pydantic import Field

from libs.kit.auth import Principal, internal_only, public, require
from libs.kit.db import Database
from libs.kit.errors import Conflict, TooMany
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
    provided,
)
from libs.kit.text import Name, SafeText
from tests.libs.kit.things import Base, Things


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
