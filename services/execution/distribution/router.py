"""Sending files and fetching files at once."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request, Response
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from libs.kit.auth import Principal
from libs.kit.errors import Malformed, TooLarge, UnsupportedMedia
from libs.kit.service import provided
from libs.kit.text import parse_json
from services.execution.access.router import AS_ROOT, running
from services.execution.distribution.domain import boundary_of
from services.execution.distribution.schemas import CollectRun, TransferRun, inlined
from services.execution.distribution.service import Distribution, refused
from services.execution.plans.router import Origin
from services.execution.plans.schemas import Accepted

router = APIRouter(prefix="/api/quick", tags=["files"])

DistributionUseCases = Annotated[Distribution, provided(Distribution)]
Runner = Annotated[Principal, running(asks_again=AS_ROOT)]
Key = Annotated[str | None, Header(alias="Idempotency-Key")]

MAX_JSON_BYTES: Final = 4 * 1024 * 1024
_AGAIN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": Accepted, "description": "What the first request was answered"}
}
_SCHEMA: Final = inlined(TransferRun)
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _SCHEMA},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": (
                        "The fields of the JSON body (lists and numbers as JSON text), and files "
                        "under any name. Sources of the type local name them by file_field; "
                        "files that no source names are sent to remote_path."
                    ),
                    "properties": {
                        "remote_path": {"type": "string"},
                        "target_host_ids": {"type": "string", "example": "[1, 2]"},
                        "sources": {"type": "string"},
                        "file": {"type": "string", "format": "binary"},
                    },
                    "required": ["remote_path"],
                }
            },
        },
    }
}


@router.post("/transfer_file", status_code=201, responses=_AGAIN, openapi_extra=_BODY)
async def transfer_file(
    request: Request,
    distribution: DistributionUseCases,
    by: Runner,
    response: Response,
    client: Origin,
    idempotency_key: Key = None,
) -> Accepted:
    """Send files to hosts, from the library, from this form, or from other hosts.

    The answer 201 means that everything is stored and will be sent; a repeated request with the
    same `Idempotency-Key` is answered with 200 and the same id.
    """
    boundary = boundary_of(request.headers.get("content-type", ""))
    if boundary is None:
        wanted = await _json(request)
        accepted = await distribution.transfer(wanted, by, idempotency_key, client)
    else:
        accepted = await distribution.transfer_form(
            _body(request), boundary, by, idempotency_key, client
        )
    if not accepted.created:
        response.status_code = 200
    return accepted


@router.post("/collect_files", status_code=201, responses=_AGAIN)
async def collect_files(
    request: CollectRun,
    distribution: DistributionUseCases,
    by: Runner,
    response: Response,
    client: Origin,
    idempotency_key: Key = None,
) -> Accepted:
    """Fetch files from hosts: one archive for each host, kept in the library for some days.

    All of them together: `GET /api/executor/execution-records/{execution_id}/collected/`.
    """
    accepted = await distribution.collect(request, by, idempotency_key, client)
    if not accepted.created:
        response.status_code = 200
    return accepted


async def _json(request: Request) -> TransferRun:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMedia
    body = bytearray()
    async for piece in _body(request):
        body += piece
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge(limit=MAX_JSON_BYTES)
    try:
        return TransferRun.model_validate(parse_json(bytes(body)))
    except ValidationError as error:
        raise refused(error) from None


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise Malformed("The body ended early.", zh="请求体提前结束。") from None
