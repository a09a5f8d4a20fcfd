"""What the API of security events takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from libs.kit.pagination import PageParams
from libs.kit.service import Row


class EventQuery(BaseModel):
    """Page and filters of what was refused, newest first; an unknown parameter is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=100_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    agent_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")] | None = None

    @property
    def paging(self) -> PageParams:
        """The page that is asked for."""
        return PageParams(self.page, self.page_size)


class SecurityEventOut(Row):
    """Something that nobody honest sends was refused; `source` is agent or platform."""

    id: str
    at: datetime
    source: str
    agent_id: str
    reason: str
    detail: str
    task_id: str | None
    attempt: int | None
    count: int
