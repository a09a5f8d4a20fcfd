"""Roles in the database, who holds them, and what they allow together."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, union
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, object_session

from libs.kit.db import Transaction
from services.auth.domain import CUSTOM_PREFIX, Policy, Role, permissions_of, username_key
from services.auth.errors import RoleNameTaken, RoleNotFound
from services.auth.models import GroupMember, GroupRole, RoleRow, User, UserRole
from services.auth.roles.schemas import RoleOut


@dataclass(frozen=True)
class Held:
    """The roles of a user, own and of groups, and the permissions that they make together."""

    roles: tuple[str, ...]
    permissions: frozenset[str]


class RoleRepository:
    """Questions about roles and their holders."""

    def __init__(self, tx: Transaction | Session) -> None:
        self._tx = tx

    def by_id(self, role_id: int) -> RoleRow | None:
        """The role with this id."""
        return self._tx.get(RoleRow, role_id)

    def all(self) -> Sequence[RoleRow]:
        """Every role, the built-in ones first."""
        return self._tx.scalars(select(RoleRow).order_by(RoleRow.id)).all()

    def policy(self) -> Policy:
        """What all custom roles allow, as rules."""
        rows = self._tx.execute(
            select(RoleRow.key, RoleRow.permissions)
            .where(RoleRow.is_built_in.is_(False))
            .order_by(RoleRow.id)
        )
        return Policy(tuple((key, name) for key, names in rows for name in json.loads(names)))

    def permissions_of(self, keys: Iterable[str]) -> frozenset[str]:
        """Everything that roles with these keys allow together."""
        wanted = frozenset(keys)
        built_in = wanted <= frozenset(Role)
        return permissions_of(wanted) if built_in else permissions_of(wanted, self.policy())

    def held_by(self, user_id: int) -> Held:
        """The roles of a user and of the user's groups."""
        mine = select(UserRole.role).where(UserRole.user_id == user_id)
        ours = (
            select(GroupRole.role)
            .join(GroupMember, GroupMember.group_id == GroupRole.group_id)
            .where(GroupMember.user_id == user_id)
        )
        keys = sorted(self._tx.scalars(union(mine, ours)))
        return Held(tuple(keys), self.permissions_of(keys))

    def known(self, keys: Collection[str]) -> None:
        """Raises RoleNotFound unless there is a role for each of these keys."""
        found = set(self._tx.scalars(select(RoleRow.key).where(RoleRow.key.in_(list(keys)))))
        missing = sorted(set(keys) - found)
        if missing:
            raise RoleNotFound(missing=missing[:20])

    def require_two_factor(self, keys: Collection[str]) -> bool:
        """Whether any of these roles asks for a second factor."""
        query = select(RoleRow.id).where(
            RoleRow.key.in_(list(keys)), RoleRow.require_two_factor.is_(True)
        )
        return self._tx.scalar(query.limit(1)) is not None

    def counted(self, rows: Sequence[RoleRow]) -> list[RoleOut]:
        """These roles with what they allow and how many users and groups hold them."""
        users = self._count(UserRole)
        groups = self._count(GroupRole)
        policy = self.policy()
        return [
            RoleOut(
                id=row.id,
                key=row.key,
                name=row.name,
                description=row.description,
                permissions=sorted(permissions_of([row.key], policy)),
                is_built_in=row.is_built_in,
                require_two_factor=row.require_two_factor,
                user_count=users.get(row.key, 0),
                group_count=groups.get(row.key, 0),
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
            for row in rows
        ]

    def _count(self, holders: type[UserRole] | type[GroupRole]) -> dict[str, int]:
        rows = self._tx.execute(select(holders.role, func.count()).group_by(holders.role))
        return {row[0]: row[1] for row in rows}

    def holders_of(self, key: str) -> Sequence[int]:
        """The users who hold a role, by themselves or through a group."""
        mine = select(UserRole.user_id).where(UserRole.role == key)
        ours = (
            select(GroupMember.user_id)
            .join(GroupRole, GroupRole.group_id == GroupMember.group_id)
            .where(GroupRole.role == key)
        )
        return sorted(self._tx.scalars(union(mine, ours)))

    def is_held(self, key: str) -> bool:
        """Whether any user or group holds a role."""
        mine = self._tx.scalar(select(UserRole.user_id).where(UserRole.role == key).limit(1))
        ours = self._tx.scalar(select(GroupRole.group_id).where(GroupRole.role == key).limit(1))
        return mine is not None or ours is not None

    def name_is_taken(self, name: str, *, but: int | None = None) -> bool:
        """Whether another role has this name, in any case of letters."""
        query = select(RoleRow.id).where(
            RoleRow.name_key == username_key(name), RoleRow.id != (but or 0)
        )
        return self._tx.scalar(query) is not None

    def store(self, row: RoleRow) -> RoleRow:
        """Sends a new or changed role; a new one gets a key made of its id."""
        self._tx.add(row)
        try:
            self._tx.flush()
            if not row.is_built_in and not row.key.startswith(CUSTOM_PREFIX):
                row.key = f"{CUSTOM_PREFIX}{row.id}"
                self._tx.flush()
        except IntegrityError as error:
            raise RoleNameTaken(name=row.name) from error
        return row

    def remove(self, row: RoleRow) -> None:
        """Deletes a role that nobody holds."""
        self._tx.delete(row)
        self._tx.flush()


def held(user: User) -> Held:
    """What a user holds, who was loaded by a transaction that still runs."""
    session = object_session(user)
    assert session is not None, "the user's transaction has ended"
    return RoleRepository(session).held_by(user.id)
