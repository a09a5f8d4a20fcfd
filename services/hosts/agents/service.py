"""Agents: which identities are good, and which of them are there."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from libs.contracts.agents import STATUS
from libs.contracts.audit import audit
from libs.contracts.hosts import (
    AgentDisabled,
    AgentEnabled,
    AgentIdentity,
    AgentRetired,
    AgentState,
)
from libs.kit import clock
from libs.kit.bus import BatchStream, Entry, StreamMark
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Unavailable
from libs.kit.logging import get_logger
from libs.kit.redis import Redis
from services.hosts.agents.domain import Presence, Sighting, boiled_down
from services.hosts.agents.repository import AgentRepository
from services.hosts.agents.schemas import AgentQuery
from services.hosts.errors import AgentIsRetired, AgentNotFound
from services.hosts.models import Agent, Host
from services.hosts.settings import HostsSettings

GATHER_SECONDS = 0.05

log = get_logger(__name__)


class Agents:
    """Use cases around identities. A retired one is hidden from the API and never comes back."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @reads
    def page(self, tx: Transaction, query: AgentQuery) -> tuple[int, list[tuple[Agent, Host]]]:
        """The total and one page of agents with their hosts."""
        return AgentRepository(tx).page_for(query)

    @reads
    def one(self, tx: Transaction, agent_id: str) -> tuple[Agent, Host]:
        """An agent with its host; raises AgentNotFound."""
        return _required(tx, agent_id)

    @reads
    def identity(self, tx: Transaction, agent_id: str) -> AgentIdentity | None:
        """What a session is checked against, also for disabled and retired agents."""
        agent = AgentRepository(tx).by_id(agent_id)
        return None if agent is None else _identity(agent)

    @reads
    def identities(self, tx: Transaction, agent_ids: list[str]) -> list[AgentIdentity]:
        """Those of these identities that exist, for many sessions at one moment."""
        return AgentRepository(tx).identities(agent_ids)

    @writes
    def disable(self, tx: Transaction, agent_id: str) -> tuple[Agent, Host]:
        """Shuts an agent out until it is enabled; its session ends by the fact. Repeatable."""
        agent, host = _required(tx, agent_id)
        if agent.status != AgentState.DISABLED:
            agent.status = AgentState.DISABLED
            agent.is_online = False
            tx.emit(AgentDisabled(agent_id=agent.id))
            _account(tx, "agent.disable", agent, host)
        return agent, host

    @writes
    def enable(self, tx: Transaction, agent_id: str) -> tuple[Agent, Host]:
        """Lets a disabled or quarantined agent in again; raises AgentIsRetired. Repeatable."""
        stored = AgentRepository(tx).by_id(agent_id)
        if stored is not None and stored.status == AgentState.RETIRED:
            raise AgentIsRetired(agent_id=agent_id)
        agent, host = _required(tx, agent_id)
        if agent.status != AgentState.ACTIVE:
            was = agent.status
            agent.status = AgentState.ACTIVE
            agent.quarantined_at, agent.quarantine_reason = None, None
            agent.former_boots, agent.boot_id = "[]", None
            tx.emit(AgentEnabled(agent_id=agent.id))
            _account(tx, "agent.enable", agent, host, was=was)
        return agent, host

    @writes
    def retire(self, tx: Transaction, agent_id: str) -> None:
        """Ends an identity for good; the host stays and can enrol again. Raises AgentNotFound."""
        agent, host = _required(tx, agent_id)
        retire_agent(tx, agent, host)
        if host.agent_id == agent.id:
            host.agent_id = None


def _identity(agent: Agent) -> AgentIdentity:
    return AgentIdentity(
        agent_id=agent.id,
        public_key=agent.public_key,
        identity_epoch=agent.identity_epoch,
        status=AgentState(agent.status),
    )


def retire_agent(tx: Transaction, agent: Agent, host: Host) -> None:
    """Ends one identity; the epoch rises, so nothing signed for it is good any more."""
    agent.status = AgentState.RETIRED
    agent.is_online = False
    agent.identity_epoch += 1
    agent.retired_at = tx.now
    tx.emit(AgentRetired(agent_id=agent.id))
    _account(tx, "agent.retire", agent, host)


def _account(
    tx: Transaction, action: str, agent: Agent, host: Host, *, was: str | None = None
) -> None:
    """A change of an agent, under the name of its host."""
    after: dict[str, object] = {"host_id": host.id, "status": agent.status}
    before = None if was is None else {"host_id": host.id, "status": was}
    audit(tx, action, kind="agent", id=agent.id, name=host.name, before=before, after=after)


def retire_agents_of(tx: Transaction, host: Host) -> None:
    """Ends every living identity of a host."""
    for agent in AgentRepository(tx).living_of(host.id):
        retire_agent(tx, agent, host)
    host.agent_id = None
    tx.flush()


def _required(tx: Transaction, agent_id: str) -> tuple[Agent, Host]:
    found = AgentRepository(tx).with_host(agent_id)
    if found is None:
        raise AgentNotFound(agent_id=agent_id)
    return found


Watch = Callable[[Transaction, Sequence[Sighting]], None]
"""Looks at who has connected, before that is stored."""


def _nobody_watches(tx: Transaction, sightings: Sequence[Sighting]) -> None:
    return None


class PresenceIntake:
    """Listens to the agent gateways and notes who is there, a batch at a time."""

    def __init__(
        self,
        db: Database,
        *,
        redis: Redis,
        consumer: str,
        settings: HostsSettings,
        watch: Watch = _nobody_watches,
        mark: StreamMark | None = None,
    ) -> None:
        self._stream = BatchStream(mark)
        self._db = db
        self._watch = watch
        self._redis = redis
        self._consumer = consumer
        self._within = timedelta(seconds=settings.offline_seconds)

    async def run(self) -> None:
        """Listens for ever; every batch is one transaction."""
        await self._stream.consume(
            self._redis, [STATUS], group="hosts", consumer=self._consumer, handle=self._handle
        )

    async def _handle(self, batch: dict[str, list[Entry]]) -> None:
        messages = [message for entry in batch.get(STATUS, ()) for message in entry.messages]
        news = boiled_down(messages, clock.now())
        if news.sightings or news.departures:
            await self.note(news)
        await asyncio.sleep(GATHER_SECONDS)  # each batch costs a transaction

    @writes
    def note(self, tx: Transaction, news: Presence) -> None:
        """Applies a batch; repeating it changes nothing."""
        agents = AgentRepository(tx)
        self._watch(tx, news.sightings)
        agents.note_sightings(news.sightings, within=self._within)
        agents.note_departures(news.departures)


class PresenceSweep:
    """Finds agents that fell silent, from the database alone: Redis may be empty or away."""

    def __init__(self, db: Database, *, settings: HostsSettings) -> None:
        self._db = db
        self._settings = settings

    async def run(self) -> None:
        """Sweeps for ever; a database that is away is waited for."""
        while True:
            try:
                changed = await self.sweep()
            except Unavailable as error:
                log.warning("The sweep for silent agents waits.", reason=error.code)
            else:
                if changed:
                    log.info("Agents fell silent.", agents=changed)
            await asyncio.sleep(self._settings.sweep_seconds)

    async def sweep(self) -> int:
        """Marks silent agents offline and says how many; writes only when there are any."""
        if not await self._any_silent():
            return 0
        return await self._mark()

    @reads
    def _any_silent(self, tx: Transaction) -> bool:
        return AgentRepository(tx).any_silent(tx.now - self._patience)

    @writes
    def _mark(self, tx: Transaction) -> int:
        return AgentRepository(tx).mark_silent_offline(tx.now - self._patience)

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self._settings.offline_seconds)
