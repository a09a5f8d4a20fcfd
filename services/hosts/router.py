"""The inventory of hosts."""

from functools import lru_cache
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import Ready, provided
from services.hosts.schemas import (
    HostCreate,
    HostOut,
    HostPatch,
    HostQuery,
    HostRow,
    query_parameters,
)
from services.hosts.service import Hosts

router = APIRouter(prefix="/api/hosts", tags=["hosts"])

HostsUseCases = Annotated[Hosts, provided(Hosts)]
# Which hosts a caller sees and may change is decided by the use case: a grant is enough.
Caller = Annotated[Principal, authenticated()]
Writer = Annotated[Principal, require("hosts:write")]

_encode = msgspec.json.Encoder().encode


class _PageOfRows(msgspec.Struct):
    """The form of libs.kit.pagination.Page, for rows that are encoded by msgspec."""

    total: int
    page: int
    page_size: int
    results: list[HostRow]


def _parse(query_string: bytes) -> HostQuery:
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    try:
        return HostQuery.model_validate(dict(pairs))
    except ValidationError as error:
        places = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(places) from error


_remembered = lru_cache(maxsize=1024)(_parse)
LONGEST_REMEMBERED = 512


async def _query(request: Request) -> HostQuery:
    """What FastAPI would make of a model of query parameters, at a tenth of its cost.

    The same parameters come again with every look at a page, so they are remembered.
    """
    raw: bytes = request.scope["query_string"]
    return _remembered(raw) if len(raw) <= LONGEST_REMEMBERED else _parse(raw)


@router.get(
    "", response_model=Page[HostOut], openapi_extra={"parameters": query_parameters(HostQuery)}
)
async def list_hosts(
    query: Annotated[HostQuery, Depends(_query)], hosts: HostsUseCases, by: Caller
) -> Ready:
    """Hosts, page by page. Unknown parameters are refused; of a repeated one the last counts."""
    page = await hosts.page(query, by)
    return Ready(_encode(_PageOfRows(page.total, query.page, query.page_size, page.rows)))


@router.post("", status_code=201, response_model=HostOut)
async def register_host(spec: HostCreate, hosts: HostsUseCases, by: Writer) -> Ready:
    """Adds a host; 409 `host_name_taken` or `host_address_taken`, 404 `group_not_found`.

    Two hosts may not have the same address and port, in whatever spelling, unless the address is
    a loopback address or `allow_shared_address` is set.
    """
    return Ready(_encode(await hosts.register(spec)), 201)


@router.get("/{host_id}", response_model=HostOut)
async def show_host(host_id: Id, hosts: HostsUseCases, by: Caller) -> Ready:
    """One host."""
    return Ready(_encode(await hosts.one(host_id, by)))


@router.patch("/{host_id}", response_model=HostOut)
async def change_host(host_id: Id, patch: HostPatch, hosts: HostsUseCases, by: Caller) -> Ready:
    """Changes the fields that are given."""
    return Ready(_encode(await hosts.change(host_id, patch, by)))


@router.delete("/{host_id}")
async def retire_host(host_id: Id, hosts: HostsUseCases, by: Caller) -> None:
    """Takes a host out of the inventory; its agent is retired and its tokens are revoked."""
    await hosts.retire(host_id, by)
