"""Agents in the database: identities, and presence in batches."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Select,
    Table,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from libs.contracts.hosts import AgentIdentity, AgentPresence, AgentState
from libs.kit.db import Prepared, Transaction, UTCDateTime
from services.hosts.agents.domain import Departure, Sighting, is_fresh
from services.hosts.agents.schemas import AgentQuery
from services.hosts.domain import name_key
from services.hosts.models import Agent, Host

T = TypeVar("T")

_COLUMNS = {
    "host_name": Host.name_key,
    "enrolled_at": Agent.enrolled_at,
    "last_seen_at": Agent.last_seen_at,
    "version": Agent.version,
}

_STANDING: dict[AgentPresence, tuple[ColumnElement[bool], ...]] = {
    AgentPresence.ONLINE: (Agent.status == AgentState.ACTIVE, Agent.is_online.is_(True)),
    AgentPresence.OFFLINE: (Agent.status == AgentState.ACTIVE, Agent.is_online.is_(False)),
    AgentPresence.DISABLED: (Agent.status.not_in((AgentState.ACTIVE, AgentState.QUARANTINED)),),
    AgentPresence.QUARANTINED: (Agent.status == AgentState.QUARANTINED,),
    AgentPresence.NONE: (Agent.id.is_(None),),
}


class AgentRepository:
    """Questions about agents."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_id(self, agent_id: str) -> Agent | None:
        """The agent with this id, retired or not."""
        return self._tx.get(Agent, agent_id)

    def among(self, agent_ids: Sequence[str]) -> Sequence[Agent]:
        """Those of these agents that exist, retired or not."""
        return self._tx.scalars(select(Agent).where(Agent.id.in_(agent_ids))).all()

    def identities(self, agent_ids: Sequence[str]) -> list[AgentIdentity]:
        """What sessions of those that exist are checked against; thousands are asked about."""
        return [
            AgentIdentity(
                agent_id=row.id,
                public_key=row.public_key,
                identity_epoch=row.identity_epoch,
                status=AgentState(row.status),
            )
            for row in self._tx.rows(_IDENTITIES, {"agents": list(agent_ids)})
        ]

    def with_host(self, agent_id: str) -> tuple[Agent, Host] | None:
        """An agent that is not retired, and its host."""
        row = self._tx.session.execute(_listed().where(Agent.id == agent_id)).one_or_none()
        return None if row is None else (row[0], row[1])

    def living_of(self, host_id: int) -> Sequence[Agent]:
        """The agents of a host that are not retired; there should be one at most."""
        query = select(Agent).where(Agent.host_id == host_id, Agent.status != AgentState.RETIRED)
        return self._tx.scalars(query).all()

    def page_for(self, query: AgentQuery) -> tuple[int, list[tuple[Agent, Host]]]:
        """The total and one page in the order asked."""
        conditions = _conditions(query)
        matching = _listed().where(*conditions)
        total = self._tx.scalar(select(func.count()).select_from(matching.subquery())) or 0
        column = _COLUMNS[query.sort.removeprefix("-")]
        order = column.desc() if query.sort.startswith("-") else column.asc()
        rows = self._tx.session.execute(
            matching.order_by(order.nulls_last(), Agent.id)
            .limit(query.paging.page_size)
            .offset(query.paging.offset)
        )
        return total, [(row[0], row[1]) for row in rows]

    def add(self, agent: Agent) -> None:
        """Stores a new identity."""
        self._tx.add(agent)
        self._tx.flush()

    # ---- presence --------------------------------------------------------------------------

    def note_sightings(self, sightings: Sequence[Sighting], *, within: timedelta) -> None:
        """Applies what a batch says about agents that are there.

        An older message never overwrites a newer one, only active agents come online, and only
        by a sign of life that is younger than `within`, or than three of the agent's heartbeats.
        """
        now = self._tx.now
        self._tx.run(_SEEN, [_seen(each, now, max(within, each.patience)) for each in sightings])

    def note_departures(self, departures: Sequence[Departure]) -> None:
        """Applies the ends of sessions; for the present session only."""
        rows = [
            {"of_agent": gone.agent_id, "of_session": gone.session_id, "at": gone.at}
            for gone in departures
        ]
        self._tx.run(_GONE, rows)

    def any_silent(self, before: datetime) -> bool:
        """Whether an agent counts as online that was not seen since then, and is overdue."""
        query = select(Agent.id).where(*_silent(before, self._tx.now)).limit(1)
        return self._tx.scalar(query) is not None

    def mark_silent_offline(self, before: datetime) -> int:
        """Whoever was not seen since then, and is overdue, is offline; says how many changed."""
        silent = _silent(before, self._tx.now)
        return self._tx.changed(update(Agent).where(*silent).values(is_online=False))


def _silent(before: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    unseen = or_(Agent.last_seen_at.is_(None), Agent.last_seen_at < before)
    overdue = or_(Agent.silent_at.is_(None), Agent.silent_at < now)
    return Agent.is_online.is_(True), unseen, overdue


def _listed() -> Select[Agent, Host]:
    return (
        select(Agent, Host)
        .join(Host, Host.id == Agent.host_id)
        .where(Agent.status != AgentState.RETIRED)
    )


def _conditions(query: AgentQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.search:
        folded = name_key(query.search)
        conditions.append(
            or_(
                Host.name_key.contains(folded, autoescape=True),
                Host.ip_address.contains(folded, autoescape=True),
                Agent.id.startswith(folded, autoescape=True),
            )
        )
    if query.status is not None:
        conditions.extend(_STANDING[query.status])
    if query.host_id is not None:
        conditions.append(Agent.host_id == query.host_id)
    return conditions


# ---- statements for batches -----------------------------------------------------------------

_IDENTITIES = Prepared(
    lambda among: select(Agent.id, Agent.public_key, Agent.identity_epoch, Agent.status).where(
        among(Agent.id, "agents")
    )
)

_agents = cast(Table, Agent.__table__)
_at = bindparam("at", type_=UTCDateTime)


def _given(name: str, column: Column[T]) -> ColumnElement[T]:
    """The parameter, or what is stored when it is None."""
    return func.coalesce(bindparam(name, type_=column.type), column)


_newer = or_(_agents.c.last_seen_at.is_(None), _agents.c.last_seen_at <= _at)

_SEEN = Prepared(
    update(_agents)
    .where(
        _agents.c.id == bindparam("of_agent"),
        _agents.c.status == AgentState.ACTIVE.value,
        _newer,
    )
    .values(
        last_seen_at=_at,
        silent_at=bindparam("overdue", type_=UTCDateTime),
        is_online=bindparam("online", type_=Boolean),
        gateway_id=_given("gateway", _agents.c.gateway_id),
        session_id=_given("session", _agents.c.session_id),
        metrics=_given("figures", _agents.c.metrics),
        boot_id=_given("boot", _agents.c.boot_id),
        version=_given("release", _agents.c.version),
        inventory=_given("said", _agents.c.inventory),
        connected_at=_given("since", _agents.c.connected_at),
    )
)

_GONE = Prepared(
    update(_agents)
    .where(
        _agents.c.id == bindparam("of_agent"),
        _agents.c.session_id == bindparam("of_session"),
    )
    .values(
        is_online=False,
        last_seen_at=case((_newer, _at), else_=_agents.c.last_seen_at),
    )
)


def _seen(sighting: Sighting, now: datetime, within: timedelta) -> dict[str, object]:
    hello = sighting.hello
    return {
        "of_agent": sighting.agent_id,
        "at": sighting.at,
        "online": is_fresh(sighting.at, now, within),
        "overdue": sighting.at + within,
        "gateway": sighting.gateway_id,
        "session": sighting.session_id,
        "figures": sighting.metrics,
        "boot": hello and hello.boot_id,
        "release": hello and hello.version,
        "said": hello and hello.inventory,
        "since": hello and hello.connected_at,
    }
