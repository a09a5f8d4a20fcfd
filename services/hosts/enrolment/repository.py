"""Enrolment tokens in the database; a token is spent by one conditional UPDATE."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update

from libs.kit.db import Transaction
from services.hosts.enrolment.schemas import TokenQuery, TokenState
from services.hosts.models import EnrolmentToken, TrustBundle

KEEP_SPENT = timedelta(days=30)


class TokenRepository:
    """Questions about enrolment tokens."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_id(self, token_id: int) -> EnrolmentToken | None:
        """The token with this id."""
        return self._tx.get(EnrolmentToken, token_id)

    def add(self, token: EnrolmentToken) -> EnrolmentToken:
        """Stores a new token."""
        self._tx.add(token)
        self._tx.flush()
        return token

    def spend(self, token_hash: str, agent_id: str) -> EnrolmentToken | None:
        """Uses an open token up for this agent; None when there is no such open token.

        Of any number of attempts at once exactly one gets it.
        """
        spent = self._tx.changed(
            update(EnrolmentToken)
            .where(EnrolmentToken.token_hash == token_hash, *_open(self._tx.now))
            .values(used_at=self._tx.now, agent_id=agent_id)
            .execution_options(synchronize_session=False)
        )
        if spent != 1:
            return None
        query = select(EnrolmentToken).where(EnrolmentToken.token_hash == token_hash)
        return self._tx.scalars(query).one()

    def revoke(self, token_id: int) -> bool:
        """Revokes a token that is neither used nor revoked; False when it was."""
        return (
            self._tx.changed(
                update(EnrolmentToken)
                .where(
                    EnrolmentToken.id == token_id,
                    EnrolmentToken.used_at.is_(None),
                    EnrolmentToken.revoked_at.is_(None),
                )
                .values(revoked_at=self._tx.now)
            )
            == 1
        )

    def revoke_for_host(self, host_id: int) -> None:
        """Revokes every open token of a host."""
        self._tx.execute(
            update(EnrolmentToken)
            .where(EnrolmentToken.host_id == host_id, *_open(self._tx.now))
            .values(revoked_at=self._tx.now)
        )

    def delete_old(self) -> None:
        """Deletes tokens whose time ended a month ago."""
        self._tx.execute(
            delete(EnrolmentToken).where(EnrolmentToken.expires_at < self._tx.now - KEEP_SPENT)
        )

    def page_for(self, query: TokenQuery) -> tuple[int, list[EnrolmentToken]]:
        """The total and one page, newest first."""
        conditions: list[ColumnElement[bool]] = []
        if query.host_id is not None:
            conditions.append(EnrolmentToken.host_id == query.host_id)
        if query.state is not None:
            conditions.extend(_in_state(query.state, self._tx.now))
        total = self._tx.scalar(select(func.count()).select_from(EnrolmentToken).where(*conditions))
        tokens = self._tx.scalars(
            select(EnrolmentToken)
            .where(*conditions)
            .order_by(EnrolmentToken.id.desc())
            .limit(query.paging.page_size)
            .offset(query.paging.offset)
        )
        return total or 0, list(tokens)


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        EnrolmentToken.used_at.is_(None),
        EnrolmentToken.revoked_at.is_(None),
        EnrolmentToken.expires_at > now,
    )


def _in_state(state: TokenState, now: datetime) -> tuple[ColumnElement[bool], ...]:
    if state is TokenState.OPEN:
        return _open(now)
    if state is TokenState.USED:
        return (EnrolmentToken.used_at.is_not(None),)
    if state is TokenState.REVOKED:
        return (EnrolmentToken.revoked_at.is_not(None),)
    return (
        EnrolmentToken.used_at.is_(None),
        EnrolmentToken.revoked_at.is_(None),
        EnrolmentToken.expires_at <= now,
    )


class TrustRepository:
    """The one trust bundle."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def present(self) -> TrustBundle | None:
        """The stored bundle."""
        return self._tx.get(TrustBundle, 1)

    def store(self, *, root: str, number: int, bundle: str) -> None:
        """Replace it."""
        stored = self.present()
        if stored is None:
            stored = TrustBundle(id=1, root=root, number=number, bundle=bundle)
            stored.updated_at = self._tx.now
            self._tx.add(stored)
        stored.root, stored.number, stored.bundle = root, number, bundle
        stored.updated_at = self._tx.now
        self._tx.flush()
