"""Users, sessions and login delays in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from libs.kit.db import Transaction
from services.auth.domain import FORGET_FAILURES_AFTER, DelayKeys, Failures, Role, SessionKind
from services.auth.errors import LastAdmin
from services.auth.models import GroupMember, GroupRole, LoginDelay, Session, User, UserRole

WHOLE = (selectinload(User.roles), selectinload(User.groups))
"""What a user is shown with."""


class UserRepository:
    """Who a user is; every user leaves with its roles. Lists are in users/repository.py."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_id(self, user_id: int) -> User | None:
        """The user with this id."""
        return self._one(User.id == user_id)

    def by_key(self, key: str) -> User | None:
        """The user with this folded name."""
        return self._one(User.username_key == key)

    def held(self, user_id: int) -> User | None:
        """The user with this id as it is now, which nobody else changes until this one ends."""
        query = select(User).where(User.id == user_id).options(selectinload(User.roles))
        # What refers to the user, such as a new session, may be stored all the while.
        query = query.with_for_update(key_share=True)
        return self._tx.scalars(query.execution_options(populate_existing=True)).one_or_none()

    def whole(self, user_id: int) -> User | None:
        """A user with roles and groups as they are now, deleted or not."""
        query = select(User).where(User.id == user_id).options(*WHOLE)
        return self._tx.scalars(query.execution_options(populate_existing=True)).one_or_none()

    def _one(self, condition: ColumnElement[bool]) -> User | None:
        query = select(User).where(condition).options(selectinload(User.roles))
        return self._tx.scalars(query).one_or_none()


class AdminRepository:
    """Who is an administrator, by an own role or by that of a group."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def hold_still(self) -> set[int]:
        """The active administrators, locked until this transaction ends.

        Everything that could take the last one away begins with this. The lock matters on
        PostgreSQL, where two could disable each other at the same moment.
        """
        return set(self._tx.scalars(_ACTIVE_ADMINS.with_for_update(of=User)).all())

    def refuse_to_lose(self, before: set[int]) -> None:
        """Raises LastAdmin if there were administrators before and there is none now."""
        self._tx.flush()
        if before and self._tx.scalar(_ACTIVE_ADMINS.limit(1)) is None:
            raise LastAdmin


_ACTIVE_ADMINS = (
    select(User.id)
    .where(
        User.is_active.is_(True),
        or_(
            User.id.in_(select(UserRole.user_id).where(UserRole.role == Role.ADMIN)),
            User.id.in_(
                select(GroupMember.user_id)
                .join(GroupRole, GroupRole.group_id == GroupMember.group_id)
                .where(GroupRole.role == Role.ADMIN)
            ),
        ),
    )
    .order_by(User.id)
)


class SessionRepository:
    """Questions about sessions. A session is live until it is idle, old, rotated or deleted."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, *sessions: Session) -> None:
        """Stores new sessions."""
        self._tx.add_all(sessions)
        self._tx.flush()

    def by_token(self, token_hash: str, kind: SessionKind) -> Session | None:
        """The session with this token, whatever its state; held until the transaction ends.

        Whoever uses the same token at the same moment waits here, before anything is locked.
        """
        query = select(Session).where(Session.token_hash == token_hash, Session.kind == kind)
        return self._tx.scalars(query.with_for_update()).one_or_none()

    def live_browser(self, token_hash: str) -> tuple[Session, User] | None:
        """A live browser session and its active user."""
        query = (
            select(Session, User)
            .join(User, User.id == Session.user_id)
            .where(
                Session.token_hash == token_hash,
                Session.kind == SessionKind.BROWSER,
                Session.idle_at > self._tx.now,
                User.is_active.is_(True),
            )
            .options(selectinload(User.roles))
        )
        row = self._tx.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    def live_family(self, family_id: str) -> tuple[Session, User] | None:
        """A credential of a login that is still live, and the active user."""
        query = (
            select(Session, User)
            .join(User, User.id == Session.user_id)
            .where(
                Session.family_id == family_id,
                Session.rotated_at.is_(None),
                Session.idle_at > self._tx.now,
                User.is_active.is_(True),
            )
            .options(selectinload(User.roles))
            .limit(1)
        )
        row = self._tx.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    def prove(self, family_id: str, at: datetime | None) -> bool:
        """Notes when the user of a login proved to be that user; None takes the proof back."""
        mine = Session.family_id == family_id
        return self._tx.changed(update(Session).where(mine).values(proved_at=at)) > 0

    def rotate(self, session: Session, idle_at: datetime) -> bool:
        """Marks a refresh token as exchanged; False when somebody else was first."""
        changed = self._tx.changed(
            update(Session)
            .where(Session.id == session.id, Session.rotated_at.is_(None))
            .values(rotated_at=self._tx.now, used_at=self._tx.now, idle_at=idle_at)
        )
        return changed == 1

    def touch(self, session_id: str, idle_at: datetime) -> None:
        """Notes that a session is in use."""
        self._tx.execute(
            update(Session)
            .where(Session.id == session_id)
            .values(used_at=self._tx.now, idle_at=idle_at)
        )

    def end_family(self, family_id: str) -> bool:
        """Deletes a login's credentials; False when there were none."""
        return self._tx.changed(delete(Session).where(Session.family_id == family_id)) > 0

    def families_of(self, user_id: int) -> Sequence[str]:
        """The logins of a user, newest first."""
        query = (
            select(Session.family_id)
            .where(Session.user_id == user_id)
            .group_by(Session.family_id)
            .order_by(func.min(Session.created_at).desc())
        )
        return self._tx.scalars(query).all()

    def is_familiar(self, username_key: str, address: str) -> bool:
        """Whether a user of this folded name is logged in from this address."""
        query = (
            select(Session.id)
            .join(User, User.id == Session.user_id)
            .where(
                User.username_key == username_key,
                Session.address == address,
                Session.idle_at > self._tx.now,
            )
        )
        return self._tx.scalar(query.limit(1)) is not None

    def delete_expired(self, limit: int) -> int:
        """Deletes at most `limit` sessions whose time is over and says how many."""
        old = select(Session.id).where(Session.idle_at <= self._tx.now).limit(limit)
        ids = self._tx.scalars(old).all()
        if ids:
            self._tx.execute(delete(Session).where(Session.id.in_(ids)))
        return len(ids)


class DelayRepository:
    """Who has to wait before trying to log in again."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def blocked_until(self, keys: Sequence[str]) -> datetime | None:
        """The latest moment until which one of these keys has to wait, if any."""
        query = select(func.max(LoginDelay.blocked_until)).where(
            LoginDelay.key.in_(keys), LoginDelay.blocked_until > self._tx.now
        )
        return self._tx.scalar(query)

    def count_failure(self, key: str) -> int:
        """Counts one more failure of this key and says how many there are by now.

        Failures are forgotten together, an hour after the latest.
        """
        if not self._increment(key):
            try:
                with self._tx.session.begin_nested():
                    self._tx.execute(insert(LoginDelay).values(self._first(key)))
            except IntegrityError:
                self._increment(key)  # somebody else's first failure was a moment faster
        return self._tx.scalar(select(LoginDelay.failures).where(LoginDelay.key == key)) or 1

    def _increment(self, key: str) -> bool:
        recent = LoginDelay.failed_at > self._tx.now - FORGET_FAILURES_AFTER
        changed = self._tx.changed(
            update(LoginDelay)
            .where(LoginDelay.key == key)
            .values(
                failures=case((recent, LoginDelay.failures + 1), else_=1), failed_at=self._tx.now
            )
        )
        return changed == 1

    def _first(self, key: str) -> dict[str, object]:
        now = self._tx.now
        return {"key": key, "failures": 1, "failed_at": now, "blocked_until": now}

    def block(self, key: str, until: datetime) -> None:
        """Makes a key wait."""
        self._tx.execute(
            update(LoginDelay).where(LoginDelay.key == key).values(blocked_until=until)
        )

    def delete_forgotten(self, limit: int) -> int:
        """Deletes at most `limit` keys whose failures no longer count and says how many."""
        old = select(LoginDelay.key).where(
            LoginDelay.failed_at <= self._tx.now - FORGET_FAILURES_AFTER
        )
        keys = self._tx.scalars(old.limit(limit)).all()
        if keys:
            self._tx.execute(delete(LoginDelay).where(LoginDelay.key.in_(keys)))
        return len(keys)

    def failures_of(self, keys: DelayKeys) -> Failures:
        """How many failures of each key still count."""
        recent = LoginDelay.failed_at > self._tx.now - FORGET_FAILURES_AFTER
        query = select(LoginDelay.key, LoginDelay.failures)
        rows = self._tx.execute(query.where(LoginDelay.key.in_(keys), recent))
        counted = {row.key: row.failures for row in rows}
        return Failures(*(counted.get(key, 0) for key in keys))

    def clear(self, *keys: str) -> None:
        """Forgets the failures of these keys."""
        self._tx.execute(delete(LoginDelay).where(LoginDelay.key.in_(keys)))
