"""Output as a file to keep."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import seeing
from services.execution.downloads.domain import disposition
from services.execution.downloads.service import Downloads, Form
from services.execution.history.service import Which

router = APIRouter(prefix="/api/executor/execution-records", tags=["logs"])

TYPES = {"txt": "text/plain; charset=utf-8", "zip": "application/zip"}


@router.get("/{execution_id}/logs/download", response_class=StreamingResponse)
async def download_log(
    execution_id: str,
    downloads: Annotated[Downloads, provided(Downloads)],
    by: Annotated[Principal, seeing()],
    form: Annotated[Form, Query(alias="format")] = "txt",
    host_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    step_id: Annotated[str | None, Query(max_length=36)] = None,
    stream: Literal["stdout", "stderr"] | None = None,
) -> StreamingResponse:
    """The output of an execution, a step or a host; colours are kept, streams lie apart in a zip.

    Where bytes are missing a line says how many and why.
    """
    pieces = await downloads.open(execution_id, Which(host_id, step_id, stream), form)
    words = ["execution", execution_id, f"host-{host_id}" if host_id else "", stream or "output"]
    name = "-".join(word for word in words if word)
    return StreamingResponse(
        pieces,
        media_type=TYPES[form],
        headers={
            "Content-Disposition": disposition(f"{name}.{form}"),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
