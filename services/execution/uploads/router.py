"""Uploads in pieces: begin, send, look, complete, throw away."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect

from libs.kit.auth import Principal
from libs.kit.errors import Malformed
from libs.kit.service import provided
from services.execution.access.router import running
from services.execution.files.domain import UploadPieceInvalid
from services.execution.files.schemas import FileOut, UploadOut, UploadStart
from services.execution.uploads.service import Uploads

router = APIRouter(prefix="/api/files/uploads", tags=["files"])

UploadsUseCases = Annotated[Uploads, provided(Uploads)]
Sender = Annotated[Principal, running()]

_RANGE: Final = re.compile(r"bytes (\d{1,16})-(\d{1,16})/(?:\d{1,16}|\*)", re.ASCII)
_PIECE: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=201)
async def start_upload(request: UploadStart, uploads: UploadsUseCases, by: Sender) -> UploadOut:
    """Announce a file with its size and SHA-256, then send pieces to the upload's address.

    With `file` in the answer the content is yours already and nothing needs to be sent.
    """
    return await uploads.start(request, by)


@router.get("/{upload_id}")
async def show_upload(upload_id: str, uploads: UploadsUseCases, by: Sender) -> UploadOut:
    """How far an upload is; the next piece begins at `offset`."""
    return await uploads.upload(upload_id, by)


@router.put("/{upload_id}", openapi_extra=_PIECE)
async def send_piece(
    upload_id: str,
    request: Request,
    uploads: UploadsUseCases,
    by: Sender,
    offset: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> UploadOut:
    """Append a piece of at most `chunk_bytes`, as raw bytes.

    Its place is given as `Content-Range: bytes 0-1048575/5000000` or as `offset`. A piece that
    begins elsewhere than where the upload stands is answered with 409 and the right offset.
    """
    begin, length = _place(request, offset)
    shown = await uploads.take(upload_id, by, begin, _pieces(request))
    if length is not None and shown.offset != begin + length:
        raise UploadPieceInvalid(offset=shown.offset)
    return shown


@router.post("/{upload_id}/complete", status_code=201)
async def complete_upload(upload_id: str, uploads: UploadsUseCases, by: Sender) -> FileOut:
    """Check the SHA-256 of the whole and enter the file into the library; may be repeated."""
    return await uploads.complete(upload_id, by)


@router.delete("/{upload_id}", status_code=204)
async def cancel_upload(upload_id: str, uploads: UploadsUseCases, by: Sender) -> None:
    """Throw away what has come of an upload."""
    await uploads.cancel(upload_id, by)


def _place(request: Request, offset: int | None) -> tuple[int, int | None]:
    """Where the piece begins, and its length if the range says so."""
    header = request.headers.get("content-range")
    if header is None:
        if offset is None:
            raise UploadPieceInvalid
        return offset, None
    found = _RANGE.fullmatch(header.strip())
    if found is None or int(found[2]) < int(found[1]):
        raise UploadPieceInvalid
    begin, end = int(found[1]), int(found[2]) + 1
    if offset is not None and offset != begin:
        raise UploadPieceInvalid(offset=offset)
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdecimal() and int(declared) != end - begin:
        raise UploadPieceInvalid(bytes=int(declared))
    return begin, end - begin


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; a client that goes away ends it like a short body."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise Malformed("The body ended early.", zh="请求体提前结束。") from None
