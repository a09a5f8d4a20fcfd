"""Search in the output of an execution."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import seeing
from services.execution.history.service import Which
from services.execution.searching.domain import Needle
from services.execution.searching.schemas import SearchOut
from services.execution.searching.service import Searching

router = APIRouter(prefix="/api/executor/execution-records", tags=["logs"])


@router.get("/{execution_id}/logs/search")
async def search_log(
    execution_id: str,
    searching: Annotated[Searching, provided(Searching)],
    by: Annotated[Principal, seeing()],
    q: Annotated[str, Query(min_length=1, max_length=1000)],
    regex: bool = False,
    ignore_case: bool = False,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    host_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    step_id: Annotated[str | None, Query(max_length=36)] = None,
    stream: Literal["stdout", "stderr"] | None = None,
) -> SearchOut:
    """Lines that hold a text or match a regular expression, of one host or across all.

    An answer comes within about a second. With a `next_cursor` there is more to look through.
    """
    needle = Needle(q, is_regex=regex, ignores_case=ignore_case)
    which = Which(host_id, step_id, stream)
    return await searching.find(execution_id, which, needle, cursor=cursor, limit=limit)
