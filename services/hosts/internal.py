"""What other services ask about hosts and agents; never reachable from outside."""

from typing import Annotated

from fastapi import APIRouter

from libs.contracts.hosts import (
    AgentIdentity,
    EnrolAnswer,
    EnrolmentTokenIssued,
    EnrolRequest,
    HostTarget,
)
from libs.kit.auth import Principal, internal_only
from libs.kit.errors import Forbidden
from libs.kit.service import provided
from services.hosts.agents.service import Agents
from services.hosts.enrolment.service import Enrolment
from services.hosts.schemas import AgentAsked, AgentsAsked, ResolveGroups, ResolveHosts, TokenAsked
from services.hosts.service import Hosts

router = APIRouter(prefix="/internal", tags=["internal"])

HostsUseCases = Annotated[Hosts, provided(Hosts)]
AgentsUseCases = Annotated[Agents, provided(Agents)]
EnrolmentUseCases = Annotated[Enrolment, provided(Enrolment)]
Caller = Annotated[Principal, internal_only()]


@router.post("/hosts/resolve")
async def resolve_targets(body: ResolveHosts, hosts: HostsUseCases, by: Caller) -> list[HostTarget]:
    """What execution needs of these hosts, as the caller may see them."""
    return await hosts.targets(body.host_ids, by)


@router.post("/hosts/resolve-groups")
async def resolve_groups(body: ResolveGroups, hosts: HostsUseCases, by: Caller) -> list[HostTarget]:
    """What execution needs of the hosts in these groups, as the caller may see them."""
    return await hosts.targets_in(body.group_ids, by)


@router.post("/agents/enrol", status_code=201)
async def enrol(body: EnrolRequest, enrolment: EnrolmentUseCases, by: Caller) -> EnrolAnswer:
    """Turns a token into an identity."""
    return await enrolment.enrol(body)


@router.post("/agents/identity")
async def agent_identity(
    body: AgentAsked, agents: AgentsUseCases, by: Caller
) -> AgentIdentity | None:
    """What a session is checked against."""
    return await agents.identity(body.agent_id)


@router.post("/agents/identities")
async def agent_identities(
    body: AgentsAsked, agents: AgentsUseCases, by: Caller
) -> list[AgentIdentity]:
    """What many sessions are checked against."""
    return await agents.identities(body.agent_ids)


@router.post("/agents/enrolment-tokens", status_code=201)
async def issue_enrolment_token(
    body: TokenAsked, enrolment: EnrolmentUseCases, by: Caller
) -> EnrolmentTokenIssued:
    """A token for the supervisor's local agent; people ask through the API."""
    if by.kind != "service":
        raise Forbidden
    issued = await enrolment.issue(body.host_id, ttl_seconds=body.ttl_seconds, by=by)
    return EnrolmentTokenIssued(token=issued.token, expires_at=issued.expires_at)
