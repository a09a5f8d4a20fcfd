"""What the API of API tokens takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from libs.kit.service import Moment, Row, Schema
from libs.kit.text import Name

Scope = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z_]{1,32}:[a-z_]{1,32})$")]


class TokenCreate(Schema):
    """A new API token. Its scopes are permissions that the caller holds or has grants for."""

    name: Name
    """Unlike those of the caller's other tokens."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=100)]
    expires_at: Moment
    """At least a minute and at most a year from now."""
    carries_grants: bool = True
    """Whether the caller's grants count for it, within the scopes; without, only roles do."""


class TokenOut(Row):
    """An API token, without what makes it one."""

    id: int
    name: str
    scopes: list[str]
    carries_grants: bool
    created_at: datetime
    expires_at: datetime
    is_expired: bool
    last_used_at: datetime | None
    last_address: str


class TokenCreated(TokenOut):
    """A new API token; `token` is told here and never again."""

    token: str


class TokensRevoked(Row):
    """How many API tokens were revoked."""

    revoked: int
