"""Live streams of an execution as server-sent events."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query

from libs.kit.auth import Principal
from libs.kit.service import provided
from services.execution.access.router import seeing
from services.execution.access.service import Access
from services.execution.errors import EventIdInvalid
from services.execution.history.service import Which
from services.execution.realtime.domain import Kinds, Place, place_of
from services.execution.realtime.schemas import EventStream
from services.execution.realtime.service import Streams

SEND_SECONDS = 60
"""A watcher that takes nothing for so long is cut off; its last event id resumes exactly."""

router = APIRouter(prefix="/api/realtime/sse", tags=["realtime"])

Watching = Annotated[Streams, provided(Streams)]
AccessUseCases = Annotated[Access, provided(Access)]
Reader = Annotated[Principal, seeing()]


@router.get("/{kind}/{execution_id}", status_code=200, response_class=EventStream)
async def follow_execution(
    kind: Kinds,
    execution_id: str,
    streams: Watching,
    access: AccessUseCases,
    by: Reader,
    host_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    step_id: Annotated[str | None, Query(max_length=36)] = None,
    stream: Literal["stdout", "stderr"] | None = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    resume: Annotated[str | None, Query(alias="last_event_id")] = None,
) -> EventStream:
    """Follow an execution's output (`logs`), its states (`status`) or both (`combined`).

    Every event's id resumes exactly behind it. The stream ends with the event `end`.
    """
    place = _place(kind, last_event_id, resume)
    found = await streams.show(execution_id)
    events = streams.events(kind, execution_id, place, Which(host_id, step_id, stream), found)
    seen = access.while_seen(events, execution_id, by)
    return EventStream(seen, send_seconds=SEND_SECONDS)


def _place(kind: Kinds, header: str | None, query: str | None) -> Place:
    if header and query and header != query:
        raise EventIdInvalid()
    place = place_of(kind, header or query)
    if place is None:
        raise EventIdInvalid()
    return place
