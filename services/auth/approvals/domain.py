"""When an approval is given, and who may give it. Knows no database and no clock."""

from collections.abc import Iterable
from datetime import datetime

from libs.contracts.approvals import ApprovalState


def standing(
    state: str, votes: Iterable[bool], *, quorum: int, expires_at: datetime, now: datetime
) -> ApprovalState:
    """How an approval stands: one no closes it, as many yeses as the quorum give it.

    What was decided in time stays; what is open when its time is over has expired.
    """
    if state != ApprovalState.OPEN:
        return ApprovalState(state)
    said = list(votes)
    if not all(said):
        return ApprovalState.DECLINED
    if len(said) >= quorum:
        return ApprovalState.APPROVED
    return ApprovalState.EXPIRED if expires_at <= now else ApprovalState.OPEN
