"""The consent of others, as the contexts that need it ask for it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MAX_CONTENT: Final = 600_000
"""Characters; what is longer nobody reads before saying yes."""


class ApprovalState(StrEnum):
    """How an approval stands. Only `approved` lets anything happen."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ApprovalRequest(BaseModel):
    """What is to be approved, by whom, and until when.

    `subject_hash` is SHA-256 (lower-case hex) over everything that is approved; another content
    needs another approval. The requester never counts as an approver. Who asks again with the same
    `id` and the same content gets the answer of before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")] | None = None
    """Chosen by who asks, so that asking can be repeated after a crash; else a new one."""
    subject_kind: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    subject_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    subject_name: Annotated[str, StringConstraints(max_length=128)] = ""
    subject_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    requester_id: Annotated[int, Field(ge=1)]
    requester_name: Annotated[str, StringConstraints(max_length=64)] = ""
    reason: Annotated[str, StringConstraints(max_length=2000)] = ""
    approver_ids: Annotated[list[int], Field(max_length=100)] = []
    approver_group_ids: Annotated[list[int], Field(max_length=20)] = []
    quorum: Annotated[int, Field(ge=1, le=20)] = 1
    expires_in_seconds: Annotated[int, Field(ge=10, le=30 * 86_400)] = 86_400
    content: Annotated[str, StringConstraints(max_length=MAX_CONTENT)] = ""
    """What `subject_hash` was taken from, if approvers are to see it: JSON as text, in UTF-8."""


class ApprovalVote(BaseModel):
    """What one approver said."""

    model_config = ConfigDict(from_attributes=True)

    user_id: int
    username: str
    approve: bool
    comment: str
    decided_at: datetime


class ApprovalInfo(BaseModel):
    """An approval as it stands now."""

    id: str
    subject_kind: str
    subject_id: str
    subject_name: str
    subject_hash: str
    requester_id: int
    requester_name: str
    reason: str
    approver_ids: list[int]
    approver_group_ids: list[int]
    quorum: int
    state: ApprovalState
    votes: list[ApprovalVote]
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    def allows(self, subject_kind: str, subject_id: str, subject_hash: str) -> bool:
        """Whether exactly this content is approved."""
        named = (self.subject_kind, self.subject_id, self.subject_hash)
        return self.state is ApprovalState.APPROVED and named == (
            subject_kind,
            subject_id,
            subject_hash,
        )


class ApprovalDetail(ApprovalInfo):
    """An approval with what is approved, as far as whoever asked has handed it over."""

    content: str


class Approver(BaseModel):
    """Somebody who may approve something."""

    user_id: int
    username: str
