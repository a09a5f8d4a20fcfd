"""The library of files: list, show, download, delete."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from libs.kit.artifacts import Blob, aside
from libs.kit.auth import Principal
from libs.kit.pagination import Page, Paging
from libs.kit.service import provided
from services.execution.access.router import running
from services.execution.files.domain import FileKind, RangeNotThere, attachment
from services.execution.files.schemas import FileOut, UsageOut
from services.execution.files.service import Files

router = APIRouter(prefix="/api/files", tags=["files"])

FilesUseCases = Annotated[Files, provided(Files)]
Owner = Annotated[Principal, running()]

_RANGE: Final = re.compile(r"bytes=(\d{1,16})-(\d{1,16})?", re.ASCII)
_PIECE: Final = 256 * 1024


@router.get("")
async def list_files(
    files: FilesUseCases,
    by: Owner,
    params: Paging,
    kind: FileKind | None = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    execution_id: Annotated[str | None, Query(max_length=36)] = None,
) -> Page[FileOut]:
    """Your files, newest first; of everybody for those who may do everything."""
    return await files.page(params, by, kind, search, execution_id)


@router.get("/usage")
async def show_usage(files: FilesUseCases, by: Owner) -> UsageOut:
    """What your files take, and what they may take."""
    return await files.usage(by)


@router.get("/{file_id}")
async def show_file(file_id: str, files: FilesUseCases, by: Owner) -> FileOut:
    """One file."""
    return await files.show(file_id, by)


@router.delete("/{file_id}", status_code=204)
async def delete_file(file_id: str, files: FilesUseCases, by: Owner) -> None:
    """Remove a file; refused while an execution that has not ended sends it."""
    await files.delete(file_id, by)


@router.get(
    "/{file_id}/content",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        206: {"content": {"application/octet-stream": {}}, "description": "A part of it"},
    },
)
async def download_file(
    file_id: str,
    files: FilesUseCases,
    by: Owner,
    wanted: Annotated[str | None, Header(alias="Range", max_length=100)] = None,
) -> StreamingResponse:
    """The content, whole or a single range of it; always an attachment of unknown kind."""
    file = await files.show(file_id, by)
    begin, end = _range_of(wanted, file.size)
    if begin == 0:  # a later part belongs to a download that is accounted for
        await files.note_download(file_id, by)
    blob = await files.open(file.sha256)
    headers = attachment(file.name) | {
        "content-length": str(end - begin),
        "accept-ranges": "bytes",
        "etag": f'"{file.sha256}"',
    }
    is_part = (begin, end) != (0, file.size)
    if is_part:
        headers["content-range"] = f"bytes {begin}-{end - 1}/{file.size}"
    return StreamingResponse(
        _content(blob, begin, end),
        status_code=206 if is_part else 200,
        media_type="application/octet-stream",
        headers=headers,
    )


def _range_of(header: str | None, size: int) -> tuple[int, int]:
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None:
        return 0, size
    begin = int(found[1])
    end = min(size, int(found[2]) + 1) if found[2] else size
    if begin >= end:
        raise RangeNotThere(size=size)
    return begin, end


async def _content(blob: Blob, begin: int, end: int) -> AsyncIterator[bytes]:
    with blob:
        while begin < end:
            piece = await aside(blob.read, begin, min(_PIECE, end - begin))
            if not piece:
                return
            begin += len(piece)
            yield piece
