"""What the API of groups takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from libs.kit.ids import Id
from libs.kit.pagination import PageParams
from libs.kit.service import Row, Schema, refuse_null
from libs.kit.text import Name, SafeText, storable
from services.auth.schemas import RoleKey

RoleKeys = Annotated[list[RoleKey], Field(max_length=50)]


class GroupQuery(BaseModel):
    """Page and filter of the list of groups; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    search: Annotated[str, StringConstraints(max_length=128), AfterValidator(storable)] | None = (
        None
    )
    """Part of the name, taken literally, upper and lower case alike."""

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


class GroupCreate(Schema):
    """A new group. Names that differ only by case or composition are the same name."""

    name: Name
    description: SafeText = ""
    roles: RoleKeys = Field(default_factory=list)
    """Keys of roles that every member has."""


class GroupPatch(Schema):
    """What may be changed about a group; an absent field stays as it is."""

    name: Name | None = None
    description: SafeText | None = None
    roles: RoleKeys | None = None

    _not_null = field_validator("*", mode="before")(refuse_null)


class MembersAdd(Schema):
    """Users who join a group; who is in it already stays."""

    user_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)]


class GroupOut(Row):
    """A group, what its members get from it, and how many there are."""

    id: int
    name: str
    description: str
    roles: list[str]
    member_count: int
    created_at: datetime
    updated_at: datetime


class MemberOut(Row):
    """A user in a group."""

    id: int
    username: str
    display_name: str
    is_active: bool
