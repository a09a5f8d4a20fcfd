"""The tree of host groups."""

from libs.contracts.audit import State, audit
from libs.contracts.hosts import Lineage
from libs.kit.db import Database, Transaction, reads, writes
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
from services.hosts.repository import Totals


class Groups:
    """Use cases around groups. The tree has no cycles and at most 16 levels."""

    def __init__(self, db: Database, *, totals: Totals) -> None:
        self._db = db
        self._totals = totals

    @reads
    def page(self, tx: Transaction, query: GroupQuery) -> tuple[int, list[CountedGroup]]:
        """The total and one page of groups."""
        return GroupRepository(tx).page_for(query)

    @reads
    def one(self, tx: Transaction, group_id: int) -> CountedGroup:
        """A group; raises GroupNotFound."""
        groups = GroupRepository(tx)
        return groups.counted([_required(groups, group_id)])[0]

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
        return CountedGroup(stored, 0)

    async def change(self, group_id: int, patch: GroupPatch) -> CountedGroup:
        """Renames or moves a group; raises GroupCycle when it would lie below itself."""
        changed = await self._change(group_id, patch)
        self._totals.forget()
        return changed

    @writes
    def _change(self, tx: Transaction, group_id: int, patch: GroupPatch) -> CountedGroup:
        groups = GroupRepository(tx)
        group = _required(groups, group_id)
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
        return groups.counted([stored])[0]

    async def delete(self, group_id: int) -> None:
        """Deletes a group without subgroups; its hosts stay. Raises GroupHasSubgroups."""
        await self._delete(group_id)
        self._totals.forget()

    @writes
    def _delete(self, tx: Transaction, group_id: int) -> None:
        groups = GroupRepository(tx)
        groups.lock_tree()
        group = _required(groups, group_id)
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
