"""Captchas in the database; each leaves it with its first answer."""

from sqlalchemy import delete, func, select

from libs.kit.db import Transaction
from services.auth.models import Captcha


class CaptchaRepository:
    """Pictures that wait for their one answer."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, captcha: Captcha) -> None:
        """Stores a new one."""
        self._tx.add(captcha)

    def take(self, key_hash: str) -> Captcha | None:
        """Removes a captcha and says what it was; None for everybody but the first who asks."""
        found = self._tx.get(Captcha, key_hash)
        if found is None:
            return None
        self._tx.session.expunge(found)
        gone = self._tx.changed(delete(Captcha).where(Captcha.key_hash == key_hash))
        return found if gone == 1 else None

    def waiting(self, address: str) -> int:
        """How many pictures wait for an answer from this address."""
        query = select(func.count()).select_from(Captcha).where(Captcha.address == address)
        return self._tx.scalar(query.where(Captcha.expires_at > self._tx.now)) or 0

    def delete_expired(self, limit: int) -> int:
        """Deletes at most `limit` captchas whose time is over and says how many."""
        old = select(Captcha.key_hash).where(Captcha.expires_at <= self._tx.now).limit(limit)
        keys = self._tx.scalars(old).all()
        if keys:
            self._tx.execute(delete(Captcha).where(Captcha.key_hash.in_(keys)))
        return len(keys)
