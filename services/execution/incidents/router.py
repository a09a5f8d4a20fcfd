"""Security events: what agents and the platform refused."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, require
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.execution.incidents.schemas import EventQuery, SecurityEventOut
from services.execution.incidents.service import Incidents

router = APIRouter(prefix="/api/executor/security_events", tags=["security"])

IncidentsUseCases = Annotated[Incidents, provided(Incidents)]
Reader = Annotated[Principal, require("agents:read")]


@router.get("")
async def list_security_events(
    query: Annotated[EventQuery, Query()], incidents: IncidentsUseCases, by: Reader
) -> Page[SecurityEventOut]:
    """Orders and reports that were refused because nobody honest sends them, newest first."""
    total, found = await incidents.page(query)
    rows = [SecurityEventOut.model_validate(event) for event in found]
    return Page.of(rows, total=total, params=query.paging)
