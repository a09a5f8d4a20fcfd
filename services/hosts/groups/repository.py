"""Groups in the database: a tree by parent, and who is in which."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, delete, func, insert, literal, select
from sqlalchemy.exc import IntegrityError

from libs.contracts.access import Visible
from libs.contracts.grants import ALL
from libs.kit.db import Transaction
from services.hosts.domain import MAX_GROUP_DEPTH, name_key
from services.hosts.errors import GroupNameTaken, GroupNotFound
from services.hosts.groups.schemas import GroupQuery
from services.hosts.models import CountedGroup, Group, GroupMember, Host
from services.hosts.repository import Sight, given

_COLUMNS = {"id": Group.id, "name": Group.name_key, "created_at": Group.created_at}


class GroupRepository:
    """Questions about groups."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_id(self, group_id: int) -> Group | None:
        """The group with this id."""
        return self._tx.get(Group, group_id)

    def by_name(self, name: str) -> Group | None:
        """The group with this name, in any case of letters."""
        return self._tx.scalars(select(Group).where(Group.name_key == name_key(name))).one_or_none()

    def counted(self, groups: Sequence[Group]) -> list[CountedGroup]:
        """These groups with the number of their hosts."""
        query = (
            select(GroupMember.group_id, func.count())
            .where(GroupMember.group_id.in_([group.id for group in groups]))
            .group_by(GroupMember.group_id)
        )
        counts = {row[0]: row[1] for row in self._tx.session.execute(query)}
        return [CountedGroup(group, counts.get(group.id, 0), group.parent_id) for group in groups]

    def sight(self, visible: Visible) -> Sight:
        """What somebody sees, with the groups below those that are named."""
        parents = self._parents()
        named = {int(one) for one in visible.groups if one != ALL} & parents.keys()
        seen = parents.keys() if ALL in visible.groups else _downwards(named, parents)
        hosts = tuple(sorted(int(one) for one in visible.ids if one != ALL))
        return Sight(visible.everything, hosts, tuple(sorted(seen)))

    def page_for(
        self, query: GroupQuery, sight: Sight | None = None
    ) -> tuple[int, list[CountedGroup]]:
        """The total and one page in the order asked."""
        conditions: list[ColumnElement[bool]] = []
        if sight is not None:
            dialect = self._tx.session.get_bind().dialect.name
            conditions.append(Group.id.in_(given(sight.groups, dialect)))
            if query.parent_id is not None and query.parent_id not in sight.groups:
                return 0, []
        if query.search:
            conditions.append(Group.name_key.contains(name_key(query.search), autoescape=True))
        if query.parent_id is not None:
            conditions.append(Group.parent_id == query.parent_id)
        column = _COLUMNS[query.sort.removeprefix("-")]
        total = self._tx.scalar(select(func.count()).select_from(Group).where(*conditions)) or 0
        groups = self._tx.scalars(
            select(Group)
            .where(*conditions)
            .order_by(column.desc() if query.sort.startswith("-") else column.asc(), Group.id)
            .limit(query.paging.page_size)
            .offset(query.paging.offset)
        ).all()
        return total, self.counted(groups)

    def store(self, group: Group) -> Group:
        """Sends a new or changed group; raises GroupNameTaken when the name is not free."""
        self._tx.add(group)
        try:
            self._tx.flush()
        except IntegrityError as error:
            raise GroupNameTaken(name=group.name) from error
        return group

    def remove(self, group: Group) -> None:
        """Deletes a group; its hosts stay, outside of it."""
        self._tx.execute(delete(GroupMember).where(GroupMember.group_id == group.id))
        self._tx.delete(group)
        self._tx.flush()

    # ---- the tree --------------------------------------------------------------------------

    def has_children(self, group_id: int) -> bool:
        """Whether any group lies directly below."""
        return (
            self._tx.scalar(select(Group.id).where(Group.parent_id == group_id).limit(1))
            is not None
        )

    def with_descendants(self, group_id: int) -> list[int]:
        """The group and everything below it; empty for an unknown one."""
        return [found for found, _ in self._below(group_id)]

    def height(self, group_id: int) -> int:
        """How many levels a group and what is below it take; 1 without subgroups."""
        return max((level for _, level in self._below(group_id)), default=0)

    def _below(self, group_id: int) -> list[tuple[int, int]]:
        tree = select(Group.id, literal(1).label("level")).where(Group.id == group_id)
        below = tree.cte("below", recursive=True)
        below = below.union_all(
            select(Group.id, below.c.level + 1)
            .join(below, Group.parent_id == below.c.id)
            .where(below.c.level <= MAX_GROUP_DEPTH)
        )
        rows = self._tx.session.execute(select(below.c.id, below.c.level))
        return [(row[0], row[1]) for row in rows]

    def path(self, group_id: int) -> list[int]:
        """The group and everything above it, in no order."""
        above = select(Group.id, Group.parent_id).where(Group.id == group_id)
        path = above.cte("above", recursive=True)
        path = path.union(
            select(Group.id, Group.parent_id).join(path, Group.id == path.c.parent_id)
        )
        return list(self._tx.scalars(select(path.c.id)))

    def around(self, group_ids: Collection[int]) -> dict[int, list[int]]:
        """All groups above each of these groups, itself included; unknown ones are absent."""
        parents = self._parents()
        return {one: _upwards([one], parents) for one in group_ids if one in parents}

    def around_hosts(self, host_ids: Sequence[int]) -> dict[int, list[int]]:
        """All groups that each of these hosts lies in, at any height; unknown hosts are absent."""
        direct: dict[int, list[int]] = {}
        for start in range(0, len(host_ids), 5000):
            some = host_ids[start : start + 5000]
            direct |= {
                one: [] for one in self._tx.scalars(select(Host.id).where(Host.id.in_(some)))
            }
            query = select(GroupMember.host_id, GroupMember.group_id)
            for host_id, group_id in self._tx.execute(query.where(GroupMember.host_id.in_(some))):
                direct[host_id].append(group_id)
        parents = self._parents() if any(direct.values()) else {}
        return {host_id: _upwards(groups, parents) for host_id, groups in direct.items()}

    def _parents(self) -> dict[int, int | None]:
        return {row[0]: row[1] for row in self._tx.execute(select(Group.id, Group.parent_id))}

    def lock_tree(self) -> None:
        """Holds the tree still until the transaction ends.

        On PostgreSQL two moves at once could otherwise make a cycle that neither sees.
        """
        self._tx.scalars(select(Group.id).order_by(Group.id).with_for_update()).all()

    # ---- members ---------------------------------------------------------------------------

    def hosts_in(self, group_ids: Collection[int]) -> list[int]:
        """The hosts that are directly in one of these groups, ordered by id."""
        query = select(GroupMember.host_id).where(GroupMember.group_id.in_(list(group_ids)))
        return sorted(set(self._tx.scalars(query)))

    def assign(self, host_id: int, group: int | str | None) -> None:
        """Puts a host into exactly this group (by id or name), or into none.

        Raises GroupNotFound.
        """
        found = None
        if group is not None:
            found = self.by_id(group) if isinstance(group, int) else self.by_name(group)
            if found is None:
                raise GroupNotFound(group=group)
        self._tx.execute(delete(GroupMember).where(GroupMember.host_id == host_id))
        if found is not None:
            self._tx.execute(insert(GroupMember).values(host_id=host_id, group_id=found.id))


def _downwards(groups: Collection[int], parents: Mapping[int, int | None]) -> set[int]:
    """These groups and all below them."""
    children: dict[int, list[int]] = {}
    for one, parent in parents.items():
        if parent is not None:
            children.setdefault(parent, []).append(one)
    found, left = set(groups), list(groups)
    while left:
        below = [one for one in children.get(left.pop(), ()) if one not in found]
        found.update(below)
        left.extend(below)
    return found


def _upwards(groups: Collection[int], parents: Mapping[int, int | None]) -> list[int]:
    """These groups and all above them, by id."""
    found: set[int] = set()
    for group in groups:
        step: int | None = group
        while step is not None and step not in found:
            found.add(step)
            step = parents.get(step)
    return sorted(found)
