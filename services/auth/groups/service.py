"""The use cases of groups of users."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from libs.contracts.audit import audit
from libs.contracts.auth import PolicyChanged, UserRolesChanged
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.pagination import PageParams
from services.auth.errors import ExceedsOwnRights, GroupNotFound, UserNotFound
from services.auth.grants.domain import Subject
from services.auth.grants.service import end_grants_of, end_what_leavers_gave
from services.auth.groups.repository import GroupRepository
from services.auth.groups.schemas import GroupCreate, GroupOut, GroupPatch, GroupQuery, MemberOut
from services.auth.models import GroupRole, UserGroup
from services.auth.repository import AdminRepository
from services.auth.roles.repository import RoleRepository
from services.auth.roles.service import may_give, must_hold

GRANTING = "permissions:write"


@dataclass(frozen=True)
class GroupPage:
    """One page of groups and how many there are in all."""

    total: int
    groups: Sequence[GroupOut]


@dataclass(frozen=True)
class MemberPage:
    """One page of members and how many there are in all."""

    total: int
    members: Sequence[MemberOut]


class Groups:
    """Groups give their members roles, and whatever is granted to them.

    Nobody puts anybody, least of all themselves, into a group that may do more than they.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    # ---- questions -------------------------------------------------------------------------

    @reads
    def page(self, tx: Transaction, query: GroupQuery) -> GroupPage:
        """One page of groups."""
        total, groups = GroupRepository(tx).page_for(query)
        return GroupPage(total, _counted(tx, groups))

    @reads
    def one(self, tx: Transaction, group_id: int) -> GroupOut:
        """A group; raises GroupNotFound."""
        return _counted(tx, [_required(tx, group_id)])[0]

    @reads
    def members(self, tx: Transaction, group_id: int, params: PageParams) -> MemberPage:
        """One page of the members; raises GroupNotFound."""
        groups, group = GroupRepository(tx), _required(tx, group_id)
        found = groups.members(group.id, params)
        total = groups.counts([group.id]).get(group.id, 0)
        return MemberPage(total, [MemberOut.model_validate(user) for user in found])

    # ---- changes ---------------------------------------------------------------------------

    @writes
    def create(self, tx: Transaction, spec: GroupCreate, by: Principal) -> GroupOut:
        """A new group; raises GroupNameTaken, UnknownRole or ExceedsOwnRights."""
        may_give(tx, spec.roles, by)
        group = UserGroup(
            name=spec.name,
            description=spec.description,
            created_at=tx.now,
            updated_at=tx.now,
            roles=[GroupRole(role=key) for key in sorted(set(spec.roles))],
        )
        GroupRepository(tx).store(group)
        made = _counted(tx, [group])[0]
        audit(tx, "group.create", kind="group", id=group.id, name=group.name, after=made)
        return made

    @writes
    def change(self, tx: Transaction, group_id: int, patch: GroupPatch, by: Principal) -> GroupOut:
        """Changes name, description or roles, for all members.

        Raises GroupNameTaken, UnknownRole, LastAdmin, and ExceedsOwnRights for a group that may
        do more than the caller, before or after.
        """
        admins = AdminRepository(tx).hold_still()
        groups, group = GroupRepository(tx), _required(tx, group_id, hold=True)
        _judge_group(tx, group, by)
        before = _counted(tx, [group])[0]
        held = {role.role for role in group.roles}
        wanted = held if patch.roles is None else set(patch.roles)
        may_give(tx, wanted - held, by)
        if wanted != held:
            kept = [role for role in group.roles if role.role in wanted]
            new = [GroupRole(role=key) for key in sorted(wanted - held)]
            group.roles = sorted([*kept, *new], key=lambda role: role.role)
            tx.emit(PolicyChanged(version=RoleRepository(tx).policy().version))
        group.name = patch.name if patch.name is not None else group.name
        if patch.description is not None:
            group.description = patch.description
        group.updated_at = tx.now
        groups.store(group)
        AdminRepository(tx).refuse_to_lose(admins)
        after = _counted(tx, [group])[0]
        audit(
            tx,
            "group.update",
            kind="group",
            id=group.id,
            name=group.name,
            before=before,
            after=after,
        )
        return after

    @writes
    def delete(self, tx: Transaction, group_id: int, by: Principal) -> None:
        """Deletes a group; its members lose what they had from it, and what they gave on of it.

        Raises LastAdmin.
        """
        admins = AdminRepository(tx).hold_still()
        group = _required(tx, group_id, hold=True)
        _judge_group(tx, group, by)
        before = _counted(tx, [group])[0]
        end_grants_of(tx, Subject.GROUP, group.id)
        GroupRepository(tx).remove(group)
        AdminRepository(tx).refuse_to_lose(admins)
        tx.emit(PolicyChanged(version=RoleRepository(tx).policy().version))
        audit(tx, "group.delete", kind="group", id=group_id, name=before.name, before=before)

    @writes
    def add(
        self, tx: Transaction, group_id: int, user_ids: Collection[int], by: Principal
    ) -> GroupOut:
        """Makes users members, all or none; raises UserNotFound or ExceedsOwnRights."""
        groups, group = GroupRepository(tx), _required(tx, group_id, hold=True)
        _judge_group(tx, group, by)
        known = groups.existing(set(user_ids))
        missing = sorted(set(user_ids) - set(known))
        if missing:
            raise UserNotFound(missing=missing[:20])
        new = set(known) - groups.member_ids(group.id)
        groups.join(group.id, new)
        self._tell(tx, group, {user_id: known[user_id] for user_id in new}, "group.add_member")
        return _counted(tx, [group])[0]

    @writes
    def remove(self, tx: Transaction, group_id: int, user_id: int, by: Principal) -> None:
        """Takes a user out of a group, with what the user gave on under its grants.

        Raises UserNotFound or LastAdmin.
        """
        admins = AdminRepository(tx).hold_still()
        groups, group = GroupRepository(tx), _required(tx, group_id, hold=True)
        _judge_group(tx, group, by)
        names = groups.existing([user_id])
        if not groups.leave(group.id, user_id):
            raise UserNotFound(user_id=user_id)
        end_what_leavers_gave(tx, [group.id], [user_id])
        AdminRepository(tx).refuse_to_lose(admins)
        self._tell(tx, group, {user_id: names.get(user_id, "")}, "group.remove_member")

    def _tell(self, tx: Transaction, group: UserGroup, users: dict[int, str], action: str) -> None:
        for user_id, name in sorted(users.items()):
            tx.emit(UserRolesChanged(user_id=user_id))
            audit(
                tx,
                action,
                kind="group",
                id=group.id,
                name=group.name,
                detail=f"user {user_id} ({name})",
            )


def _required(tx: Transaction, group_id: int, *, hold: bool = False) -> UserGroup:
    group = GroupRepository(tx).by_id(group_id, hold=hold)
    if group is None:
        raise GroupNotFound(group_id=group_id)
    return group


def _judge_group(tx: Transaction, group: UserGroup, by: Principal) -> None:
    """Raises ExceedsOwnRights for a group that gives more than the caller could give."""
    must_hold(by, RoleRepository(tx).permissions_of([role.role for role in group.roles]))
    if GroupRepository(tx).has_grants(group.id) and not by.can(GRANTING):
        raise ExceedsOwnRights(permissions=[GRANTING])


def _counted(tx: Transaction, groups: Sequence[UserGroup]) -> list[GroupOut]:
    counts = GroupRepository(tx).counts([group.id for group in groups])
    return [
        GroupOut(
            id=group.id,
            name=group.name,
            description=group.description,
            roles=[role.role for role in group.roles],
            member_count=counts.get(group.id, 0),
            created_at=group.created_at,
            updated_at=group.updated_at,
        )
        for group in groups
    ]
