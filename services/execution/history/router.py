"""Stored output by position and by line."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import seeing
from services.execution.history.schemas import HostLogPage, LinesPage, LogPage
from services.execution.history.service import History, Which

router = APIRouter(prefix="/api/executor/execution-records", tags=["logs"])

Stored = Annotated[History, provided(History)]
Reader = Annotated[Principal, seeing()]
HostId = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
StepId = Annotated[str | None, Query(max_length=36)]
Stream = Literal["stdout", "stderr"] | None


@router.get("/{execution_id}/logs")
async def read_log(
    execution_id: str,
    stored: Stored,
    by: Reader,
    position: Annotated[int, Query(ge=0, le=2**60)] = 0,
    tail: Annotated[int | None, Query(ge=1, le=10_000)] = None,
    limit_bytes: Annotated[int, Query(ge=1, le=1024 * 1024)] = 256 * 1024,
    host_id: HostId = None,
    step_id: StepId = None,
    stream: Stream = None,
) -> LogPage:
    """Stored output in the order of arrival, from a position that an earlier answer gave.

    With `tail` it begins with the last so many lines instead.
    """
    which = Which(host_id, step_id, stream)
    if tail is not None:
        return await stored.tail(execution_id, which, lines=tail, limit_bytes=limit_bytes)
    return await stored.page(execution_id, which, position=position, limit_bytes=limit_bytes)


@router.get("/{execution_id}/logs/lines")
async def read_lines(
    execution_id: str,
    stored: Stored,
    by: Reader,
    from_line: Annotated[int, Query(ge=1, le=2**53)] = 1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    host_id: HostId = None,
    step_id: StepId = None,
    stream: Stream = None,
) -> LinesPage:
    """Lines by number, of the whole execution or of a host, a step or a stream of it."""
    which = Which(host_id, step_id, stream)
    return await stored.lines(execution_id, which, first=from_line, limit=limit)


@router.get("/{execution_id}/steps/{step_id}/hosts/{host_id}/logs")
async def read_host_log(
    execution_id: str,
    step_id: str,
    host_id: Annotated[int, Path(ge=1, le=2**31 - 1)],
    stored: Stored,
    by: Reader,
    pointer: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> HostLogPage:
    """The output of one step on one host, line by line behind a pointer."""
    return await stored.of_host(execution_id, step_id, host_id, pointer=pointer, limit=limit)
