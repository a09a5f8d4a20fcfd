"""What the API of agents takes and shows."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from libs.contracts.hosts import AgentPresence
from libs.kit.ids import Id
from libs.kit.service import Row
from services.hosts.schemas import ListQuery, SearchText

AgentId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class AgentQuery(ListQuery):
    """Page, filters and order of the list of agents; retired ones are not listed."""

    search: SearchText | None = None
    """Part of the host's name or address, or the beginning of the agent's id."""
    status: AgentPresence | None = None
    host_id: Id | None = None
    sort: Annotated[
        str, StringConstraints(pattern=r"^-?(host_name|enrolled_at|last_seen_at|version)$")
    ] = "host_name"


class AgentOut(Row):
    """An agent and the host it serves."""

    id: str
    host_id: int
    host_name: str
    ip_address: str
    status: AgentPresence
    version: str
    last_seen_at: datetime | None
    connected_at: datetime | None
    enrolled_at: datetime
    metrics: dict[str, float] | None


class AgentDetail(AgentOut):
    """An agent with what it said about its host when it last connected."""

    identity_epoch: int
    gateway_id: str | None
    public_key: str
    inventory: dict[str, object]
    quarantined_at: datetime | None
    quarantine_reason: str | None
