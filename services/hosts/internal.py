"""What other services ask about hosts and agents; never reachable from outside."""

from typing import Annotated

import msgspec
from fastapi import APIRouter

from libs.contracts.hosts import (
    AgentIdentity,
    EnrolAnswer,
    EnrolmentTokenIssued,
    EnrolRequest,
    Lineage,
)
from libs.kit.auth import Principal, internal_only
from libs.kit.errors import Forbidden
from libs.kit.service import Ready, provided
from services.hosts.agents.service import Agents
from services.hosts.enrolment.service import Enrolment
from services.hosts.groups.service import Groups
from services.hosts.quarantine.service import Quarantine
from services.hosts.schemas import (
    AgentAsked,
    AgentsAsked,
    BundleSaid,
    CloneSaid,
    LineageAsked,
    ResolveGroups,
    ResolveHosts,
    TokenAsked,
)
from services.hosts.service import Hosts

router = APIRouter(prefix="/internal", tags=["internal"])

HostsUseCases = Annotated[Hosts, provided(Hosts)]
AgentsUseCases = Annotated[Agents, provided(Agents)]
EnrolmentUseCases = Annotated[Enrolment, provided(Enrolment)]
QuarantineUseCases = Annotated[Quarantine, provided(Quarantine)]
GroupsUseCases = Annotated[Groups, provided(Groups)]
Caller = Annotated[Principal, internal_only()]


@router.post("/hosts/resolve")
async def resolve_targets(body: ResolveHosts, hosts: HostsUseCases, by: Caller) -> Ready:
    """What execution needs of these hosts, as the caller may see them: a list of HostTarget."""
    return Ready(msgspec.json.encode(await hosts.targets(body.host_ids, by)))


@router.post("/hosts/resolve-groups")
async def resolve_groups(body: ResolveGroups, hosts: HostsUseCases, by: Caller) -> Ready:
    """The same of the hosts in these groups, as the caller may see them."""
    return Ready(msgspec.json.encode(await hosts.targets_in(body.group_ids, by)))


@router.post("/hosts/lineage")
async def lineage(body: LineageAsked, groups: GroupsUseCases, by: Caller) -> Lineage:
    """The groups around hosts and groups, for decisions."""
    return await groups.lineage(body.host_ids, body.group_ids)


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


@router.get("/agents/trust")
async def trust_bundle(enrolment: EnrolmentUseCases, by: Caller) -> str:
    """What agents check orders against; empty before there is anything."""
    return await enrolment.trust()


@router.post("/agents/trust")
async def publish_trust(body: BundleSaid, enrolment: EnrolmentUseCases, by: Caller) -> None:
    """The signer, or the supervisor before it, says which keys count."""
    if by.kind != "service":
        raise Forbidden
    await enrolment.publish_trust(body.bundle)


@router.post("/agents/clone")
async def report_clone(body: CloneSaid, quarantine: QuarantineUseCases, by: Caller) -> None:
    """A gateway saw one identity in two places."""
    if by.kind != "service":
        raise Forbidden
    await quarantine.cloned(body.agent_id, body.boot_ids, body.evidence)


@router.post("/agents/enrolment-tokens", status_code=201)
async def issue_enrolment_token(
    body: TokenAsked, enrolment: EnrolmentUseCases, by: Caller
) -> EnrolmentTokenIssued:
    """A token for the supervisor's local agent; people ask through the API."""
    if by.kind != "service":
        raise Forbidden
    issued = await enrolment.issue(body.host_id, ttl_seconds=body.ttl_seconds, by=by)
    return EnrolmentTokenIssued(token=issued.token, expires_at=issued.expires_at)
