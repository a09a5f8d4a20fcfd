"""All that an execution has collected."""

from typing import Annotated

from fastapi import APIRouter
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import StreamingResponse

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import acting
from services.execution.archives.service import Archives
from services.execution.files.domain import attachment

router = APIRouter(prefix="/api/executor/execution-records", tags=["files"])

ArchivesUseCases = Annotated[Archives, provided(Archives)]
Reader = Annotated[Principal, acting("executions:run")]


@router.get(
    "/{execution_id}/collected",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-tar": {}}}},
)
async def download_collected(
    execution_id: str, archives: ArchivesUseCases, by: Reader
) -> StreamingResponse:
    """A tar with a folder for each host that has brought something, made while it is sent."""
    pieces = await archives.of_execution(execution_id)
    return StreamingResponse(
        iterate_in_threadpool(pieces),
        media_type="application/x-tar",
        headers=attachment(f"execution-{execution_id}.tar"),
    )
