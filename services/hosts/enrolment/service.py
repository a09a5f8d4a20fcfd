"""Enrolment: a one-time token and a proof become an agent identity."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.contracts.audit import audit
from libs.contracts.hosts import (
    AgentEnrolled,
    AgentState,
    EnrolAnswer,
    EnrolRequest,
    HostRegistered,
    TrustChanged,
)
from libs.contracts.trust import TrustInvalid, checked, fingerprint
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Invalid
from libs.kit.ids import new_secret
from libs.kit.text import unhidden
from services.hosts.agents.repository import AgentRepository
from services.hosts.agents.service import retire_agents_of
from services.hosts.domain import canonical_address, proves_possession, token_hash
from services.hosts.enrolment.domain import Gateway, root_fingerprint
from services.hosts.enrolment.repository import TokenRepository, TrustRepository
from services.hosts.enrolment.schemas import TokenQuery, TokenState
from services.hosts.errors import (
    EnrolmentRefused,
    EnrolmentTokenNotFound,
    EnrolmentTokenSpent,
    HostNotFound,
    TrustNotVouched,
    TrustOutdated,
    TrustRootDiffers,
)
from services.hosts.models import Agent, EnrolmentToken, Host
from services.hosts.repository import HostRepository, Totals, new_host

SSH_PORT = 22
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class IssuedToken:
    """A fresh token with its text, which exists only here and at its receiver."""

    id: int
    token: str
    host_id: int | None
    expires_at: datetime
    gateway_url: str | None
    gateway_fingerprint: str | None
    root_fingerprint: str | None


class Enrolment:
    """Use cases around getting an identity; `gateway` is where agents are sent."""

    def __init__(self, db: Database, *, totals: Totals, gateway: Gateway | None = None) -> None:
        self._db = db
        self._totals = totals
        self._gateway = gateway or Gateway()

    @property
    def gateway(self) -> Gateway:
        """Where agents are sent."""
        return self._gateway

    # ---- tokens ----------------------------------------------------------------------------

    @writes
    def issue(
        self, tx: Transaction, host_id: int | None, *, ttl_seconds: int, by: Principal
    ) -> IssuedToken:
        """A one-time token for a host, or for one not yet known, and what its line pins.

        Raises HostNotFound, GatewayCertificateUnreadable.
        """
        shown = self._gateway.fingerprint()
        if host_id is not None and HostRepository(tx).by_id(host_id) is None:
            raise HostNotFound(host_id=host_id)
        tokens = TokenRepository(tx)
        tokens.delete_old()
        text = new_secret(_TOKEN_BYTES)
        stored = tokens.add(
            EnrolmentToken(
                token_hash=token_hash(text),
                host_id=host_id,
                created_by=by.username,
                created_at=tx.now,
                expires_at=tx.now + timedelta(seconds=ttl_seconds),
                used_at=None,
                revoked_at=None,
                agent_id=None,
            )
        )
        after = {"host_id": host_id, "expires_at": stored.expires_at}
        audit(tx, "enrolment_token.issue", kind="enrolment_token", id=stored.id, after=after)
        trust = TrustRepository(tx).present()
        return IssuedToken(
            *(stored.id, text, host_id, stored.expires_at, self._gateway.url, shown),
            root_fingerprint(None if trust is None else trust.root),
        )

    @reads
    def page(self, tx: Transaction, query: TokenQuery) -> tuple[int, list[EnrolmentToken]]:
        """The total and one page of tokens, newest first."""
        return TokenRepository(tx).page_for(query)

    @writes
    def revoke(self, tx: Transaction, token_id: int) -> None:
        """Makes an unused token worthless; raises EnrolmentTokenSpent or -NotFound."""
        tokens = TokenRepository(tx)
        if tokens.by_id(token_id) is None:
            raise EnrolmentTokenNotFound(token_id=token_id)
        if not tokens.revoke(token_id):
            raise EnrolmentTokenSpent(token_id=token_id)
        audit(tx, "enrolment_token.revoke", kind="enrolment_token", id=token_id)

    # ---- identities ------------------------------------------------------------------------

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Gives the sender an identity on the token's host, or on a new one named after itself.

        EnrolmentRefused is the one answer for an unknown, used, revoked or expired token, for a
        deleted host and for a missing proof. An earlier agent of the host is retired. Raises
        Invalid for an address that is none.
        """
        try:
            address = canonical_address(request.ip_address)
        except ValueError as error:
            fields = [{"field": "ip_address", "message": str(error)}]
            raise Invalid(fields=fields) from error
        if not proves_possession(request):
            raise EnrolmentRefused().refusing("agent.enrol", kind="agent")
        answer = await self._enrol(request, address)
        self._totals.forget()
        return answer

    @writes
    def _enrol(self, tx: Transaction, request: EnrolRequest, address: str) -> EnrolAnswer:
        agent_id = secrets.token_hex(16)
        token = TokenRepository(tx).spend(token_hash(request.token), agent_id)
        if token is None:
            raise EnrolmentRefused().refusing("agent.enrol", kind="agent")
        host = self._host_for(tx, token, request, address)
        retire_agents_of(tx, host)
        agent = _new_agent(tx, agent_id, host, request)
        AgentRepository(tx).add(agent)
        host.agent_id = agent_id
        host.os_type = request.os_type[:64] or host.os_type
        host.updated_at = tx.now
        tx.emit(AgentEnrolled(agent_id=agent_id, host_id=host.id))
        after = {
            "host_id": host.id,
            "enrolment_token_id": token.id,
            "version": agent.version,
            "reported_address": address,
            "public_key": agent.public_key,
        }
        audit(tx, "agent.enrol", kind="agent", id=agent_id, name=host.name, after=after)
        return EnrolAnswer(
            agent_id=agent_id,
            host_id=host.id,
            host_name=host.name,
            identity_epoch=agent.identity_epoch,
            trust=_bundle(tx),
        )

    # ---- trust -----------------------------------------------------------------------------

    @reads
    def trust(self, tx: Transaction) -> str:
        """The present trust bundle; empty before there is one."""
        return _bundle(tx)

    @writes
    def publish_trust(self, tx: Transaction, bundle: str) -> None:
        """Store what agents check orders against; the signer says it at its start. Repeatable.

        Raises TrustNotVouched for what its root key did not sign, TrustRootDiffers for another
        root key than the one that agents believe, TrustOutdated for an older list.
        """
        trust = TrustRepository(tx)
        stored = trust.present()
        try:
            said = checked(bundle)
        except TrustInvalid as error:
            raise TrustNotVouched(reason=str(error)) from None
        if stored is not None and stored.root != said.root:
            raise TrustRootDiffers
        if stored is not None and said.revocation.number < stored.number:
            raise TrustOutdated(number=said.revocation.number, stored=stored.number)
        if stored is not None and stored.bundle == bundle:
            return
        trust.store(root=said.root, number=said.revocation.number, bundle=bundle)
        tx.emit(TrustChanged(number=said.revocation.number))
        audit(
            tx,
            "trust.publish",
            kind="trust",
            id=fingerprint(said.root),
            after={
                "number": said.revocation.number,
                "kids": [one.kid for one in said.certificates],
                "revoked": said.revocation.kids,
            },
        )

    def _host_for(
        self, tx: Transaction, token: EnrolmentToken, request: EnrolRequest, address: str
    ) -> Host:
        hosts = HostRepository(tx)
        if token.host_id is not None:
            host = hosts.by_id(token.host_id)
            if host is None:
                raise EnrolmentRefused().refusing("agent.enrol", kind="agent")
            return host
        name = hosts.free_name(_as_name(request.hostname))
        # No address key: behind address translation many machines report the same address.
        host = hosts.store(new_host(tx, name=name, ip_address=address, port=SSH_PORT))
        tx.emit(HostRegistered(host_id=host.id, name=host.name))
        after = {"ip_address": address, "enrolment_token_id": token.id}
        audit(tx, "host.create", kind="host", id=host.id, name=host.name, after=after)
        return host


def _bundle(tx: Transaction) -> str:
    stored = TrustRepository(tx).present()
    return stored.bundle if stored is not None else ""


def state_of(token: EnrolmentToken, now: datetime) -> TokenState:
    """What became of a token."""
    if token.used_at is not None:
        return TokenState.USED
    if token.revoked_at is not None:
        return TokenState.REVOKED
    return TokenState.EXPIRED if token.expires_at <= now else TokenState.OPEN


def _as_name(hostname: str) -> str:
    """A host name as a name here; what cannot be one becomes `host`."""
    try:
        return unhidden(re.sub(r"[^\w.-]+", "-", hostname)[:100].strip("-."))
    except ValueError:
        return "host"


def _new_agent(tx: Transaction, agent_id: str, host: Host, request: EnrolRequest) -> Agent:
    return Agent(
        id=agent_id,
        host_id=host.id,
        public_key=request.public_key,
        sealing_key=request.sealing_key,
        identity_epoch=1,
        status=AgentState.ACTIVE,
        is_online=False,
        last_seen_at=None,
        connected_at=None,
        gateway_id=None,
        session_id=None,
        boot_id=request.boot_id[:128],
        former_boots="[]",
        machine_id=request.machine_id,
        version=request.agent_version,
        inventory="{}",
        metrics=None,
        enrolled_at=tx.now,
        retired_at=None,
    )
