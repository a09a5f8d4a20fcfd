"""Hosts in the database, and the one form in which they are shown."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

import msgspec
from sqlalchemy import (
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
    union,
)
from sqlalchemy import cast as cast_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from libs.contracts.hosts import AgentPresence, AgentState, HostTarget
from libs.kit.db import Prepared, Transaction
from services.hosts.domain import name_key, presence
from services.hosts.errors import HostAddressTaken, HostNameTaken
from services.hosts.models import Agent, Group, GroupMember, Host
from services.hosts.schemas import HostRow

# Tables instead of classes: what is shown in lists goes past the ORM.
_host, _agent = cast(Table, Host.__table__), cast(Table, Agent.__table__)
_group, _member = cast(Table, Group.__table__), cast(Table, GroupMember.__table__)
_hosts, _agents, _groups, _members = _host.c, _agent.c, _group.c, _member.c


class Sight(msgspec.Struct, frozen=True):
    """The hosts that somebody sees who does not see all, and the groups, with those below them.

    Hosts are seen by themselves and in groups that are seen.
    """

    every_host: bool
    hosts: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()


class HostSearch(msgspec.Struct, frozen=True):
    """What a page of hosts is made from; equal searches have equal totals."""

    text: str | None = None
    groups: tuple[int, ...] | None = None
    agent_status: AgentPresence | None = None
    sight: Sight | None = None
    """None for who sees everything."""


class HostRepository:
    """Questions about hosts."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._dialect = tx.session.get_bind().dialect.name

    # ---- one host --------------------------------------------------------------------------

    def by_id(self, host_id: int) -> Host | None:
        """The host with this id."""
        return self._tx.get(Host, host_id)

    def row(self, host_id: int, sight: Sight | None = None) -> HostRow | None:
        """A host as it is shown; None when it is missing or hidden."""
        ids = _matching(HostSearch(sight=sight), self._dialect).where(_hosts.id == host_id)
        statement = _shown(ids).order_by(_groups.name_key)
        rows = _seen(_folded(self._tx.execute(statement).all()), sight)
        return rows[0] if rows else None

    def name_is_taken(self, name: str, *, but: int | None = None) -> bool:
        """Whether another host has this name."""
        query = select(Host.id).where(Host.name_key == name_key(name), Host.id != (but or 0))
        return self._tx.scalar(query) is not None

    def address_is_taken(self, key: str | None, *, but: int | None = None) -> bool:
        """Whether another host has this address key; None is never taken."""
        if key is None:
            return False
        query = select(Host.id).where(Host.address_key == key, Host.id != (but or 0))
        return self._tx.scalar(query) is not None

    def free_name(self, wanted: str) -> str:
        """The wanted name, or it with the first free number from 2 on."""
        stem = wanted[:110]
        taken = set(
            self._tx.scalars(
                select(Host.name_key).where(
                    Host.name_key.startswith(name_key(stem), autoescape=True)
                )
            )
        )
        candidates = [wanted, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
        return next(name for name in candidates if name_key(name) not in taken)

    def store(self, host: Host) -> Host:
        """Sends a new or changed host; what the unique indexes forbid becomes what it means."""
        self._tx.add(host)
        try:
            self._tx.flush()
        except IntegrityError as error:
            if "address_key" in str(error.orig):
                raise HostAddressTaken(ip_address=host.ip_address, port=host.port) from error
            raise HostNameTaken(name=host.name) from error
        return host

    def remove(self, host: Host) -> None:
        """Deletes a host and its memberships."""
        self._tx.execute(delete(GroupMember).where(GroupMember.host_id == host.id))
        self._tx.delete(host)
        self._tx.flush()

    # ---- many hosts ------------------------------------------------------------------------

    def page_for(self, search: HostSearch, *, sort: str, limit: int, offset: int) -> list[HostRow]:
        """One page of hosts in the order asked."""
        if search == HostSearch():
            connection = self._tx.session.connection()
            statement, order = _plain_page(sort, connection.dialect)
            values = {"limit": limit, "offset": offset}
            found = connection.exec_driver_sql(statement, tuple(values[name] for name in order))
            return _folded(found.all())
        matching = _matching(search, self._dialect)
        ids = matching.order_by(*_order(sort)).limit(limit).offset(offset)
        shown = _shown(ids).order_by(*_order(sort), _groups.name_key)
        return _seen(_folded(self._tx.execute(shown).all()), search.sight)

    def count(self, search: HostSearch) -> int:
        """How many hosts match."""
        if search == HostSearch():
            return self._tx.scalar(select(func.count()).select_from(Host)) or 0
        matching = _matching(search, self._dialect).subquery()
        return self._tx.scalar(select(func.count()).select_from(matching)) or 0

    def targets(self, host_ids: Sequence[int], sight: Sight | None = None) -> dict[int, HostTarget]:
        """What execution needs of these hosts, by id; unknown and hidden ones are absent."""
        found: dict[int, HostTarget] = {}
        seen: ColumnElement[bool] | None = None
        if sight is not None:
            seen = _hosts.id.in_(_matching(HostSearch(sight=sight), self._dialect))
        for start in range(0, len(host_ids), 5000):
            some = host_ids[start : start + 5000]
            rows: Iterable[Any]
            if seen is None:
                rows = self._tx.rows(_TARGETS, {"hosts": some})
            else:
                rows = self._tx.execute(_target_of().where(_hosts.id.in_(some), seen))
            for row in rows:
                host_id, name, address, agent_id, state, is_online, key, sealing_key, epoch = row
                found[host_id] = HostTarget(
                    host_id=host_id,
                    name=name,
                    ip_address=address,
                    agent_id=agent_id,
                    agent_status=presence(agent_id, state, is_online=is_online),
                    public_key=key,
                    sealing_key=sealing_key,
                    identity_epoch=epoch or 0,
                )
        return found


def new_host(tx: Transaction, *, name: str, ip_address: str, port: int) -> Host:
    """A host with nothing but a name and a place, not stored yet."""
    return Host(
        name=name,
        name_key=name_key(name),
        ip_address=ip_address,
        port=port,
        address_key=None,
        username=None,
        password_sealed=None,
        os_type=None,
        description="",
        tags="[]",
        agent_id=None,
        created_at=tx.now,
        updated_at=tx.now,
    )


class Totals:
    """Remembers totals of lists for a moment; counting costs more than the page itself.

    A change made in this process forgets them at once; one made elsewhere shows when they age.
    Used by the event loop only.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[HostSearch, tuple[float, int]] = {}
        self.generation = 0

    def forget(self) -> None:
        """Something was added, removed or regrouped."""
        self.generation += 1
        self._known.clear()

    def known(self, search: HostSearch, at: float) -> int | None:
        """The total of this search, if it is young enough; `at` is monotonic seconds."""
        until, total = self._known.get(search, (0.0, 0))
        return total if at < until else None

    def remember(self, search: HostSearch, total: int, *, at: float, generation: int) -> None:
        """Keeps a total unless something has changed since `generation` was read."""
        if generation != self.generation:
            return
        if len(self._known) >= 256:
            self._known.clear()
        self._known[search] = (at + self._seconds, total)


# ---- statements --------------------------------------------------------------------------------


def given(ids: Sequence[int], dialect: str) -> Select[int]:
    """Ids as a table of one column. One parameter, however many there are."""
    if dialect == "postgresql":
        return select(func.unnest(cast_(list(ids), ARRAY(Integer))))
    listed = func.json_each(json.dumps(ids)).table_valued("value")
    return select(listed.c.value)


def _with_agents(hosts: FromClause) -> FromClause:
    return hosts.outerjoin(_agent, _agents.id == _hosts.agent_id)


def _target_of() -> Select[Any]:
    return select(
        _hosts.id, _hosts.name, _hosts.ip_address, _hosts.agent_id, _agents.status,
        _agents.is_online, _agents.public_key, _agents.sealing_key, _agents.identity_epoch,
    ).select_from(_with_agents(_host))  # fmt: skip


_TARGETS = Prepared(lambda among: _target_of().where(among(Host.id, "hosts")))


def _order(sort: str) -> list[ColumnElement[object]]:
    """The allowlist of orders; the id makes each of them total."""
    columns = {
        "id": _hosts.id,
        "name": _hosts.name_key,
        "ip_address": _hosts.ip_address,
        "created_at": _hosts.created_at,
    }
    column = columns[sort.removeprefix("-")]
    first = column.desc() if sort.startswith("-") else column.asc()
    return [first] if column is _hosts.id else [first, _hosts.id.asc()]


def _matching(search: HostSearch, dialect: str) -> Select[int]:
    conditions: list[ColumnElement[bool]] = []
    sight = search.sight
    if sight is not None and not sight.every_host:
        inside = select(_members.host_id).where(_members.group_id.in_(given(sight.groups, dialect)))
        conditions.append(_hosts.id.in_(union(given(sight.hosts, dialect), inside)))
    if search.text:
        folded = name_key(search.text)
        conditions.append(
            or_(
                _hosts.name_key.contains(folded, autoescape=True),
                _hosts.ip_address.contains(folded, autoescape=True),
            )
        )
    if search.groups is not None:
        inside = select(_members.host_id).where(_members.group_id.in_(search.groups))
        conditions.append(_hosts.id.in_(inside))
    if search.agent_status is not None:
        conditions.append(_stands(search.agent_status))
    return select(_hosts.id).where(*conditions)


_NEITHER = (AgentState.ACTIVE, AgentState.QUARANTINED)


def _stands(status: AgentPresence) -> ColumnElement[bool]:
    """The SQL twin of domain.presence; a test compares the two.

    A look at each host's agent in the order of the page ends with the page; a join would begin
    with all agents that stand so.
    """
    if status is AgentPresence.NONE:
        return _hosts.agent_id.is_(None)
    active = _agents.status == AgentState.ACTIVE
    standing: dict[AgentPresence, ColumnElement[bool]] = {
        AgentPresence.DISABLED: _agents.status.not_in(_NEITHER),
        AgentPresence.QUARANTINED: _agents.status == AgentState.QUARANTINED,
        AgentPresence.ONLINE: and_(active, _agents.is_online.is_(True)),
        AgentPresence.OFFLINE: and_(active, _agents.is_online.is_(False)),
    }
    return exists().where(_agents.id == _hosts.agent_id, standing[status])


@cache
def _plain_page(sort: str, dialect: Dialect) -> tuple[str, Sequence[str]]:
    """The page that is asked for most, as text, and the order of its parameters.

    No filter and one of a few orders: compiled once, because building and looking up the
    statement costs as much as running it.
    """
    ids = (
        select(_hosts.id)
        .order_by(*_order(sort))
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )
    compiled = _shown(ids).order_by(*_order(sort), _groups.name_key).compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ())


def _shown(ids: Select[int]) -> Select[*tuple[object, ...]]:
    """Everything that is shown about these hosts, one row for each host and group.

    The page is cut by id alone before anything is joined: rows that are skipped cost little.
    Moments come as the driver gives them (text on SQLite), because converting 150 of them costs
    more than the rest of the page.
    """
    page = ids.subquery("page")
    return select(
        _hosts.id, _hosts.name, _hosts.ip_address, _hosts.port, _hosts.username,
        _hosts.password_sealed.is_not(None), _hosts.os_type, _hosts.description, _hosts.tags,
        _hosts.agent_id, _agents.status, _agents.is_online, _agents.version,
        type_coerce(_agents.last_seen_at, String), type_coerce(_hosts.created_at, String),
        type_coerce(_hosts.updated_at, String), _agents.metrics,
        _groups.id, _groups.name,
    ).select_from(
        _with_agents(page.join(_host, _hosts.id == page.c.id))
        .outerjoin(_member, _members.host_id == _hosts.id)
        .outerjoin(_group, _groups.id == _members.group_id)
    )  # fmt: skip


_Shown = tuple[
    int, str, str, int, str | None, bool, str | None, str, str, str | None, str | None, bool | None,
    str | None, datetime | str | None, datetime | str, datetime | str, str | None, int | None,
    str | None,
]  # fmt: skip


def _seen(rows: list[HostRow], sight: Sight | None) -> list[HostRow]:
    """The same without the names of groups that are not seen."""
    if sight is not None:
        for row in rows:
            row.groups[:] = [group for group in row.groups if group["id"] in sight.groups]
    return rows


def _folded(rows: Sequence[object]) -> list[HostRow]:
    """One HostRow for each host, with the groups of its rows."""
    shown: list[HostRow] = []
    last: HostRow | None = None
    for each in rows:
        row = cast(_Shown, each)
        if last is None or last.id != row[0]:
            last = _host_row(row)
            shown.append(last)
        group_id, group_name = row[17], row[18]
        if group_id is not None and group_name is not None:
            last.groups.append({"id": group_id, "name": group_name})
    return shown


def _host_row(row: _Shown) -> HostRow:
    (
        host_id, name, ip_address, port, username, has_password, os_type, description, tags,
        agent_id, status, is_online, version, last_seen_at, created_at, updated_at, metrics, _, _,
    ) = row  # fmt: skip
    return HostRow(
        host_id, name, ip_address, port, username, bool(has_password), os_type, description, [],
        msgspec.Raw(tags), agent_id, presence(agent_id, status, is_online=is_online), version,
        None if last_seen_at is None else _moment(last_seen_at), _moment(created_at),
        _moment(updated_at),
        None if metrics is None else msgspec.Raw(metrics),
    )  # fmt: skip


def _moment(value: datetime | str) -> datetime | str:
    """ISO 8601 in UTC; SQLite hands out `YYYY-MM-DD HH:MM:SS.ffffff`, PostgreSQL a datetime."""
    if isinstance(value, str):
        return f"{value[:10]}T{value[11:]}Z"
    return value
