"""Shuts out identities that two machines hold, and lets them in again when somebody says so."""

import json
from collections.abc import Sequence
from typing import Final

from libs.contracts.audit import audit
from libs.contracts.hosts import AgentEnabled, AgentQuarantined, AgentState
from libs.kit.db import Database, Transaction, writes
from libs.kit.logging import get_logger
from services.hosts.agents.domain import Sighting
from services.hosts.agents.repository import AgentRepository
from services.hosts.errors import AgentIsRetired, AgentNotFound
from services.hosts.models import Agent, Host
from services.hosts.quarantine.domain import Turns

BOOTS_KEPT: Final = 20
MAX_REASON: Final = 500

log = get_logger(__name__)


class Quarantine:
    """A quarantined identity opens no session and gets no orders; its host may enrol anew."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._turns = Turns()

    @writes
    def cloned(
        self, tx: Transaction, agent_id: str, boot_ids: Sequence[str], evidence: str
    ) -> None:
        """A gateway saw one identity in two living places; repeatable."""
        agent = AgentRepository(tx).by_id(agent_id)
        if agent is not None:
            _shut_out(tx, agent, f"{evidence}; boots {', '.join(boot_ids)}")

    @writes
    def put(self, tx: Transaction, agent_id: str, reason: str) -> tuple[Agent, Host]:
        """Somebody shuts an identity out by hand; raises AgentNotFound. Repeatable."""
        found = AgentRepository(tx).with_host(agent_id)
        if found is None:
            raise AgentNotFound(agent_id=agent_id)
        _shut_out(tx, found[0], reason)
        return found

    @writes
    def release(self, tx: Transaction, agent_id: str) -> tuple[Agent, Host]:
        """Somebody has looked: the identity may come again. Raises AgentNotFound, AgentIsRetired.

        What it knows of earlier boots is forgotten, or the first hello would bring it back here.
        """
        agents = AgentRepository(tx)
        stored = agents.by_id(agent_id)
        if stored is not None and stored.status == AgentState.RETIRED:
            raise AgentIsRetired(agent_id=agent_id)
        found = agents.with_host(agent_id)
        if found is None:
            raise AgentNotFound(agent_id=agent_id)
        agent, host = found
        if agent.status == AgentState.QUARANTINED:
            agent.status = AgentState.ACTIVE
            agent.quarantined_at, agent.quarantine_reason = None, None
            agent.former_boots, agent.boot_id = "[]", None
            tx.emit(AgentEnabled(agent_id=agent.id))
            audit(tx, "agent.release", kind="agent", id=agent.id, name=host.name)
        return agent, host

    def watch(self, tx: Transaction, sightings: Sequence[Sighting]) -> None:
        """Look at who is there: a boot that comes back is a second machine.

        So are two sessions that take turns, whatever they say their boot is.
        """
        doubled = {
            one.agent_id: one.session_id
            for one in sightings
            if one.session_id and self._turns.spoke(one.agent_id, one.session_id, one.at)
        }
        for agent in AgentRepository(tx).among(list(doubled)) if doubled else ():
            _shut_out(tx, agent, "two living sessions at different gateways take turns")
        boots = {
            one.agent_id: (one.hello.boot_id, one.at)
            for one in sightings
            if one.hello is not None and not one.hello.is_again
        }
        for agent in AgentRepository(tx).among(list(boots)) if boots else ():
            boot, at = boots[agent.id]
            former = json.loads(agent.former_boots)
            is_old = agent.connected_at is not None and at <= agent.connected_at
            if boot is None or boot == agent.boot_id or is_old:
                continue
            if boot in former:
                _shut_out(tx, agent, f"a former boot came back; boots {boot}, {agent.boot_id}")
            elif agent.boot_id is not None:
                agent.former_boots = json.dumps([*former, agent.boot_id][-BOOTS_KEPT:])
        tx.flush()


def _shut_out(tx: Transaction, agent: Agent, reason: str) -> None:
    if agent.status != AgentState.ACTIVE:
        return
    agent.status = AgentState.QUARANTINED
    agent.is_online = False
    agent.quarantined_at, agent.quarantine_reason = tx.now, reason[:MAX_REASON]
    log.error("An agent is in quarantine.", agent_id=agent.id, reason=reason)
    tx.emit(AgentQuarantined(agent_id=agent.id))
    audit(
        tx,
        "security.agent_quarantined",
        kind="agent",
        id=agent.id,
        outcome="denied",
        after={"host_id": agent.host_id, "reason": reason},
        detail=reason,
    )
