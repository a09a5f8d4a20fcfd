"""What other services ask about people; never reachable from outside."""

from typing import Annotated

from fastapi import APIRouter

from libs.contracts.approvals import ApprovalInfo, ApprovalRequest, Approver
from libs.contracts.auth import FirstAdmin, PrincipalInfo
from libs.contracts.grants import AccessInfo
from libs.kit.auth import Principal, internal_only
from libs.kit.errors import Forbidden
from libs.kit.service import provided
from services.auth.access.schemas import AccessAsked
from services.auth.access.service import Access
from services.auth.approvals.schemas import ApprovalAsked, ApprovalWithdrawn, ApproversAsked
from services.auth.approvals.service import Approvals
from services.auth.audit.schemas import RefusalReports
from services.auth.audit.service import AuditLog
from services.auth.schemas import (
    ActiveUsers,
    FirstAdminCreate,
    PrincipalOfSession,
    ResolveSession,
    ResolveToken,
)
from services.auth.service import Sessions
from services.auth.tokens.service import Tokens
from services.auth.users.service import Users

router = APIRouter(prefix="/internal", tags=["internal"])

SessionsUseCases = Annotated[Sessions, provided(Sessions)]
TokensUseCases = Annotated[Tokens, provided(Tokens)]
UsersUseCases = Annotated[Users, provided(Users)]
AccessUseCases = Annotated[Access, provided(Access)]
ApprovalUseCases = Annotated[Approvals, provided(Approvals)]
Caller = Annotated[Principal, internal_only()]


@router.post("/sessions/resolve")
async def resolve_session(
    body: ResolveSession, sessions: SessionsUseCases, by: Caller
) -> PrincipalInfo | None:
    """Who owns a browser session."""
    return await sessions.resolve(body.token_hash)


@router.post("/sessions/principal")
async def principal_of_session(
    body: PrincipalOfSession, sessions: SessionsUseCases, by: Caller
) -> PrincipalInfo | None:
    """Who owns a login."""
    return await sessions.principal_of(body.session_id)


@router.post("/tokens/resolve")
async def resolve_token(
    body: ResolveToken, tokens: TokensUseCases, by: Caller
) -> PrincipalInfo | None:
    """For whom an API token acts, and what it allows."""
    return await tokens.resolve(body.token_hash, address=body.address)


@router.post("/users/active")
async def active_users(body: ActiveUsers, users: UsersUseCases, by: Caller) -> list[PrincipalInfo]:
    """Which of these users are active, and what they may do."""
    return await users.active(body.user_ids)


@router.post("/users/first-admin", status_code=201)
async def create_first_admin(
    body: FirstAdminCreate, users: UsersUseCases, by: Caller
) -> FirstAdmin:
    """Makes the first administrator; for the supervisor, not on anybody's behalf."""
    if by.kind != "service":
        raise Forbidden
    return await users.create_first_admin(body.username)


@router.post("/audit/refusals")
async def report_refusals(
    body: RefusalReports, records: Annotated[AuditLog, provided(AuditLog)], by: Caller
) -> None:
    """Takes in what a gateway refused; people have nothing to report here."""
    if by.kind != "service":
        raise Forbidden
    await records.note_refusals(body.refusals)


@router.post("/access")
async def access_of(body: AccessAsked, access: AccessUseCases, by: Caller) -> list[AccessInfo]:
    """Everything that decides about users, for services that decide about their own objects."""
    return await access.infos(body.users)


@router.post("/approvals", status_code=201)
async def request_approval(
    body: ApprovalRequest, approvals: ApprovalUseCases, by: Caller
) -> ApprovalInfo:
    """Asks others for their consent to one content."""
    return await approvals.request(body)


@router.post("/approvals/approvers")
async def approvers(
    body: ApproversAsked, approvals: ApprovalUseCases, by: Caller
) -> list[Approver]:
    """Who could approve something."""
    return await approvals.approvers(body)


@router.post("/approvals/show")
async def show_approval(
    body: ApprovalAsked, approvals: ApprovalUseCases, by: Caller
) -> ApprovalInfo:
    """How an approval stands now."""
    return await approvals.info(body.approval_id)


@router.post("/approvals/withdraw")
async def withdraw_approval(
    body: ApprovalWithdrawn, approvals: ApprovalUseCases, by: Caller
) -> ApprovalInfo:
    """The requester takes an approval back."""
    return await approvals.withdraw(body.approval_id, body.user_id)
