"""Approvals as people see and decide them."""

from typing import Annotated

from fastapi import APIRouter, Query

from libs.contracts.approvals import ApprovalDetail, ApprovalInfo
from libs.kit.auth import Principal, authenticated
from libs.kit.ids import SortableId
from libs.kit.pagination import Page
from libs.kit.service import provided
from services.auth.approvals.schemas import ApprovalQuery, DecideIn
from services.auth.approvals.service import Approvals

router = APIRouter(prefix="/api/permissions/approvals", tags=["approvals"])

ApprovalUseCases = Annotated[Approvals, provided(Approvals)]
# Whose business an approval is, and who decides it, is written in the approval itself.
Caller = Annotated[Principal, authenticated()]
Decider = Annotated[Principal, authenticated(asks_again="to approve")]


@router.get("")
async def list_approvals(
    query: Annotated[ApprovalQuery, Query()], approvals: ApprovalUseCases, by: Caller
) -> Page[ApprovalInfo]:
    """Approvals that the caller asked for or may decide; all of them with `permissions:read`."""
    total, found = await approvals.page(query, by)
    return Page.of(found, total=total, params=query.paging)


@router.get("/{approval_id}")
async def show_approval(
    approval_id: SortableId, approvals: ApprovalUseCases, by: Caller
) -> ApprovalDetail:
    """One approval with its votes and with what is approved."""
    return await approvals.one(approval_id, by)


@router.post("/{approval_id}/decide")
async def decide_approval(
    approval_id: SortableId, wanted: DecideIn, approvals: ApprovalUseCases, by: Decider
) -> ApprovalInfo:
    """Yes or no, once; 403 `approval_not_yours`, 409 `approval_closed`, `decided_already`.

    A yes is delicate: 403 `step_up_required` for a login whose proof is old; a no never asks.
    """
    return await approvals.decide(approval_id, wanted, by)
