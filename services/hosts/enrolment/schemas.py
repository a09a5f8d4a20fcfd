"""What the API of enrolment tokens takes and shows."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.kit.ids import Id
from libs.kit.service import Row, Schema
from services.hosts.schemas import ListQuery


class TokenState(StrEnum):
    """What became of a token."""

    OPEN = "open"
    USED = "used"
    REVOKED = "revoked"
    EXPIRED = "expired"


class TokenQuery(ListQuery):
    """Page and filters of the list of tokens, newest first."""

    host_id: Id | None = None
    state: TokenState | None = None


class TokenCreate(Schema):
    """A one-time token: for one host, or, without `host_id`, for one that is not known yet."""

    host_id: Id | None = None
    ttl_seconds: Annotated[int, Field(ge=1, le=3600)] = 600


class TokenOut(Row):
    """A token without its text, which was shown once."""

    id: int
    host_id: int | None
    state: TokenState
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    agent_id: str | None


class GatewayOut(Row):
    """Where agents connect: at `url` if settings tell it, else at `port` of the console's host.

    Neither is known where a load balancer that no setting names stands before the gateway.
    """

    url: str | None
    port: int | None


class TokenIssuedOut(Row):
    """A fresh token; the only moment at which its text is shown.

    The others belong to the line that enrols the agent: `gateway_url` as settings tell it, and the
    fingerprints (`sha256:…`) of the certificate that is shown there and of the platform's root key.
    """

    id: int
    token: str
    host_id: int | None
    expires_at: datetime
    gateway_url: str | None
    gateway_fingerprint: str | None
    root_fingerprint: str | None
