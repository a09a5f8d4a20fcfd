"""What a proof of a user consists of, in the database."""

from sqlalchemy import select

from libs.kit.db import Transaction
from services.auth.models import ExternalIdentity, SecondFactor


class MeansRepository:
    """Questions about the means that a user has."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def has_factor(self, user_id: int) -> bool:
        """Whether the second factor of a user is on."""
        factor = self._tx.get(SecondFactor, user_id)
        return factor is not None and factor.confirmed_at is not None

    def provider_of(self, user_id: int) -> str | None:
        """Where a user was last vouched for, as identities name it (`oidc:company`)."""
        query = select(ExternalIdentity.provider).where(ExternalIdentity.user_id == user_id)
        return self._tx.scalar(query.order_by(ExternalIdentity.seen_at.desc()).limit(1))
