"""The use cases of approvals: asking, deciding once, taking back, and what came of it."""

import json
from datetime import timedelta
from hashlib import sha256

from libs.contracts.approvals import (
    ApprovalDetail,
    ApprovalInfo,
    ApprovalRequest,
    ApprovalState,
    Approver,
)
from libs.contracts.audit import audit
from libs.contracts.auth import ApprovalChanged
from libs.kit.auth import Principal, must_be_proved
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.ids import new_id
from services.auth.approvals.repository import ApprovalRepository, concerns, may_decide
from services.auth.approvals.schemas import ApprovalQuery, ApproversAsked, DecideIn
from services.auth.domain import refuse_api_token
from services.auth.errors import (
    ApprovalClosed,
    ApprovalNotFound,
    ApprovalNotYours,
    ContentChanged,
    TooFewApprovers,
)
from services.auth.models import Approval, ApprovalDecision

CLOSED_AT_ONCE = 200


class Approvals:
    """Consent to exactly one content. Nobody approves what they asked for."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # ---- for other services ----------------------------------------------------------------

    @writes
    def request(self, tx: Transaction, asked: ApprovalRequest) -> ApprovalInfo:
        """A new approval; asked again with the same id, the one of before.

        Raises TooFewApprovers when the quorum can never be reached, ContentChanged when the hash is
        not that of the content, or the id is that of another request.
        """
        approvals = ApprovalRepository(tx)
        if asked.content and sha256(asked.content.encode()).hexdigest() != asked.subject_hash:
            raise ContentChanged
        earlier = approvals.by_id(asked.id) if asked.id is not None else None
        if earlier is not None:
            return _same(approvals.info(earlier), asked)
        people = approvals.people(
            asked.approver_ids, asked.approver_group_ids, but=asked.requester_id
        )
        if len(people) < asked.quorum:
            raise TooFewApprovers(quorum=asked.quorum, approvers=len(people))
        approval = Approval(
            id=asked.id or new_id(),
            subject_kind=asked.subject_kind,
            subject_id=asked.subject_id,
            subject_name=asked.subject_name,
            subject_hash=asked.subject_hash,
            requester_id=asked.requester_id,
            requester_name=asked.requester_name,
            reason=asked.reason,
            approvers=json.dumps(
                {
                    "users": sorted(set(asked.approver_ids)),
                    "groups": sorted(set(asked.approver_group_ids)),
                }
            ),
            quorum=asked.quorum,
            state=ApprovalState.OPEN,
            created_at=tx.now,
            expires_at=tx.now + timedelta(seconds=asked.expires_in_seconds),
            decided_at=None,
            content=asked.content,
        )
        approvals.add(approval)
        info = approvals.info(approval)
        _told(tx, "approval.request", info)
        return info

    @reads
    def approvers(self, tx: Transaction, asked: ApproversAsked) -> list[Approver]:
        """Who could approve something."""
        approvals = ApprovalRepository(tx)
        return approvals.people(asked.user_ids, asked.group_ids, but=asked.but)

    @reads
    def info(self, tx: Transaction, approval_id: str) -> ApprovalInfo:
        """How an approval stands; raises ApprovalNotFound."""
        return ApprovalRepository(tx).info(_required(tx, approval_id))

    @writes
    def withdraw(self, tx: Transaction, approval_id: str, user_id: int) -> ApprovalInfo:
        """The requester takes an open one back; raises ApprovalClosed or ApprovalNotYours."""
        approvals, approval = ApprovalRepository(tx), _required(tx, approval_id, lock=True)
        if approval.requester_id != user_id:
            raise ApprovalNotYours(approval_id=approval_id)
        _must_be_open(approvals.info(approval))
        approvals.close(approval_id, ApprovalState.WITHDRAWN)
        return _closed(tx, approval, "approval.withdraw")

    # ---- people ----------------------------------------------------------------------------

    @reads
    def page(
        self, tx: Transaction, query: ApprovalQuery, by: Principal
    ) -> tuple[int, list[ApprovalInfo]]:
        """The total and one page; without `permissions:read` what is the caller's business."""
        approvals = ApprovalRepository(tx)
        sees_all = by.can("permissions:read")
        total, rows = approvals.page_for(query, user_id=by.id, sees_all=sees_all)
        return total, [approvals.info(row) for row in rows]

    @reads
    def one(self, tx: Transaction, approval_id: str, by: Principal) -> ApprovalDetail:
        """An approval; raises ApprovalNotFound, also for one that is not the caller's business."""
        return ApprovalRepository(tx).detail(_seen(tx, approval_id, by))

    @writes
    def decide(
        self, tx: Transaction, approval_id: str, wanted: DecideIn, by: Principal
    ) -> ApprovalInfo:
        """A yes or a no of the caller, once, about exactly the content that was looked at.

        A yes lets hosts run something, so it needs a proof as fresh as any delicate thing; a no
        is for everybody who comes in time. Raises ApprovalNotFound, ApprovalNotYours,
        ApprovalClosed, DecidedAlready, StepUpRequired, and Conflict `content_changed` for
        another hash.
        """
        refuse_api_token(by)
        approvals = ApprovalRepository(tx)
        approval = _seen(tx, approval_id, by, lock=True)
        if not may_decide(approval, by.id, approvals.groups_of(by.id)) or by.kind != "user":
            raise ApprovalNotYours(approval_id=approval_id)
        if wanted.approve:
            must_be_proved(by)
        if wanted.subject_hash != approval.subject_hash:
            raise ContentChanged(approval_id=approval_id)
        before = approvals.info(approval)
        if by.id not in {vote.user_id for vote in before.votes}:
            _must_be_open(before)
        approvals.vote(
            ApprovalDecision(
                approval_id=approval_id,
                user_id=by.id,
                username=by.username,
                approve=wanted.approve,
                comment=wanted.comment,
                decided_at=tx.now,
            )
        )
        state = approvals.info(approval).state
        if state is not ApprovalState.OPEN:
            approvals.close(approval_id, state)
        return _closed(tx, approval, "approval.approve" if wanted.approve else "approval.decline")

    @writes
    def close_expired(self, tx: Transaction) -> int:
        """Marks open approvals whose time is over; says how many."""
        return ApprovalRepository(tx).close_expired(CLOSED_AT_ONCE)


def _same(earlier: ApprovalInfo, asked: ApprovalRequest) -> ApprovalInfo:
    named = (earlier.subject_kind, earlier.subject_id, earlier.subject_hash, earlier.requester_id)
    if named != (asked.subject_kind, asked.subject_id, asked.subject_hash, asked.requester_id):
        raise ContentChanged(approval_id=earlier.id)
    return earlier


def _closed(tx: Transaction, approval: Approval, action: str) -> ApprovalInfo:
    tx.session.refresh(approval)
    info = ApprovalRepository(tx).info(approval)
    _told(tx, action, info)
    return info


def _told(tx: Transaction, action: str, info: ApprovalInfo) -> None:
    tx.emit(ApprovalChanged(approval_id=info.id, subject_kind=info.subject_kind,
                            subject_id=info.subject_id, state=info.state))  # fmt: skip
    name = f"{info.subject_kind} {info.subject_name or info.subject_id}"
    after: dict[str, object] = {"state": info.state, "sha256": info.subject_hash}
    audit(tx, action, kind="approval", id=info.id, name=name, after=after)


def _must_be_open(info: ApprovalInfo) -> None:
    if info.state is not ApprovalState.OPEN:
        raise ApprovalClosed(approval_id=info.id, state=info.state)


def _required(tx: Transaction, approval_id: str, *, lock: bool = False) -> Approval:
    approval = ApprovalRepository(tx).by_id(approval_id, lock=lock)
    if approval is None:
        raise ApprovalNotFound(approval_id=approval_id)
    return approval


def _seen(tx: Transaction, approval_id: str, by: Principal, *, lock: bool = False) -> Approval:
    approval = _required(tx, approval_id, lock=lock)
    groups = ApprovalRepository(tx).groups_of(by.id)
    if not (by.can("permissions:read") or concerns(approval, by.id, groups)):
        raise ApprovalNotFound(approval_id=approval_id)
    return approval
