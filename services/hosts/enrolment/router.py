"""One-time tokens with which hosts get their agents."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.kit import clock
from libs.kit.auth import Principal, authenticated, require
from libs.kit.ids import Id
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.hosts.enrolment.schemas import (
    GatewayOut,
    TokenCreate,
    TokenIssuedOut,
    TokenOut,
    TokenQuery,
)
from services.hosts.enrolment.service import Enrolment, state_of

router = APIRouter(prefix="/api/agents/enrolment_tokens", tags=["agents"])

EnrolmentUseCases = Annotated[Enrolment, provided(Enrolment)]
Reader = Annotated[Principal, require("agents:read")]
Issuer = Annotated[Principal, require("agents:write", proved=True)]
Writer = Annotated[Principal, require("agents:write")]


@router.get("")
async def list_tokens(
    query: Annotated[TokenQuery, Query()], enrolment: EnrolmentUseCases, by: Reader
) -> Page[TokenOut]:
    """Tokens without their text, newest first."""
    total, tokens = await enrolment.page(query)
    now = clock.now()
    rows = [
        TokenOut(
            id=token.id,
            host_id=token.host_id,
            state=state_of(token, now),
            created_by=token.created_by,
            created_at=token.created_at,
            expires_at=token.expires_at,
            used_at=token.used_at,
            agent_id=token.agent_id,
        )
        for token in tokens
    ]
    return Page.of(rows, total=total, params=query.paging)


@router.get("/gateway", dependencies=[authenticated()])
async def where_agents_connect(enrolment: EnrolmentUseCases) -> GatewayOut:
    """The address for the line that enrols an agent; who may run a token's line may read it."""
    return GatewayOut.model_validate(enrolment.gateway)


@router.post("", status_code=201)
async def issue_token(
    spec: TokenCreate, enrolment: EnrolmentUseCases, by: Issuer
) -> TokenIssuedOut:
    """Makes a token that works once, for at most an hour; its text is shown here only."""
    issued = await enrolment.issue(spec.host_id, ttl_seconds=spec.ttl_seconds, by=by)
    return TokenIssuedOut.model_validate(issued)


@router.delete("/{token_id}")
async def revoke_token(token_id: Id, enrolment: EnrolmentUseCases, by: Writer) -> None:
    """Makes an unused token worthless; 409 `enrolment_token_spent`."""
    await enrolment.revoke(token_id)
