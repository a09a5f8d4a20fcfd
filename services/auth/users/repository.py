"""Users in the database: lists, administrators, new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, UnaryExpression, delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from libs.kit.db import Transaction
from services.auth.domain import username_key
from services.auth.errors import UsernameTaken, UsersExist
from services.auth.models import ApiToken, GroupMember, GroupRole, User, UserRole
from services.auth.repository import WHOLE
from services.auth.users.schemas import UserQuery, UserSort

_Order = (
    UnaryExpression[int]
    | UnaryExpression[str]
    | UnaryExpression[datetime]
    | UnaryExpression[datetime | None]
)

_ORDER: dict[UserSort, _Order] = {
    UserSort.ID: User.id.asc(),
    UserSort.ID_DOWN: User.id.desc(),
    UserSort.USERNAME: User.username_key.asc(),
    UserSort.USERNAME_DOWN: User.username_key.desc(),
    UserSort.CREATED: User.created_at.asc(),
    UserSort.CREATED_DOWN: User.created_at.desc(),
    UserSort.LAST_LOGIN: User.last_login_at.asc(),
    UserSort.LAST_LOGIN_DOWN: User.last_login_at.desc(),
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
            .options(*WHOLE)
            .order_by(User.id)
        )
        return self._tx.scalars(query).all()

    def any_exist(self) -> bool:
        """Whether there is a user at all."""
        return self._tx.scalar(select(User.id).limit(1)) is not None

    def page_for(self, query: UserQuery) -> UserPage:
        """One page of users in the order asked."""
        conditions = _conditions(query)
        total = self._tx.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
        rows = self._tx.scalars(
            select(User)
            .where(*conditions)
            .options(*WHOLE)
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

    def groups_of(self, user_id: int) -> list[int]:
        """The groups of a user, by id."""
        query = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
        return sorted(self._tx.scalars(query))

    def leave_groups(self, user_id: int) -> None:
        """Takes a user out of all groups."""
        self._tx.execute(delete(GroupMember).where(GroupMember.user_id == user_id))

    def delete_tokens(self, user_id: int) -> int:
        """Ends all API tokens of a user and says how many."""
        return self._tx.changed(delete(ApiToken).where(ApiToken.user_id == user_id))


def _conditions(query: UserQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.search:
        folded = username_key(query.search)
        conditions.append(
            or_(
                User.username_key.contains(folded, autoescape=True),
                func.lower(User.display_name).contains(folded, autoescape=True),
                func.lower(User.email).contains(folded, autoescape=True),
            )
        )
    if query.is_active is not None:
        conditions.append(User.is_active.is_(query.is_active))
    if query.role is not None:
        own = select(UserRole.user_id).where(UserRole.role == query.role)
        through = (
            select(GroupMember.user_id)
            .join(GroupRole, GroupRole.group_id == GroupMember.group_id)
            .where(GroupRole.role == query.role)
        )
        conditions.append(or_(User.id.in_(own), User.id.in_(through)))
    if query.group_id is not None:
        members = select(GroupMember.user_id).where(GroupMember.group_id == query.group_id)
        conditions.append(User.id.in_(members))
    if not query.include_deleted:
        conditions.append(User.deleted_at.is_(None))
    return conditions
