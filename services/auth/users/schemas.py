"""What the API of users takes and shows."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from libs.kit.pagination import PageParams
from libs.kit.service import Choice, Row, Schema
from libs.kit.text import storable
from services.auth.domain import Role
from services.auth.schemas import Username


class UserSort(StrEnum):
    """The orders in which users can be listed; a leading minus means descending."""

    ID = "id"
    ID_DOWN = "-id"
    USERNAME = "username"
    USERNAME_DOWN = "-username"
    CREATED = "created_at"
    CREATED_DOWN = "-created_at"


class UserQuery(BaseModel):
    """Page and filters of the list of users; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    search: Annotated[str, StringConstraints(max_length=128), AfterValidator(storable)] | None = (
        None
    )
    """Part of the user name, taken literally, upper and lower case alike."""
    is_active: bool | None = None
    sort: UserSort = UserSort.ID

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


class UserCreate(Schema):
    """A new user. Length and content of the password are judged by the use case."""

    username: Username
    password: str
    roles: list[Choice[Role]] = Field(default_factory=list, max_length=10)
    """None of them means that the user may log in and see nothing."""
    must_change_password: bool = False


class UserPatch(Schema):
    """What may be changed about a user; an absent field stays as it is."""

    is_active: bool | None = None
    roles: Annotated[list[Choice[Role]], Field(max_length=10)] | None = None

    @field_validator("is_active", "roles", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null; leave the field out to keep what it is")
        return value


class UserOut(Row):
    """A user as administrators see it."""

    id: int
    username: str
    roles: list[str]
    is_active: bool
    must_change_password: bool
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None
