"""Quarantine by hand, and the way out of it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from libs.kit.auth import Principal, require
from libs.kit.service import Schema, provided
from services.hosts.agents.router import detail_of
from services.hosts.agents.schemas import AgentDetail, AgentId
from services.hosts.quarantine.service import Quarantine

router = APIRouter(prefix="/api/agents", tags=["agents"])

QuarantineUseCases = Annotated[Quarantine, provided(Quarantine)]
Releaser = Annotated[Principal, require("agents:write", proved=True)]
Writer = Annotated[Principal, require("agents:write")]


class Suspicion(Schema):
    """Why an agent gets no orders from now on."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=300)]


@router.post("/{agent_id}/quarantine")
async def quarantine_agent(
    agent_id: AgentId, body: Suspicion, quarantine: QuarantineUseCases, by: Writer
) -> AgentDetail:
    """Shuts an agent out within seconds, until somebody releases it or its host enrols anew."""
    return detail_of(*await quarantine.put(agent_id, body.reason))


@router.post("/{agent_id}/release")
async def release_agent(
    agent_id: AgentId, quarantine: QuarantineUseCases, by: Releaser
) -> AgentDetail:
    """Lets a quarantined agent in again, after somebody has looked; 409 `agent_retired`."""
    return detail_of(*await quarantine.release(agent_id))
