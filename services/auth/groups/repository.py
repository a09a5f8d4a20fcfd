"""Groups and their members in the database."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from libs.kit.db import Transaction
from libs.kit.pagination import PageParams
from services.auth.domain import username_key
from services.auth.errors import GroupNameTaken
from services.auth.groups.schemas import GroupQuery
from services.auth.models import GroupMember, User, UserGroup
from services.auth.rights import Grant


class GroupRepository:
    """Questions about groups; every group leaves with its roles."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_id(self, group_id: int, *, hold: bool = False) -> UserGroup | None:
        """The group with this id; held still until the transaction ends, if asked for."""
        query = select(UserGroup).where(UserGroup.id == group_id)
        if hold:
            query = query.with_for_update()
        return self._tx.scalars(query.options(selectinload(UserGroup.roles))).one_or_none()

    def page_for(self, query: GroupQuery) -> tuple[int, Sequence[UserGroup]]:
        """The total and one page, by name."""
        conditions = []
        if query.search:
            folded = username_key(query.search)
            conditions.append(UserGroup.name_key.contains(folded, autoescape=True))
        total = self._tx.scalar(select(func.count()).select_from(UserGroup).where(*conditions))
        rows = self._tx.scalars(
            select(UserGroup)
            .where(*conditions)
            .options(selectinload(UserGroup.roles))
            .order_by(UserGroup.name_key)
            .limit(query.paging.page_size)
            .offset(query.paging.offset)
        )
        return total or 0, rows.all()

    def store(self, group: UserGroup) -> UserGroup:
        """Sends a new or changed group; raises GroupNameTaken."""
        name = group.name
        group.name_key = username_key(name)
        self._tx.add(group)
        try:
            self._tx.flush()
        except IntegrityError as error:
            raise GroupNameTaken(name=name) from error
        return group

    def remove(self, group: UserGroup) -> None:
        """Deletes a group with its memberships and roles."""
        self._tx.execute(delete(GroupMember).where(GroupMember.group_id == group.id))
        self._tx.delete(group)
        self._tx.flush()

    # ---- members ---------------------------------------------------------------------------

    def counts(self, group_ids: Collection[int]) -> dict[int, int]:
        """How many members each of these groups has; those without any are absent."""
        query = (
            select(GroupMember.group_id, func.count())
            .where(GroupMember.group_id.in_(list(group_ids)))
            .group_by(GroupMember.group_id)
        )
        return {row[0]: row[1] for row in self._tx.execute(query)}

    def members(self, group_id: int, params: PageParams) -> Sequence[User]:
        """One page of the members, by name."""
        return self._tx.scalars(
            select(User)
            .join(GroupMember, GroupMember.user_id == User.id)
            .where(GroupMember.group_id == group_id)
            .order_by(User.username_key)
            .limit(params.page_size)
            .offset(params.offset)
        ).all()

    def member_ids(self, group_id: int) -> set[int]:
        """Everybody in a group."""
        query = select(GroupMember.user_id).where(GroupMember.group_id == group_id)
        return set(self._tx.scalars(query))

    def existing(self, user_ids: Collection[int]) -> dict[int, str]:
        """The names of those of these users who are there and not deleted."""
        query = select(User.id, User.username).where(
            User.id.in_(list(user_ids)), User.deleted_at.is_(None)
        )
        return {row[0]: row[1] for row in self._tx.execute(query)}

    def join(self, group_id: int, user_ids: Collection[int]) -> None:
        """Makes users members who are not yet."""
        rows = [{"group_id": group_id, "user_id": user_id} for user_id in sorted(user_ids)]
        if rows:
            self._tx.execute(insert(GroupMember), rows)

    def leave(self, group_id: int, user_id: int) -> bool:
        """Takes a user out; False when the user was not in it."""
        gone = delete(GroupMember).where(
            GroupMember.group_id == group_id, GroupMember.user_id == user_id
        )
        return self._tx.changed(gone) > 0

    def has_grants(self, group_id: int) -> bool:
        """Whether members may do something with single objects because of this group."""
        granted = exists().where(
            Grant.subject_type == "group",
            Grant.subject_id == group_id,
            Grant.revoked_at.is_(None),
        )
        return bool(self._tx.scalar(select(granted)))
