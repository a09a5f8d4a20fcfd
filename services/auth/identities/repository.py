"""Identities of elsewhere in the database, and what their users have here."""

from collections.abc import Collection

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from libs.kit.db import Transaction
from services.auth.domain import username_key
from services.auth.models import ExternalIdentity, GroupMember, RoleRow, User, UserGroup


class IdentityRepository:
    """Who a user is elsewhere."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def user_id_of(self, provider: str, subject: str) -> int | None:
        """The user whom this lasting id belongs to."""
        query = select(ExternalIdentity.user_id).where(
            ExternalIdentity.provider == provider, ExternalIdentity.subject == subject
        )
        return self._tx.scalar(query)

    def subject_of(self, provider: str, user_id: int) -> str | None:
        """The lasting id of a user at a provider."""
        query = select(ExternalIdentity.subject).where(
            ExternalIdentity.provider == provider, ExternalIdentity.user_id == user_id
        )
        return self._tx.scalar(query.limit(1))

    def provider_of(self, user_id: int) -> str | None:
        """Where a user of elsewhere came in from the last time."""
        query = select(ExternalIdentity.provider).where(ExternalIdentity.user_id == user_id)
        return self._tx.scalar(query.order_by(ExternalIdentity.seen_at.desc()).limit(1))

    def active_at(self, provider: str) -> dict[str, int]:
        """The active users of a provider: user by lasting id."""
        query = (
            select(ExternalIdentity.subject, ExternalIdentity.user_id)
            .join(User, User.id == ExternalIdentity.user_id)
            .where(ExternalIdentity.provider == provider, User.is_active.is_(True))
            .order_by(ExternalIdentity.user_id)
        )
        return {subject: user_id for subject, user_id in self._tx.execute(query)}  # noqa: C416  two columns

    def make(self, user: User, *, provider: str, subject: str, label: str) -> bool:
        """Stores a new user with the lasting id; False when name or id were taken meanwhile."""
        try:
            with self._tx.session.begin_nested():
                self._tx.add(user)
                self._tx.flush()
                self._tx.add(
                    ExternalIdentity(
                        provider=provider,
                        subject=subject,
                        user_id=user.id,
                        label=label,
                        created_at=self._tx.now,
                        seen_at=self._tx.now,
                    )
                )
                self._tx.flush()
        except IntegrityError:
            return False
        return True

    def seen(self, provider: str, subject: str, label: str) -> None:
        """Notes that somebody was here, and under which name there."""
        self._tx.execute(
            update(ExternalIdentity)
            .where(ExternalIdentity.provider == provider, ExternalIdentity.subject == subject)
            .values(seen_at=self._tx.now, label=label)
        )

    # ---- what they have here ---------------------------------------------------------------

    def roles_called(self, names: Collection[str]) -> dict[str, str]:
        """Key by what settings call a role: its key or its name; the unknown are absent."""
        folded = {username_key(name): name for name in names}
        query = select(RoleRow.key, RoleRow.name_key).where(
            or_(RoleRow.key.in_(list(names)), RoleRow.name_key.in_(list(folded)))
        )
        found: dict[str, str] = {}
        for key, name_key in self._tx.execute(query):
            if name_key in folded:
                found.setdefault(folded[name_key], key)
            if key in names:
                found[key] = key
        return found

    def groups_called(self, names: Collection[str]) -> dict[str, int]:
        """Id by name; the unknown are absent."""
        folded = {username_key(name): name for name in names}
        query = select(UserGroup.id, UserGroup.name_key).where(UserGroup.name_key.in_(list(folded)))
        return {folded[name_key]: group_id for group_id, name_key in self._tx.execute(query)}

    def groups_of(self, user_id: int) -> frozenset[int]:
        """The groups that a user belongs to."""
        query = select(GroupMember.group_id).where(GroupMember.user_id == user_id)
        return frozenset(self._tx.scalars(query))

    def join(self, user_id: int, group_ids: Collection[int]) -> None:
        """Makes a user a member of groups that it is not in."""
        rows = [{"group_id": group_id, "user_id": user_id} for group_id in sorted(group_ids)]
        if rows:
            self._tx.execute(insert(GroupMember), rows)

    def leave(self, user_id: int, group_ids: Collection[int]) -> None:
        """Ends a user's membership in groups."""
        self._tx.execute(
            delete(GroupMember).where(
                GroupMember.user_id == user_id, GroupMember.group_id.in_(list(group_ids))
            )
        )
