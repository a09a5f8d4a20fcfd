"""What the API of approvals takes and shows."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.contracts.approvals import ApprovalState
from libs.kit.pagination import PageParams
from libs.kit.service import Schema
from libs.kit.text import SafeText


class ApprovalQuery(BaseModel):
    """Page and filters of the list of approvals; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    state: ApprovalState | None = None
    subject_kind: Annotated[str, StringConstraints(max_length=32)] | None = None
    mine_to_decide: bool = False
    """Only the open ones that the caller may decide and has not."""

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


class DecideIn(Schema):
    """A yes or a no, with the hash of what was looked at."""

    approve: bool
    subject_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    comment: SafeText = ""


class ApprovalAsked(Schema):
    """The approval that a service asks about."""

    approval_id: Annotated[str, StringConstraints(min_length=1, max_length=36)]


class ApprovalWithdrawn(ApprovalAsked):
    """Who takes a request back."""

    user_id: Annotated[int, Field(ge=1)]


class ApproversAsked(Schema):
    """Among whom somebody would look for approvers; `but` is who asks."""

    user_ids: Annotated[list[int], Field(max_length=100)]
    group_ids: Annotated[list[int], Field(max_length=20)]
    but: Annotated[int, Field(ge=0)] = 0
