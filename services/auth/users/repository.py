"""Users in the database: lists, administrators, new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, UnaryExpression, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from libs.kit.db import Transaction
from services.auth.domain import Role, username_key
from services.auth.errors import UsernameTaken, UsersExist
from services.auth.models import User, UserRole
from services.auth.users.schemas import UserQuery, UserSort

_Order = UnaryExpression[int] | UnaryExpression[str] | UnaryExpression[datetime]

_ORDER: dict[UserSort, _Order] = {
    UserSort.ID: User.id.asc(),
    UserSort.ID_DOWN: User.id.desc(),
    UserSort.USERNAME: User.username_key.asc(),
    UserSort.USERNAME_DOWN: User.username_key.desc(),
    UserSort.CREATED: User.created_at.asc(),
    UserSort.CREATED_DOWN: User.created_at.desc(),
}


@dataclass(frozen=True)
class UserPage:
    """One page and how many there are in all."""

    total: int
    users: Sequence[User]


class UserDirectory:
    """Questions about many users; every user leaves with its roles."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def active_among(self, user_ids: Sequence[int]) -> Sequence[User]:
        """Those of these users that are active, by id."""
        query = (
            select(User)
            .where(User.id.in_(user_ids), User.is_active.is_(True))
            .options(selectinload(User.roles))
            .order_by(User.id)
        )
        return self._tx.scalars(query).all()

    def any_exist(self) -> bool:
        """Whether there is a user at all."""
        return self._tx.scalar(select(User.id).limit(1)) is not None

    def lock_active_admins(self) -> set[int]:
        """The ids of all active administrators, held still until this transaction ends.

        The lock matters on PostgreSQL, where two could disable each other at the same moment.
        """
        query = (
            select(User.id)
            .join(UserRole, UserRole.user_id == User.id)
            .where(UserRole.role == Role.ADMIN, User.is_active.is_(True))
            .order_by(User.id)
            .with_for_update(of=User)
        )
        return set(self._tx.scalars(query).all())

    def page_for(self, query: UserQuery) -> UserPage:
        """One page of users in the order asked."""
        conditions: list[ColumnElement[bool]] = []
        if query.search:
            folded = username_key(query.search)
            conditions.append(User.username_key.contains(folded, autoescape=True))
        if query.is_active is not None:
            conditions.append(User.is_active.is_(query.is_active))
        total = self._tx.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
        rows = self._tx.scalars(
            select(User)
            .where(*conditions)
            .options(selectinload(User.roles))
            .order_by(_ORDER[query.sort], User.id)
            .limit(query.paging.page_size)
            .offset(query.paging.offset)
        )
        return UserPage(total=total, users=rows.all())

    def add(self, user: User) -> User:
        """Stores a new user; what the unique indexes forbid becomes the error it means."""
        self._tx.add(user)
        try:
            self._tx.flush()
        except IntegrityError as error:
            if "first_admin" in str(error.orig):
                raise UsersExist from error
            raise UsernameTaken(username=user.username) from error
        return user
