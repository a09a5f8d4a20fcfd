"""What other contexts may know of hosts: targets, agent identities, enrolment, and how to ask."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter

from libs.kit.auth import Principal
from libs.kit.client import ServiceClient
from libs.kit.events import Event

# ---- values ----------------------------------------------------------------------------------


class AgentPresence(StrEnum):
    """How the agent of a host stands, as lists show it."""

    ONLINE = "online"
    OFFLINE = "offline"
    DISABLED = "disabled"
    QUARANTINED = "quarantined"
    NONE = "none"


class AgentState(StrEnum):
    """Whether an identity may open a session; only `active` may."""

    ACTIVE = "active"
    DISABLED = "disabled"
    QUARANTINED = "quarantined"
    RETIRED = "retired"


class HostTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A host as execution needs it. `agent_id` and the keys are None while it has no agent.

    `public_key` is the agent's raw Ed25519 key in base64; results are verified against it.
    `sealing_key` is its raw X25519 key in base64; secrets are sealed to it. It is None for an
    agent that enrolled before there was one: no secret can be sent there.
    Ten thousand are asked for at once, so it is of the kind that is quickest to make.
    """

    host_id: int
    name: str
    ip_address: str
    agent_id: str | None
    agent_status: str
    public_key: str | None
    sealing_key: str | None = None
    identity_epoch: int
    groups: list[int] = []
    """All groups that the host lies in, at any height."""


class Lineage(BaseModel):
    """The groups around hosts and around groups, at any height, a group itself included.

    Unknown ids are absent.
    """

    hosts: dict[int, list[int]]
    groups: dict[int, list[int]]


# Control characters, NUL included, never belong in these: they end up in lists and logs.
_Line = Annotated[
    str, StringConstraints(strict=True, max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]
_Base64 = Annotated[
    str, StringConstraints(strict=True, max_length=128, pattern=r"^[A-Za-z0-9+/]+={0,2}$")
]


class EnrolRequest(BaseModel):
    """What a new agent sends once. The signature proves possession of the key that it names.

    `public_key` is raw Ed25519, `sealing_key` raw X25519, both in base64; `signature` is base64
    over `b"opsjob/enrol/v2\\0"` + sha256hex(token), public_key, boot_id, machine_id, sealing_key
    joined by newlines; without a sealing key over `b"opsjob/enrol/v1\\0"` and the first four.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256)]
    public_key: _Base64
    sealing_key: _Base64 | None = None
    signature: _Base64
    hostname: _Line
    ip_address: _Line
    machine_id: _Line
    boot_id: _Line
    agent_version: _Line
    os_type: _Line
    arch: _Line


class EnrolAnswer(BaseModel):
    """The identity that an agent keeps from now on."""

    model_config = ConfigDict(frozen=True)

    agent_id: str
    host_id: int
    host_name: str
    identity_epoch: int
    trust: str = ""
    """The trust bundle whose root key the agent believes from now on; empty before there is one."""


class AgentIdentity(BaseModel):
    """What the agent gateway checks a session against."""

    model_config = ConfigDict(frozen=True)

    agent_id: str
    public_key: str
    identity_epoch: int
    status: AgentState


class EnrolmentTokenIssued(BaseModel):
    """A fresh enrolment token; the only moment at which its text exists on the server."""

    token: str
    expires_at: datetime


# ---- facts -----------------------------------------------------------------------------------


class HostsFact(Event):
    """A fact of the stream `facts:hosts`."""

    topic: ClassVar[str] = "hosts"


class HostRegistered(HostsFact):
    """A host joined the inventory."""

    type: ClassVar[str] = "hosts.host_registered"
    host_id: int
    name: str


class HostRetired(HostsFact):
    """A host left the inventory; its id is never used again."""

    type: ClassVar[str] = "hosts.host_retired"
    host_id: int


class AgentEnrolled(HostsFact):
    """A host has a new agent identity; an earlier one of it is retired by its own fact."""

    type: ClassVar[str] = "hosts.agent_enrolled"
    agent_id: str
    host_id: int


class AgentDisabled(HostsFact):
    """The agent's session must end and it gets no work until it is enabled again."""

    type: ClassVar[str] = "hosts.agent_disabled"
    agent_id: str


class AgentEnabled(HostsFact):
    """A disabled agent may connect again."""

    type: ClassVar[str] = "hosts.agent_enabled"
    agent_id: str


class AgentQuarantined(HostsFact):
    """Two machines hold one key: neither gets orders until somebody has looked."""

    type: ClassVar[str] = "hosts.agent_quarantined"
    agent_id: str


class TrustChanged(HostsFact):
    """There is another trust bundle; agents must get it."""

    type: ClassVar[str] = "hosts.trust_changed"
    number: int


class AgentRetired(HostsFact):
    """The identity is gone for good; the id is never used again."""

    type: ClassVar[str] = "hosts.agent_retired"
    agent_id: str


# ---- client ----------------------------------------------------------------------------------

_MAYBE_IDENTITY: TypeAdapter[AgentIdentity | None] = TypeAdapter(AgentIdentity | None)
_IDENTITIES: TypeAdapter[list[AgentIdentity]] = TypeAdapter(list[AgentIdentity])


class HostsClient(ServiceClient):
    """Questions to hosts; one to one with `services/hosts/internal.py`."""

    service: ClassVar[str] = "hosts"

    async def resolve_targets(self, host_ids: list[int], by: Principal) -> list[HostTarget]:
        """The hosts behind these ids as `by` may see them, in the order asked, duplicates removed.

        Raises NotFound `host_not_found` with details `missing` when any id is unknown, and
        Invalid above 20,000 ids or for an empty list.
        """
        content = await self._call(
            "POST", "/internal/hosts/resolve", json={"host_ids": host_ids}, principal=by
        )
        return msgspec.convert(content, list[HostTarget])

    async def resolve_groups(self, group_ids: list[int], by: Principal) -> list[HostTarget]:
        """The hosts in these groups and in the groups below them, each once, ordered by id.

        A group may be empty. Raises NotFound `group_not_found` with details `missing` when any id
        is unknown, and Invalid above 1,000 groups or for an empty list.
        """
        content = await self._call(
            "POST", "/internal/hosts/resolve-groups", json={"group_ids": group_ids}, principal=by
        )
        return msgspec.convert(content, list[HostTarget])

    async def lineage(self, host_ids: list[int], group_ids: list[int]) -> Lineage:
        """The groups around these hosts and groups, at most 20,000 of each; for decisions."""
        content = await self._call(
            "POST", "/internal/hosts/lineage", json={"host_ids": host_ids, "group_ids": group_ids}
        )
        return Lineage.model_validate(content)

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Turns a one-time token into an agent identity.

        Raises Unauthenticated `enrolment_refused`, the same for every bad token or signature.
        """
        content = await self._call(
            "POST", "/internal/agents/enrol", json=request.model_dump(mode="json")
        )
        return EnrolAnswer.model_validate(content)

    async def agent_identity(self, agent_id: str) -> AgentIdentity | None:
        """The identity to check a session against; None when it never existed."""
        content = await self._call("POST", "/internal/agents/identity", json={"agent_id": agent_id})
        return _MAYBE_IDENTITY.validate_python(content)

    async def agent_identities(self, agent_ids: list[str]) -> dict[str, AgentIdentity]:
        """Those identities that exist among at most 500 ids; for many agents at one moment."""
        content = await self._call(
            "POST", "/internal/agents/identities", json={"agent_ids": agent_ids}
        )
        return {found.agent_id: found for found in _IDENTITIES.validate_python(content)}

    async def publish_trust(self, bundle: str) -> None:
        """Store a trust bundle for agents. Raises Conflict `trust_outdated` or
        `trust_root_differs`, and Invalid for one that its root key does not vouch for."""
        await self._call("POST", "/internal/agents/trust", json={"bundle": bundle})

    async def trust_bundle(self) -> str:
        """The present trust bundle; empty while there is none."""
        return str(await self._call("GET", "/internal/agents/trust"))

    async def report_clone(self, agent_id: str, boot_ids: list[str], evidence: str) -> None:
        """Put an identity that two living machines hold into quarantine. Repeatable."""
        await self._call(
            "POST",
            "/internal/agents/clone",
            json={"agent_id": agent_id, "boot_ids": boot_ids, "evidence": evidence},
        )

    async def issue_enrolment_token(
        self, host_id: int | None, ttl_seconds: int
    ) -> EnrolmentTokenIssued:
        """A one-time token for one host, or for a host not yet known when `host_id` is None.

        `ttl_seconds` is 1 to 3600. Raises NotFound `host_not_found` for an unknown host.
        """
        content = await self._call(
            "POST",
            "/internal/agents/enrolment-tokens",
            json={"host_id": host_id, "ttl_seconds": ttl_seconds},
        )
        return EnrolmentTokenIssued.model_validate(content)
