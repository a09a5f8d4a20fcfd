"""What the API of decisions takes and shows."""

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from libs.contracts.grants import AGENT_ACCOUNT, Action, Missing, ObjectType
from libs.kit.ids import Id
from libs.kit.pagination import PageParams
from libs.kit.service import Choice, Moment, Row, Schema
from services.auth.grants.domain import account, object_id, what
from services.auth.grants.schemas import GrantOut

Text = Annotated[str, StringConstraints(max_length=128)]
ObjectId = int | Text
What = Annotated[Text, AfterValidator(what)]
Account = Annotated[Text, AfterValidator(account)]
Actions = Annotated[list[Choice[Action]], Field(min_length=1, max_length=6)]


class CheckIn(Schema):
    """May the caller do these things with an object? Of running on hosts, say what and as whom."""

    object_type: Choice[ObjectType]
    object_id: ObjectId
    actions: Actions
    what: What = "adhoc"
    account: Account = AGENT_ACCOUNT

    @model_validator(mode="after")
    def _fits(self) -> Self:
        object_id(self.object_id, self.object_type)
        return self


class CheckManyIn(Schema):
    """Several questions at once."""

    items: Annotated[list[CheckIn], Field(min_length=1, max_length=500)]


class CheckOut(Row):
    """The answer for each action."""

    object_type: ObjectType
    object_id: str
    results: dict[Action, bool]


class ResourcesIn(Schema):
    """May the caller do these things with each of these objects?"""

    object_type: Choice[ObjectType]
    object_ids: Annotated[list[ObjectId], Field(min_length=1, max_length=500)]
    actions: Actions
    what: What = "adhoc"
    account: Account = AGENT_ACCOUNT

    @model_validator(mode="after")
    def _fit(self) -> Self:
        for one in self.object_ids:
            object_id(one, self.object_type)
        return self


class ExplainIn(Schema):
    """One decision to be explained; of somebody else only with `permissions:read`."""

    user_id: Id | None = None
    action: Choice[Action]
    object_type: Choice[ObjectType]
    object_id: ObjectId
    what: What = "adhoc"
    account: Account = AGENT_ACCOUNT
    at: Moment | None = None
    """Another moment than now, for grants as they are now."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        object_id(self.object_id, self.object_type)
        return self


class ExplainOut(Row):
    """A decision: by a permission, by one grant, or what was missing of the nearest one."""

    allowed: bool
    permission: str | None
    grant: GrantOut | None
    missing: Missing | None
    text: str
    text_zh: str


class GroupRef(Row):
    """A group of users."""

    id: int
    name: str


class RightsOut(Row):
    """Everything that somebody may do: by roles, and by grants that have not ended."""

    user_id: int
    username: str
    is_active: bool
    roles: list[str]
    groups: list[GroupRef]
    permissions: list[str]
    permission_count: int
    grants: list[GrantOut]
    granted_permissions: list[str]
    """What the grants stand for, on their objects alone; scopes of API tokens may name these."""


class VisibleOut(Row):
    """With which objects of a kind something may be done now."""

    everything: bool
    ids: list[str]
    groups: list[str]


class ViewAsOut(Row):
    """The platform as somebody else sees it, for looking only: no request is made as them."""

    rights: RightsOut
    visible: dict[ObjectType, dict[Action, VisibleOut]]


class WhoCanQuery(BaseModel):
    """The question who may do something; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    action: Action
    object_type: ObjectType
    object_id: Text
    what: What = "adhoc"
    account: Account = AGENT_ACCOUNT

    @model_validator(mode="after")
    def _fits(self) -> Self:
        object_id(self.object_id, self.object_type)
        return self

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


class WhoCanOut(Row):
    """Somebody who may, and by what."""

    user_id: int
    username: str
    permission: str | None
    grant_id: int | None


class WordOut(Row):
    """A word of grants and what it means."""

    name: str
    description: str
    description_zh: str
    permissions: dict[Action, str] = Field(default_factory=dict)
    """Of a kind of object: the permission that allows each action on all of them."""


class CatalogueOut(Row):
    """What grants are made of."""

    object_types: list[WordOut]
    actions: list[WordOut]


class KnownAccess(Schema):
    """A user whose access is asked for, and the version that the asker has."""

    user_id: Annotated[int, Field(ge=1)]
    version: Text = ""


class AccessAsked(Schema):
    """Users whose access is asked for at once."""

    users: Annotated[list[KnownAccess], Field(max_length=1000)]
