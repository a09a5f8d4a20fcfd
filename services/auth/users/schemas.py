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
    model_validator,
)

from libs.kit.pagination import PageParams
from libs.kit.service import Row
from libs.kit.text import storable
from services.auth.schemas import Profile, ProfilePatch, RoleKey, Username


class UserSort(StrEnum):
    """The orders in which users can be listed; a leading minus means descending."""

    ID = "id"
    ID_DOWN = "-id"
    USERNAME = "username"
    USERNAME_DOWN = "-username"
    CREATED = "created_at"
    CREATED_DOWN = "-created_at"
    LAST_LOGIN = "last_login_at"
    LAST_LOGIN_DOWN = "-last_login_at"


class UserQuery(BaseModel):
    """Page and filters of the list of users; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20
    search: Annotated[str, StringConstraints(max_length=128), AfterValidator(storable)] | None = (
        None
    )
    """Part of the user name, display name or e-mail, taken literally, in any case of letters."""
    is_active: bool | None = None
    role: Annotated[str, StringConstraints(max_length=64), AfterValidator(storable)] | None = None
    """The key of a role that the user holds, also through a group."""
    group_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    include_deleted: bool = False
    sort: UserSort = UserSort.ID

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


class UserCreate(Profile):
    """A new user. Length and content of the password are judged by the use case."""

    username: Username
    password: str | None = None
    one_time_password: bool = False
    """Instead of `password`: make one for the first login, told once, in the answer."""
    roles: Annotated[list[RoleKey], Field(max_length=50)] = Field(default_factory=list)
    """Keys of roles. None of them means that the user may log in and see nothing."""
    must_change_password: bool = False

    @model_validator(mode="after")
    def _one_password(self) -> "UserCreate":
        if (self.password is None) != self.one_time_password:
            raise ValueError("give either password or one_time_password")
        return self


class UserPatch(ProfilePatch):
    """What may be changed about a user; an absent field stays as it is."""

    is_active: bool | None = None
    roles: Annotated[list[RoleKey], Field(max_length=50)] | None = None


class GroupName(Row):
    """A group that a user belongs to."""

    id: int
    name: str


class UserOut(Row):
    """A user as administrators see it; `roles` are the user's own, without those of groups."""

    id: int
    username: str
    display_name: str
    email: str
    phone: str
    department: str
    position: str
    roles: list[str]
    groups: list[GroupName]
    origin: str
    """`local`, `directory` or `oidc`: who knows the password."""
    is_active: bool
    must_change_password: bool
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None
    deleted_at: datetime | None


class UserCreated(UserOut):
    """A new user; `one_time_password` is told here and never again, if one was made."""

    one_time_password: str | None = None


class PasswordReset(Row):
    """A password for one login, which can do nothing but set another one; told once."""

    one_time_password: str
    expires_at: datetime
