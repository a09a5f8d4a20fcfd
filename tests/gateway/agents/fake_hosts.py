"""Hosts as the agent gateway sees it: identities and one-time tokens in memory."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from libs.contracts.hosts import (
    AgentIdentity,
    AgentState,
    EnrolAnswer,
    EnrolmentTokenIssued,
    EnrolRequest,
)
from libs.kit.errors import NotFound, Unauthenticated, Unavailable
from tests.support.agents import Identity


class FakeHosts:
    """Answers what HostsClient answers; `is_up` false makes it unreachable."""

    def __init__(self) -> None:
        self.identities: dict[str, AgentIdentity] = {}
        self.tokens: set[str] = set()
        self.is_up = True
        self.bundle = ""
        self.clones: list[tuple[str, list[str]]] = []
        self.calls: Counter[str] = Counter()

    def know(self, identity: Identity, status: AgentState = AgentState.ACTIVE) -> Identity:
        """Enters an identity, or changes its status."""
        self.identities[identity.agent_id] = AgentIdentity(
            agent_id=identity.agent_id,
            public_key=identity.public_key,
            identity_epoch=identity.identity_epoch,
            status=status,
        )
        return identity

    async def agent_identities(self, agent_ids: list[str]) -> dict[str, AgentIdentity]:
        """Those that exist among these ids."""
        self.calls["agent_identities"] += 1
        self._answer()
        return {key: self.identities[key] for key in agent_ids if key in self.identities}

    async def trust_bundle(self) -> str:
        """What a test says agents are to believe."""
        self._answer()
        return self.bundle

    async def report_clone(self, agent_id: str, boot_ids: list[str], evidence: str) -> None:
        """Remembers it."""
        self._answer()
        self.clones.append((agent_id, boot_ids))

    async def issue_enrolment_token(
        self, host_id: int | None, ttl_seconds: int
    ) -> EnrolmentTokenIssued:
        """A token that works once."""
        self._answer()
        token = f"tok{len(self.tokens)}-{id(self)}"
        self.tokens.add(token)
        expires_at = datetime.now(UTC) + timedelta(seconds=ttl_seconds)
        return EnrolmentTokenIssued(token=token, expires_at=expires_at)

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """An identity for a token; different errors for different faults, as a leak would need."""
        self.calls["enrol"] += 1
        self._answer()
        if request.token == "unknown":
            raise NotFound
        if request.token not in self.tokens:
            raise Unauthenticated
        self.tokens.remove(request.token)
        agent_id = f"ag{len(self.identities):030d}"
        self.identities[agent_id] = AgentIdentity(
            agent_id=agent_id,
            public_key=request.public_key,
            identity_epoch=1,
            status=AgentState.ACTIVE,
        )
        return EnrolAnswer(
            agent_id=agent_id, host_id=len(self.identities), host_name="h", identity_epoch=1
        )

    def _answer(self) -> None:
        if not self.is_up:
            raise Unavailable
