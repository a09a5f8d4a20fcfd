"""Logins in the database: the credentials of one family taken together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from libs.kit.db import Transaction
from services.auth.models import Session


@dataclass(frozen=True)
class Login:
    """What is known about one login."""

    id: str
    user_agent: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    remembered: bool


class LoginRepository:
    """Questions about logins that are alive."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of_user(self, user_id: int) -> Sequence[Login]:
        """The logins of a user, the latest use first; there are at most a few hundred."""
        query = select(Session).where(
            Session.user_id == user_id,
            Session.idle_at > self._tx.now,
            Session.rotated_at.is_(None),
        )
        found: dict[str, Login] = {}
        for row in self._tx.scalars(query):
            known = found.get(row.family_id)
            found[row.family_id] = _of(row) if known is None else _joined(known, row)
        return sorted(found.values(), key=lambda login: login.last_used_at, reverse=True)

    def owner(self, family_id: str) -> int | None:
        """Whose login this is; None when it has ended."""
        query = select(Session.user_id).where(Session.family_id == family_id)
        return self._tx.scalar(query.limit(1))


def _of(row: Session) -> Login:
    return Login(
        id=row.family_id,
        user_agent=row.user_agent,
        address=row.address,
        created_at=row.created_at,
        last_used_at=row.used_at,
        expires_at=row.expires_at,
        remembered=row.remembered,
    )


def _joined(login: Login, row: Session) -> Login:
    """A login has a cookie and a refresh token; it lives as long as either."""
    return replace(
        login,
        last_used_at=max(login.last_used_at, row.used_at),
        expires_at=max(login.expires_at, row.expires_at),
    )
