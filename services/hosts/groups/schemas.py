"""What the API of groups takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints, field_validator

from libs.kit.ids import Id
from libs.kit.service import Row, Schema, refuse_null
from libs.kit.text import Name, SafeText
from services.hosts.schemas import ListQuery, SearchText


class GroupQuery(ListQuery):
    """Page, filters and order of the list of groups."""

    search: SearchText | None = None
    """Part of the name, taken literally, in any case of letters."""
    parent_id: Id | None = None
    """Only the groups directly below this one."""
    sort: Annotated[str, StringConstraints(pattern=r"^-?(id|name|created_at)$")] = "name"


class GroupCreate(Schema):
    """A new group, below another one or at the top."""

    name: Name
    parent_id: Id | None = None
    description: SafeText = ""


class GroupPatch(Schema):
    """What may be changed about a group; `parent_id` null moves it to the top."""

    name: Name | None = None
    parent_id: Id | None = None
    description: SafeText | None = None

    _not_null = field_validator("name", "description", mode="before")(refuse_null)


class GroupOut(Row):
    """A group; `host_count` counts the hosts that are directly in it."""

    id: int
    name: str
    parent_id: int | None
    description: str
    host_count: int
    created_at: datetime
    updated_at: datetime
