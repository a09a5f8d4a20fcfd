"""Security events in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select

from libs.kit.db import Transaction
from services.execution.models import SecurityEvent


class SecurityRepository:
    """What was refused because nobody honest sends it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._session = tx.session

    def add(self, events: Sequence[SecurityEvent]) -> None:
        """Store them."""
        self._session.add_all(events)

    def recent(self, agent_id: str, since: datetime) -> int:
        """How many an agent has since then."""
        query = select(func.count()).where(
            SecurityEvent.agent_id == agent_id, SecurityEvent.at >= since
        )
        return self._session.scalar(query) or 0

    def page(
        self, *, agent_id: str | None, reason: str | None, limit: int, offset: int
    ) -> tuple[int, Sequence[SecurityEvent]]:
        """The total and one page, newest first."""
        where = []
        if agent_id:
            where.append(SecurityEvent.agent_id == agent_id)
        if reason:
            where.append(SecurityEvent.reason == reason)
        total = self._session.scalar(select(func.count()).select_from(SecurityEvent).where(*where))
        rows = self._session.scalars(
            select(SecurityEvent)
            .where(*where)
            .order_by(SecurityEvent.at.desc(), SecurityEvent.id.desc())
            .limit(limit)
            .offset(offset)
        ).all()
        return total or 0, rows

    def drop_before(self, before: datetime) -> int:
        """Forget old ones; the audit log keeps what they said."""
        return self._tx.changed(delete(SecurityEvent).where(SecurityEvent.at < before))
