"""Agents: who is there, and shutting them out."""

import json
from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit.auth import Principal, require
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.hosts.agents.schemas import AgentDetail, AgentId, AgentOut, AgentQuery
from services.hosts.agents.service import Agents
from services.hosts.domain import presence
from services.hosts.models import Agent, Host

router = APIRouter(prefix="/api/agents", tags=["agents"])

AgentsUseCases = Annotated[Agents, provided(Agents)]
Reader = Annotated[Principal, require("agents:read")]
Writer = Annotated[Principal, require("agents:write")]
Enabler = Annotated[Principal, require("agents:write", proved=True)]


@router.get("")
async def list_agents(
    query: Annotated[AgentQuery, Query()], agents: AgentsUseCases, by: Reader
) -> Page[AgentOut]:
    """Agents with their hosts, page by page; retired ones are not listed."""
    total, found = await agents.page(query)
    rows = [_out(agent, host) for agent, host in found]
    return Page.of(rows, total=total, params=query.paging)


@router.get("/{agent_id}")
async def show_agent(agent_id: AgentId, agents: AgentsUseCases, by: Reader) -> AgentDetail:
    """One agent with its inventory."""
    return detail_of(*await agents.one(agent_id))


@router.delete("/{agent_id}")
async def retire_agent(agent_id: AgentId, agents: AgentsUseCases, by: Writer) -> None:
    """Ends an identity for good; the host stays and can enrol again."""
    await agents.retire(agent_id)


@router.post("/{agent_id}/disable")
async def disable_agent(agent_id: AgentId, agents: AgentsUseCases, by: Writer) -> AgentDetail:
    """Shuts an agent out within seconds, until it is enabled again."""
    return detail_of(*await agents.disable(agent_id))


@router.post("/{agent_id}/enable")
async def enable_agent(agent_id: AgentId, agents: AgentsUseCases, by: Enabler) -> AgentDetail:
    """Lets a disabled agent in again; 409 `agent_retired`."""
    return detail_of(*await agents.enable(agent_id))


def _out(agent: Agent, host: Host) -> AgentOut:
    return AgentOut(
        id=agent.id,
        host_id=host.id,
        host_name=host.name,
        ip_address=host.ip_address,
        status=presence(agent.id, agent.status, is_online=agent.is_online),
        version=agent.version,
        last_seen_at=agent.last_seen_at,
        connected_at=agent.connected_at,
        enrolled_at=agent.enrolled_at,
        metrics=None if agent.metrics is None else json.loads(agent.metrics),
    )


def detail_of(agent: Agent, host: Host) -> AgentDetail:
    """An agent as the API shows it."""
    return AgentDetail(
        **_out(agent, host).model_dump(),
        identity_epoch=agent.identity_epoch,
        gateway_id=agent.gateway_id,
        public_key=agent.public_key,
        inventory=json.loads(agent.inventory),
        quarantined_at=agent.quarantined_at,
        quarantine_reason=agent.quarantine_reason,
    )
