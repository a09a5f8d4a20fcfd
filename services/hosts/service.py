"""Hosts: the inventory that everything else points at."""

import json
from dataclasses import dataclass

import msgspec

from libs.contracts.access import AccessSet, Request, Visible, decide
from libs.contracts.audit import audit
from libs.contracts.believed import Accesses
from libs.contracts.grants import RIGHTS, RUN, RUN_AS_ROOT, Action, ObjectType
from libs.contracts.hosts import HostRegistered, HostRetired, HostTarget
from libs.kit import clock
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Forbidden
from libs.kit.seal import Seal
from services.hosts.agents.service import retire_agents_of
from services.hosts.domain import address_key, name_key
from services.hosts.enrolment.repository import TokenRepository
from services.hosts.errors import (
    GroupNotFound,
    HostAddressTaken,
    HostNameTaken,
    HostNotFound,
    NoHostsNamed,
)
from services.hosts.groups.repository import GroupRepository
from services.hosts.models import Host
from services.hosts.repository import HostRepository, HostSearch, Sight, Totals, new_host
from services.hosts.schemas import HostCreate, HostPatch, HostQuery, HostRow


@dataclass(frozen=True)
class HostPage:
    """One page of hosts and how many match in all."""

    total: int
    rows: list[HostRow]


class Hosts:
    """Use cases around hosts."""

    def __init__(self, db: Database, *, seal: Seal, totals: Totals, accesses: Accesses) -> None:
        self._db = db
        self._seal = seal
        self._totals = totals
        self._accesses = accesses

    # ---- questions -------------------------------------------------------------------------

    async def page(self, query: HostQuery, by: Principal) -> HostPage:
        """One page of the hosts that the caller sees.

        The total may be a moment old (see Totals); the rows never are.
        """
        at = clock.monotonic()
        generation = self._totals.generation
        visible = await self._visible(by)
        asked = HostSearch(text=query.search, agent_status=query.agent_status)
        if query.group_id is None and visible is None:
            known = self._totals.known(asked, at)
            total, rows = await self._page(query, asked, None, known)
            if known is None:
                self._totals.remember(asked, total, at=at, generation=generation)
        else:
            total, rows = await self._page(query, asked, visible, None)
        return HostPage(total, rows)

    async def _visible(self, by: Principal) -> Visible | None:
        """What the caller sees, or None for everything."""
        if by.can("hosts:read"):
            return None
        return await self._accesses.visible(by, ObjectType.HOST)

    @reads
    def _page(
        self,
        tx: Transaction,
        query: HostQuery,
        search: HostSearch,
        visible: Visible | None,
        total: int | None,
    ) -> tuple[int, list[HostRow]]:
        sight = sight_of(tx, visible)
        groups: tuple[int, ...] | None = None
        if query.group_id is not None:
            groups = tuple(GroupRepository(tx).with_descendants(query.group_id))
            if sight is not None and query.group_id not in sight.groups:
                groups = ()
        search = HostSearch(search.text, groups, search.agent_status, sight)
        hosts = HostRepository(tx)
        if total is None:
            total = hosts.count(search)
        paging = query.paging
        rows = hosts.page_for(search, sort=query.sort, limit=paging.page_size, offset=paging.offset)
        return total, rows

    async def one(self, host_id: int, by: Principal) -> HostRow:
        """A host as it is shown; raises HostNotFound, also for a hidden one."""
        return await self._one(host_id, await self._visible(by))

    @reads
    def _one(self, tx: Transaction, host_id: int, visible: Visible | None) -> HostRow:
        return _shown(tx, host_id, sight_of(tx, visible))

    async def targets(self, host_ids: list[int], by: Principal) -> list[HostTarget]:
        """What execution needs of these hosts, in the order asked, duplicates removed.

        Raises HostNotFound with the ids that are missing or hidden, NoHostsNamed for an empty list.
        """
        return await self._targets(host_ids, by, await self._visible(by))

    @reads
    def _targets(
        self, tx: Transaction, host_ids: list[int], by: Principal, visible: Visible | None
    ) -> list[HostTarget]:
        wanted = list(dict.fromkeys(host_ids))
        if not wanted:
            raise NoHostsNamed
        found = HostRepository(tx).targets(wanted, sight_of(tx, visible))
        missing = [host_id for host_id in wanted if host_id not in found]
        if missing:
            error = HostNotFound(missing=missing[:100], missing_total=len(missing))
            hidden = HostRepository(tx).targets(missing) if visible is not None else {}
            raise error.refusing(kind="host", id=min(hidden)) if hidden else error
        return _with_groups(tx, [found[host_id] for host_id in wanted], by)

    async def targets_in(self, group_ids: list[int], by: Principal) -> list[HostTarget]:
        """What execution needs of the hosts in these groups and below them, ordered by id.

        Raises GroupNotFound with the ids that are missing or hidden.
        """
        return await self._targets_in(group_ids, by, await self._visible(by))

    @reads
    def _targets_in(
        self, tx: Transaction, group_ids: list[int], by: Principal, visible: Visible | None
    ) -> list[HostTarget]:
        groups, sight = GroupRepository(tx), sight_of(tx, visible)
        below = {
            group_id: groups.with_descendants(group_id)
            for group_id in group_ids
            if sight is None or group_id in sight.groups
        }
        missing = [group_id for group_id in group_ids if not below.get(group_id)]
        if missing:
            raise GroupNotFound(missing=missing[:100], missing_total=len(missing))
        wanted = groups.hosts_in({one for found in below.values() for one in found})
        hosts = HostRepository(tx).targets(wanted)
        return _with_groups(tx, [hosts[host_id] for host_id in wanted if host_id in hosts], by)

    # ---- changes ---------------------------------------------------------------------------

    async def register(self, spec: HostCreate) -> HostRow:
        """A new host; raises HostNameTaken, HostAddressTaken or GroupNotFound."""
        row = await self._register(spec)
        self._totals.forget()
        return row

    @writes
    def _register(self, tx: Transaction, spec: HostCreate) -> HostRow:
        hosts = HostRepository(tx)
        if hosts.name_is_taken(spec.name):
            raise HostNameTaken(name=spec.name)
        host = new_host(tx, name=spec.name, ip_address=spec.ip_address, port=spec.port)
        host.address_key = address_key(
            spec.ip_address, spec.port, is_shared=spec.allow_shared_address
        )
        if hosts.address_is_taken(host.address_key):
            raise HostAddressTaken(ip_address=spec.ip_address, port=spec.port)
        host.username = spec.username
        host.description = spec.description
        host.tags = _tags(spec.tags)
        hosts.store(host)
        if spec.password is not None:
            host.password_sealed = self._seal.seal(spec.password, place=password_place(host.id))
        if spec.group is not None:
            GroupRepository(tx).assign(host.id, spec.group)
        tx.emit(HostRegistered(host_id=host.id, name=host.name))
        tx.flush()
        row = _shown(tx, host.id)
        after = _state(row)
        audit(tx, "host.create", kind="host", id=host.id, name=host.name, after=after)
        return row

    async def change(self, host_id: int, patch: HostPatch, by: Principal) -> HostRow:
        """Changes what is given; raises what registering raises, and HostNotFound.

        With a grant alone a host cannot be moved into another group, where more may be allowed.
        """
        access = await self._accesses.to(by, ObjectType.HOST, Action.EDIT)
        row = await self._change(host_id, patch, access)
        self._totals.forget()
        return row

    @writes
    def _change(
        self, tx: Transaction, host_id: int, patch: HostPatch, access: AccessSet
    ) -> HostRow:
        must_be_allowed(tx, access, Action.EDIT, host_id)
        if "group" in patch.model_fields_set and not access.can("hosts:write"):
            raise Forbidden(permission="hosts:write")
        hosts = HostRepository(tx)
        host = hosts.by_id(host_id)
        if host is None:
            raise HostNotFound(host_id=host_id)
        before = _state(_shown(tx, host_id))
        if patch.name is not None:
            if hosts.name_is_taken(patch.name, but=host_id):
                raise HostNameTaken(name=patch.name)
            host.name, host.name_key = patch.name, name_key(patch.name)
        _move(hosts, host, patch)
        self._describe(host, patch)
        host.updated_at = tx.now
        hosts.store(host)
        if "group" in patch.model_fields_set:
            GroupRepository(tx).assign(host_id, patch.group)
        row = _shown(tx, host_id)
        after = _state(row)
        if "password" in patch.model_fields_set:
            after["password_changed"] = True
        audit(
            tx, "host.update", kind="host", id=host_id, name=host.name, before=before, after=after
        )
        return row

    def _describe(self, host: Host, patch: HostPatch) -> None:
        given = patch.model_fields_set
        if patch.description is not None:
            host.description = patch.description
        if patch.tags is not None:
            host.tags = _tags(patch.tags)
        if "username" in given:
            host.username = patch.username
        if "password" in given:
            host.password_sealed = (
                None
                if patch.password is None
                else self._seal.seal(patch.password, place=password_place(host.id))
            )

    async def retire(self, host_id: int, by: Principal) -> None:
        """Takes a host out of the inventory; its agent and its tokens end with it."""
        access = await self._accesses.to(by, ObjectType.HOST, Action.DELETE)
        await self._retire(host_id, access)
        self._totals.forget()

    @writes
    def _retire(self, tx: Transaction, host_id: int, access: AccessSet) -> None:
        must_be_allowed(tx, access, Action.DELETE, host_id)
        hosts = HostRepository(tx)
        host = hosts.by_id(host_id)
        if host is None:
            raise HostNotFound(host_id=host_id)
        before = _state(_shown(tx, host_id))
        audit(tx, "host.delete", kind="host", id=host_id, name=host.name, before=before)
        retire_agents_of(tx, host)
        TokenRepository(tx).revoke_for_host(host_id)
        hosts.remove(host)
        tx.emit(HostRetired(host_id=host_id))


def password_place(host_id: int) -> str:
    """Where a host's password is sealed for; it opens nowhere else."""
    return f"hosts/{host_id}/password"


def sight_of(tx: Transaction, visible: Visible | None) -> Sight | None:
    """What somebody sees, in terms of this database; None for everything."""
    return None if visible is None else GroupRepository(tx).sight(visible)


def must_be_allowed(tx: Transaction, access: AccessSet, action: Action, host_id: int) -> None:
    """Raises HostNotFound for a host that is missing or hidden, Forbidden for any other."""
    if access.can(RIGHTS[ObjectType.HOST, action]):
        return
    around = GroupRepository(tx).around_hosts([host_id]).get(host_id)
    if around is None:
        raise HostNotFound(host_id=host_id)
    wanted = Request(action, ObjectType.HOST, str(host_id), tuple(map(str, around)))
    if decide(access, wanted, tx.now).allowed:
        return
    if not decide(access, wanted._replace(action=Action.VIEW), tx.now).allowed:
        raise HostNotFound(host_id=host_id).refusing(kind="host", id=host_id)
    needed = RIGHTS[ObjectType.HOST, action]
    raise Forbidden(permission=needed).refusing(kind="host", id=host_id)


def _with_groups(tx: Transaction, hosts: list[HostTarget], by: Principal) -> list[HostTarget]:
    """The same with the groups around them, for a caller about whom rows have to decide."""
    if by.can(RUN) and by.can(RUN_AS_ROOT):
        return hosts
    around = GroupRepository(tx).around_hosts([host.host_id for host in hosts])
    return [msgspec.structs.replace(host, groups=around[host.host_id]) for host in hosts]


def _shown(tx: Transaction, host_id: int, sight: Sight | None = None) -> HostRow:
    hosts = HostRepository(tx)
    row = hosts.row(host_id, sight)
    if row is None:
        error = HostNotFound(host_id=host_id)
        is_hidden = hosts.by_id(host_id) is not None
        raise error.refusing(kind="host", id=host_id) if is_hidden else error
    return row


def _state(row: HostRow) -> dict[str, object]:
    """A host as the audit log shows it."""
    return {
        "name": row.name,
        "ip_address": row.ip_address,
        "port": row.port,
        "username": row.username,
        "description": row.description,
        "tags": json.loads(bytes(row.tags)),
        "groups": [group["name"] for group in row.groups],
        "has_password": row.has_password,
    }


def _move(hosts: HostRepository, host: Host, patch: HostPatch) -> None:
    """Address and port; a host that may share its address goes on doing so unless told."""
    if patch.ip_address is None and patch.port is None and patch.allow_shared_address is None:
        return
    was_shared = host.address_key is None and address_key(
        host.ip_address, host.port, is_shared=False
    )
    is_shared = bool(was_shared)
    if patch.allow_shared_address is not None:
        is_shared = patch.allow_shared_address
    address, port = patch.ip_address or host.ip_address, patch.port or host.port
    key = address_key(address, port, is_shared=is_shared)
    if hosts.address_is_taken(key, but=host.id):
        raise HostAddressTaken(ip_address=address, port=port)
    host.ip_address, host.port, host.address_key = address, port, key


def _tags(tags: list[str]) -> str:
    return json.dumps(tags, ensure_ascii=False, separators=(",", ":"))
