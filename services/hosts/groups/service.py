"""The tree of host groups."""

from dataclasses import replace

from libs.contracts.access import AccessSet, Request, Visible, decide
from libs.contracts.audit import audit
from libs.contracts.believed import Accesses
from libs.contracts.grants import RIGHTS, Action, ObjectType
from libs.contracts.hosts import Lineage
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.errors import Forbidden
from libs.kit.masking import State
from services.hosts.domain import MAX_GROUP_DEPTH, name_key
from services.hosts.errors import (
    GroupCycle,
    GroupHasSubgroups,
    GroupNameTaken,
    GroupNotFound,
    GroupTooDeep,
)
from services.hosts.groups.repository import GroupRepository
from services.hosts.groups.schemas import GroupCreate, GroupPatch, GroupQuery
from services.hosts.models import CountedGroup, Group
from services.hosts.repository import Sight, Totals


class Groups:
    """Use cases around groups. The tree has no cycles and at most 16 levels."""

    def __init__(self, db: Database, *, totals: Totals, accesses: Accesses) -> None:
        self._db = db
        self._totals = totals
        self._accesses = accesses

    async def page(self, query: GroupQuery, by: Principal) -> tuple[int, list[CountedGroup]]:
        """The total and one page of the groups that the caller sees."""
        return await self._page(query, await self._visible(by))

    async def _visible(self, by: Principal) -> Visible | None:
        """What the caller sees, or None for everything."""
        if by.can("hosts:read"):
            return None
        return await self._accesses.visible(by, ObjectType.HOST_GROUP)

    @reads
    def _page(
        self, tx: Transaction, query: GroupQuery, visible: Visible | None
    ) -> tuple[int, list[CountedGroup]]:
        groups = GroupRepository(tx)
        sight = None if visible is None else groups.sight(visible)
        total, found = groups.page_for(query, sight)
        return total, [_seen(one, sight) for one in found]

    async def one(self, group_id: int, by: Principal) -> CountedGroup:
        """A group; raises GroupNotFound, also for a hidden one."""
        return await self._one(group_id, await self._visible(by))

    @reads
    def _one(self, tx: Transaction, group_id: int, visible: Visible | None) -> CountedGroup:
        groups = GroupRepository(tx)
        group = _required(groups, group_id)
        sight = None if visible is None else groups.sight(visible)
        if sight is not None and group_id not in sight.groups:
            raise GroupNotFound(group_id=group_id).refusing(kind="host_group", id=group_id)
        return _seen(groups.counted([group])[0], sight)

    @reads
    def lineage(self, tx: Transaction, host_ids: list[int], group_ids: list[int]) -> Lineage:
        """All groups around these hosts and groups; unknown ids are absent."""
        groups = GroupRepository(tx)
        return Lineage(hosts=groups.around_hosts(host_ids), groups=groups.around(group_ids))

    @writes
    def create(self, tx: Transaction, spec: GroupCreate) -> CountedGroup:
        """A new group; raises GroupNameTaken, GroupNotFound for the parent, or GroupTooDeep."""
        groups = GroupRepository(tx)
        if groups.by_name(spec.name) is not None:
            raise GroupNameTaken(name=spec.name)
        if spec.parent_id is not None:
            groups.lock_tree()
            _required(groups, spec.parent_id)
            if len(groups.path(spec.parent_id)) >= MAX_GROUP_DEPTH:
                raise GroupTooDeep(parent_id=spec.parent_id)
        group = Group(
            name=spec.name,
            name_key=name_key(spec.name),
            parent_id=spec.parent_id,
            description=spec.description,
            created_at=tx.now,
            updated_at=tx.now,
        )
        stored = groups.store(group)
        _account(tx, "host_group.create", stored, after=_state(stored))
        return CountedGroup(stored, 0, stored.parent_id)

    async def change(self, group_id: int, patch: GroupPatch, by: Principal) -> CountedGroup:
        """Renames or moves a group; raises GroupCycle when it would lie below itself.

        With a grant alone a group cannot be moved to where more may be allowed.
        """
        access = await self._accesses.to(by, ObjectType.HOST_GROUP, Action.EDIT)
        changed = await self._change(group_id, patch, access)
        self._totals.forget()
        return changed

    @writes
    def _change(
        self, tx: Transaction, group_id: int, patch: GroupPatch, access: AccessSet
    ) -> CountedGroup:
        groups = GroupRepository(tx)
        group = _allowed(tx, access, Action.EDIT, group_id)
        if "parent_id" in patch.model_fields_set and not access.can("hosts:write"):
            raise Forbidden(permission="hosts:write")
        before = _state(group)
        if patch.name is not None:
            twin = groups.by_name(patch.name)
            if twin is not None and twin.id != group_id:
                raise GroupNameTaken(name=patch.name)
            group.name, group.name_key = patch.name, name_key(patch.name)
        if patch.description is not None:
            group.description = patch.description
        if "parent_id" in patch.model_fields_set:
            _move(groups, group, patch.parent_id)
        group.updated_at = tx.now
        stored = groups.store(group)
        _account(tx, "host_group.update", stored, before=before, after=_state(stored))
        counted = groups.counted([stored])[0]
        if access.can("hosts:read") or access.can("hosts:write"):
            return counted
        visible = access.visible(ObjectType.HOST_GROUP, Action.VIEW, tx.now)
        return _seen(counted, groups.sight(visible))

    async def delete(self, group_id: int, by: Principal) -> None:
        """Deletes a group without subgroups; its hosts stay. Raises GroupHasSubgroups."""
        access = await self._accesses.to(by, ObjectType.HOST_GROUP, Action.DELETE)
        await self._delete(group_id, access)
        self._totals.forget()

    @writes
    def _delete(self, tx: Transaction, group_id: int, access: AccessSet) -> None:
        groups = GroupRepository(tx)
        groups.lock_tree()
        group = _allowed(tx, access, Action.DELETE, group_id)
        if groups.has_children(group_id):
            raise GroupHasSubgroups(group_id=group_id)
        _account(tx, "host_group.delete", group, before=_state(group))
        groups.remove(group)


def _state(group: Group) -> dict[str, object]:
    """A group as the audit log shows it."""
    return {
        "name": group.name,
        "parent_id": group.parent_id,
        "description": group.description,
    }


def _account(
    tx: Transaction, action: str, group: Group, *, before: State = None, after: State = None
) -> None:
    audit(tx, action, kind="host_group", id=group.id, name=group.name, before=before, after=after)


def _seen(counted: CountedGroup, sight: Sight | None) -> CountedGroup:
    """The same without a group above it that is not seen."""
    hidden = sight is not None and counted.group.parent_id not in sight.groups
    return replace(counted, parent_id=None) if hidden else counted


def _allowed(tx: Transaction, access: AccessSet, action: Action, group_id: int) -> Group:
    """The group; raises GroupNotFound when it is missing or hidden, else Forbidden."""
    groups = GroupRepository(tx)
    group = _required(groups, group_id)
    if access.can(RIGHTS[ObjectType.HOST_GROUP, action]):
        return group
    around = tuple(map(str, groups.around([group_id])[group_id]))
    wanted = Request(action, ObjectType.HOST_GROUP, str(group_id), around)
    if decide(access, wanted, tx.now).allowed:
        return group
    if not decide(access, wanted._replace(action=Action.VIEW), tx.now).allowed:
        raise GroupNotFound(group_id=group_id).refusing(kind="host_group", id=group_id)
    needed = RIGHTS[ObjectType.HOST_GROUP, action]
    raise Forbidden(permission=needed).refusing(kind="host_group", id=group_id)


def _required(groups: GroupRepository, group_id: int) -> Group:
    group = groups.by_id(group_id)
    if group is None:
        raise GroupNotFound(group_id=group_id)
    return group


def _move(groups: GroupRepository, group: Group, parent_id: int | None) -> None:
    if parent_id is not None:
        groups.lock_tree()
        _required(groups, parent_id)
        path = groups.path(parent_id)
        if group.id in path:
            raise GroupCycle(group_id=group.id, parent_id=parent_id)
        if len(path) + groups.height(group.id) > MAX_GROUP_DEPTH:
            raise GroupTooDeep(parent_id=parent_id)
    group.parent_id = parent_id
