"""What the API of hosts takes and shows."""

from datetime import datetime
from typing import Annotated

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from libs.contracts.hosts import AgentPresence
from libs.kit.ids import Id
from libs.kit.pagination import PageParams
from libs.kit.service import Row, Schema, refuse_null
from libs.kit.text import Name, SafeText, storable
from services.hosts.domain import canonical_address

Address = Annotated[str, StringConstraints(max_length=255), AfterValidator(canonical_address)]
Port = Annotated[int, Field(ge=1, le=65535)]
Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.\\@-]{0,63}$")]
HostPassword = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Tag = Annotated[Name, StringConstraints(max_length=64)]
SearchText = Annotated[str, StringConstraints(max_length=128), AfterValidator(storable)]


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Tags = Annotated[list[Tag], Field(max_length=50), AfterValidator(_unique)]


class ListQuery(BaseModel):
    """Which page of a list; an unknown parameter is refused (422)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20

    @property
    def paging(self) -> PageParams:
        """Which page is asked for."""
        return PageParams(self.page, self.page_size)


def query_parameters(model: type[ListQuery]) -> list[dict[str, object]]:
    """The parameters of a list as OpenAPI describes them, for a route that reads them itself."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return [
        {"name": name, "in": "query", "required": False, "schema": shape}
        for name, shape in schema["properties"].items()
    ]


class HostQuery(ListQuery):
    """Page, filters and order of the list of hosts."""

    search: SearchText | None = None
    """Part of the name, address or description, taken literally, in any case of letters."""
    group_id: Id | None = None
    """Hosts in this group or in any group below it."""
    agent_status: AgentPresence | None = None
    sort: Annotated[str, StringConstraints(pattern=r"^-?(id|name|ip_address|created_at)$")] = "id"
    """A column; a leading minus means descending."""


class HostCreate(Schema):
    """A new host. `group` is the id or the name of an existing group."""

    name: Name
    ip_address: Address
    port: Port = 22
    username: Account | None = None
    password: HostPassword | None = None
    """Write-only: stored sealed, never shown again."""
    group: Id | Name | None = None
    description: SafeText = ""
    tags: Tags = Field(default_factory=list)
    allow_shared_address: bool = False
    """Register although another host has the same address and port."""


class HostPatch(Schema):
    """What may be changed about a host; an absent field stays as it is.

    `username`, `password` and `group` may be null: no account, no password, in no group. For the
    other fields null is refused.
    """

    name: Name | None = None
    ip_address: Address | None = None
    port: Port | None = None
    username: Account | None = None
    password: HostPassword | None = None
    group: Id | Name | None = None
    description: SafeText | None = None
    tags: Tags | None = None
    allow_shared_address: bool | None = None

    _not_null = field_validator(
        "name", "ip_address", "port", "description", "tags", "allow_shared_address", mode="before"
    )(refuse_null)


class GroupRef(Row):
    """A group as hosts name it."""

    id: int
    name: str


class HostOut(Row):
    """A host as lists and details show it. The list is encoded by hand to the same form."""

    id: int
    name: str
    ip_address: str
    port: int
    username: str | None
    has_password: bool
    os_type: str | None
    description: str
    groups: list[GroupRef]
    tags: list[str]
    agent_id: str | None
    agent_status: AgentPresence
    agent_version: str | None
    last_seen_at: datetime | None
    created_at: datetime
    updated_at: datetime
    metrics: dict[str, float] | None


# ---- internal --------------------------------------------------------------------------------


class HostRow(msgspec.Struct):
    """A host as lists and details show it; the fields of HostOut, ready to be encoded.

    What is stored as JSON goes out as it was stored, without being read.
    """

    id: int
    name: str
    ip_address: str
    port: int
    username: str | None
    has_password: bool
    os_type: str | None
    description: str
    groups: list[dict[str, int | str]]
    tags: msgspec.Raw
    agent_id: str | None
    agent_status: AgentPresence
    agent_version: str | None
    last_seen_at: datetime | str | None
    created_at: datetime | str
    updated_at: datetime | str
    metrics: msgspec.Raw | None


class ResolveHosts(Schema):
    """Hosts to be looked up at once."""

    host_ids: Annotated[list[Id], Field(max_length=20_000)]


class ResolveGroups(Schema):
    """Groups whose hosts are to be looked up at once."""

    group_ids: Annotated[list[Id], Field(min_length=1, max_length=1_000)]


class LineageAsked(Schema):
    """Hosts and groups around which groups are looked for."""

    host_ids: Annotated[list[Id], Field(max_length=20_000)]
    group_ids: Annotated[list[Id], Field(max_length=20_000)]


AgentKey = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class AgentAsked(Schema):
    """The agent whose identity is asked for."""

    agent_id: AgentKey


class AgentsAsked(Schema):
    """Agents whose identities are asked for at once."""

    agent_ids: Annotated[list[AgentKey], Field(max_length=500)]


class BundleSaid(Schema):
    """A trust bundle, as the signer says it."""

    bundle: Annotated[str, StringConstraints(min_length=2, max_length=64 * 1024)]


class CloneSaid(Schema):
    """An agent gateway saw one identity in two places at the same time."""

    agent_id: AgentKey
    boot_ids: Annotated[list[AgentKey], Field(max_length=10)]
    evidence: Annotated[str, StringConstraints(min_length=1, max_length=300)]


class TokenAsked(Schema):
    """An enrolment token for one host, or for one not yet known."""

    host_id: Id | None
    ttl_seconds: Annotated[int, Field(ge=1, le=3600)]
