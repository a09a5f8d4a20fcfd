"""Everything that decides about users, read from the database."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from libs.contracts.grants import AccessInfo, GrantRow
from libs.kit.db import Transaction
from services.auth.grants.domain import Subject
from services.auth.grants.repository import GrantRepository, row_of
from services.auth.models import GroupMember, GroupRole, User, UserGroup, UserRole
from services.auth.rights import Grant
from services.auth.roles.repository import RoleRepository
from services.auth.tokens.domain import scopes_of


class AccessRepository:
    """Questions about what users may do."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._grants = GrantRepository(tx)
        self._roles = RoleRepository(tx)

    def user(self, user_id: int) -> User | None:
        """The user with this id, with roles and groups."""
        query = (
            select(User)
            .where(User.id == user_id, User.deleted_at.is_(None))
            .options(selectinload(User.groups), selectinload(User.roles))
        )
        return self._tx.scalars(query).one_or_none()

    def info(self, user_id: int, known: str) -> AccessInfo | None:
        """What decides about an active user, or None for any other; without rows if known.

        Who has to set a new password first may do nothing else, except the first administrator.
        """
        query = select(User.id).where(
            User.id == user_id,
            User.is_active.is_(True),
            or_(User.must_change_password.is_(False), User.is_first_admin.is_(True)),
        )
        if self._tx.scalar(query) is None:
            return None
        held = self._roles.held_by(user_id)
        groups = self._grants.groups_of(user_id)
        revision = self._grants.revision_of(user_id, groups)
        permissions = sorted(held.permissions)
        whole = repr((user_id, permissions, groups, revision))
        version = hashlib.sha256(whole.encode()).hexdigest()[:32]
        rows: list[GrantRow] | None = None
        if version != known:
            rows = self._grants.rows_of(user_id, groups)
        return AccessInfo(user_id=user_id, version=version, permissions=permissions, rows=rows)

    def grants_of(self, user_id: int) -> Sequence[Grant]:
        """The grants of a user, own and of groups, that have not ended."""
        ids = [row.id for row in self._grants.rows_of(user_id, self._grants.groups_of(user_id))]
        query = select(Grant).where(Grant.id.in_(ids)).order_by(Grant.id)
        return self._tx.scalars(query).all()

    def granted_permissions(self, user_id: int) -> list[str]:
        """The permissions that those grants stand for; scopes of API tokens may name them."""
        return sorted(scopes_of(self._grants.rows_of(user_id, self._grants.groups_of(user_id))))

    def grant(self, grant_id: int) -> Grant | None:
        """The grant with this id."""
        return self._tx.get(Grant, grant_id)

    # ---- everybody -------------------------------------------------------------------------

    def active(self) -> dict[int, str]:
        """All active users with their names, by id."""
        query = select(User.id, User.username).where(User.is_active.is_(True)).order_by(User.id)
        return {row[0]: row[1] for row in self._tx.execute(query)}

    def members(self) -> dict[int, list[int]]:
        """The users of each group."""
        found: dict[int, list[int]] = {}
        rows = self._tx.execute(select(GroupMember.group_id, GroupMember.user_id))
        for group_id, user_id in rows:
            found.setdefault(group_id, []).append(user_id)
        return found

    def permissions(self, members: Mapping[int, Sequence[int]]) -> dict[int, frozenset[str]]:
        """The permissions of everybody who has any role."""
        keys: dict[int, set[str]] = {}
        for user_id, key in self._tx.execute(select(UserRole.user_id, UserRole.role)):
            keys.setdefault(user_id, set()).add(key)
        for group_id, key in self._tx.execute(select(GroupRole.group_id, GroupRole.role)):
            for user_id in members.get(group_id, ()):
                keys.setdefault(user_id, set()).add(key)
        made = {one: self._roles.permissions_of(one) for one in set(map(frozenset, keys.values()))}
        return {user_id: made[frozenset(held)] for user_id, held in keys.items()}

    @staticmethod
    def rows_by_user(
        grants: Iterable[Grant], members: Mapping[int, Sequence[int]]
    ) -> dict[int, list[GrantRow]]:
        """These grants as rows, under everybody whom they are for."""
        found: dict[int, list[GrantRow]] = {}
        for grant in grants:
            is_group = grant.subject_type == Subject.GROUP
            users = members.get(grant.subject_id, ()) if is_group else (grant.subject_id,)
            for user_id in users:
                found.setdefault(user_id, []).append(row_of(grant))
        return found

    def group_names(self, user: User) -> list[tuple[int, str]]:
        """The groups of a user with their names."""
        query = (
            select(UserGroup.id, UserGroup.name)
            .join(GroupMember, GroupMember.group_id == UserGroup.id)
            .where(GroupMember.user_id == user.id)
            .order_by(UserGroup.name_key)
        )
        return [(row[0], row[1]) for row in self._tx.execute(query)]
