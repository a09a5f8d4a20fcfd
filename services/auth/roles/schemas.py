"""What the API of roles takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from libs.kit.service import Row, Schema, refuse_null
from libs.kit.text import Name, SafeText
from services.auth.domain import PERMISSIONS


def _permission(name: str) -> str:
    if name not in PERMISSIONS:
        raise ValueError("there is no such permission; see the catalogue")
    return name


def _once(names: list[str]) -> list[str]:
    return sorted(set(names))


Permission = Annotated[str, StringConstraints(max_length=64), AfterValidator(_permission)]
Permissions = Annotated[list[Permission], Field(max_length=200), AfterValidator(_once)]


class RoleCreate(Schema):
    """A new custom role. Nobody can put more into it than they hold themselves."""

    name: Name
    description: SafeText = ""
    permissions: Permissions
    require_two_factor: bool = False


class RolePatch(Schema):
    """What may be changed about a role; of a built-in one only `require_two_factor`."""

    name: Name | None = None
    description: SafeText | None = None
    permissions: Permissions | None = None
    require_two_factor: bool | None = None

    _not_null = field_validator("*", mode="before")(refuse_null)


class RoleOut(Row):
    """A role. `key` is what users and groups hold; `permissions` of an administrator is `*`."""

    id: int
    key: str
    name: str
    description: str
    permissions: list[str]
    is_built_in: bool
    require_two_factor: bool
    user_count: int
    group_count: int
    created_at: datetime
    updated_at: datetime


class PermissionOut(Row):
    """A permission and what it means."""

    name: str
    description: str
    description_zh: str
