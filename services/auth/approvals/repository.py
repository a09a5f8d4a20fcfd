"""Approvals in the database."""

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from libs.contracts.approvals import (
    ApprovalDetail,
    ApprovalInfo,
    ApprovalState,
    ApprovalVote,
    Approver,
)
from libs.kit.db import Transaction
from services.auth.approvals.domain import standing
from services.auth.approvals.schemas import ApprovalQuery
from services.auth.errors import DecidedAlready
from services.auth.models import Approval, ApprovalDecision, GroupMember, User

LISTED_FOR = timedelta(days=365)
"""Without the right to see all, older ones are not listed any more."""


class ApprovalRepository:
    """Questions about approvals and their votes."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_id(self, approval_id: str, *, lock: bool = False) -> Approval | None:
        """The approval with this id; locked, nobody else decides meanwhile."""
        query = select(Approval).where(Approval.id == approval_id)
        found = self._tx.scalars(query.with_for_update() if lock else query)
        return found.one_or_none()

    def votes(self, approval_id: str) -> Sequence[ApprovalDecision]:
        """What was said so far, in its order."""
        query = select(ApprovalDecision).where(ApprovalDecision.approval_id == approval_id)
        return self._tx.scalars(query.order_by(ApprovalDecision.decided_at)).all()

    def info(self, approval: Approval) -> ApprovalInfo:
        """An approval as it stands now."""
        votes = self.votes(approval.id)
        named = json.loads(approval.approvers)
        return ApprovalInfo(
            id=approval.id,
            subject_kind=approval.subject_kind,
            subject_id=approval.subject_id,
            subject_name=approval.subject_name,
            subject_hash=approval.subject_hash,
            requester_id=approval.requester_id,
            requester_name=approval.requester_name,
            reason=approval.reason,
            approver_ids=named["users"],
            approver_group_ids=named["groups"],
            quorum=approval.quorum,
            state=standing(
                approval.state,
                [vote.approve for vote in votes],
                quorum=approval.quorum,
                expires_at=approval.expires_at,
                now=self._tx.now,
            ),
            votes=[ApprovalVote.model_validate(vote) for vote in votes],
            created_at=approval.created_at,
            expires_at=approval.expires_at,
            decided_at=approval.decided_at,
        )

    def detail(self, approval: Approval) -> ApprovalDetail:
        """The same with what is approved."""
        return ApprovalDetail(**self.info(approval).model_dump(), content=approval.content)

    def people(self, users: Sequence[int], groups: Sequence[int], *, but: int) -> list[Approver]:
        """The active users among these and in these groups, without one, by name."""
        inside = exists().where(GroupMember.user_id == User.id, GroupMember.group_id.in_(groups))
        query = select(User).where(
            or_(User.id.in_(users), inside), User.is_active.is_(True), User.id != but
        )
        found = self._tx.scalars(query.order_by(User.username_key))
        return [Approver(user_id=user.id, username=user.username) for user in found]

    def page_for(
        self, query: ApprovalQuery, *, user_id: int, sees_all: bool
    ) -> tuple[int, Sequence[Approval]]:
        """The total and one page, newest first; of others only what is the user's business."""
        conditions: list[ColumnElement[bool]] = []
        if query.subject_kind is not None:
            conditions.append(Approval.subject_kind == query.subject_kind)
        if query.state is not None:
            conditions.append(self._stands(query.state))
        if query.mine_to_decide:
            conditions.append(self._stands(ApprovalState.OPEN))
        elif not sees_all:
            conditions.append(Approval.created_at > self._tx.now - LISTED_FOR)
        newest = select(Approval).where(*conditions).order_by(Approval.id.desc())
        start, size = query.paging.offset, query.paging.page_size
        if sees_all and not query.mine_to_decide:
            total = self._tx.scalar(select(func.count()).select_from(Approval).where(*conditions))
            return total or 0, self._tx.scalars(newest.limit(size).offset(start)).all()
        groups, decided = self.groups_of(user_id), self._decided_by(user_id)
        rows = [
            row
            for row in self._tx.scalars(newest)
            if (
                may_decide(row, user_id, groups) and row.id not in decided
                if query.mine_to_decide
                else concerns(row, user_id, groups)
            )
        ]
        return len(rows), rows[start : start + size]

    def groups_of(self, user_id: int) -> set[int]:
        """The groups of a user."""
        query = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
        return set(self._tx.scalars(query))

    def _stands(self, state: ApprovalState) -> ColumnElement[bool]:
        late = Approval.expires_at <= self._tx.now
        is_open = Approval.state == ApprovalState.OPEN
        if state is ApprovalState.OPEN:
            return is_open & ~late
        if state is ApprovalState.EXPIRED:
            return or_(Approval.state == state, is_open & late)
        return Approval.state == state

    def _decided_by(self, user_id: int) -> set[str]:
        query = select(ApprovalDecision.approval_id).where(ApprovalDecision.user_id == user_id)
        return set(self._tx.scalars(query))

    def add(self, approval: Approval) -> None:
        """Stores a new approval."""
        self._tx.add(approval)
        self._tx.flush()

    def vote(self, vote: ApprovalDecision) -> None:
        """Stores what somebody said; raises DecidedAlready the second time."""
        try:
            with self._tx.session.begin_nested():
                self._tx.add(vote)
                self._tx.flush()
        except IntegrityError as error:
            raise DecidedAlready(approval_id=vote.approval_id) from error

    def close(self, approval_id: str, state: ApprovalState) -> bool:
        """Ends an open approval; False when somebody else did."""
        changed = self._tx.changed(
            update(Approval)
            .where(Approval.id == approval_id, Approval.state == ApprovalState.OPEN)
            .values(state=state, decided_at=self._tx.now)
        )
        return changed == 1

    def close_expired(self, limit: int) -> int:
        """Marks open approvals whose time is over; says how many."""
        query = select(Approval.id).where(
            Approval.state == ApprovalState.OPEN, Approval.expires_at <= self._tx.now
        )
        ids = self._tx.scalars(query.limit(limit)).all()
        return sum(self.close(one, ApprovalState.EXPIRED) for one in ids)


def concerns(approval: Approval, user_id: int, groups: set[int]) -> bool:
    """Whether a user asked for it or was asked."""
    if approval.requester_id == user_id:
        return True
    named = json.loads(approval.approvers)
    return user_id in named["users"] or bool(groups & set(named["groups"]))


def may_decide(approval: Approval, user_id: int, groups: set[int]) -> bool:
    """Whether a user was asked; the requester never is."""
    return approval.requester_id != user_id and concerns(approval, user_id, groups)
