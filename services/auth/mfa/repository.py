"""Second factors, recovery codes and tickets for enrolment in the database."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, update

from libs.kit.db import Transaction
from services.auth.models import EnrolmentTicket, RecoveryCode, SecondFactor


class FactorRepository:
    """Questions about factors. What may be used once is used up by one conditional statement."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of(self, user_id: int) -> SecondFactor | None:
        """The factor of a user, confirmed or not."""
        return self._tx.get(SecondFactor, user_id)

    def replace(self, factor: SecondFactor) -> None:
        """Stores a factor that is not confirmed yet in place of another such one."""
        self.delete(factor.user_id)
        self._tx.add(factor)
        self._tx.flush()

    def confirm(self, user_id: int, sealed_secret: str, step: int) -> bool:
        """Turns on the factor with this very secret; False when it is not there or on already."""
        statement = (
            update(SecondFactor)
            .where(
                SecondFactor.user_id == user_id,
                SecondFactor.sealed_secret == sealed_secret,
                SecondFactor.confirmed_at.is_(None),
            )
            .values(confirmed_at=self._tx.now, last_step=step)
        )
        return self._tx.changed(statement) == 1

    def use_step(self, user_id: int, step: int) -> bool:
        """Uses up a time step and all before it; False when somebody was faster."""
        statement = (
            update(SecondFactor)
            .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
            .values(last_step=step)
        )
        return self._tx.changed(statement) == 1

    def count_refused(self, user_id: int) -> int:
        """Counts one more wrong code and says how many in a row there are by now."""
        mine = SecondFactor.user_id == user_id
        more = SecondFactor.refused_in_row + 1
        self._tx.execute(update(SecondFactor).where(mine).values(refused_in_row=more))
        return self._tx.scalar(select(SecondFactor.refused_in_row).where(mine)) or 0

    def forget_refused(self, user_id: int) -> None:
        """After a good code."""
        mine = SecondFactor.user_id == user_id
        self._tx.execute(update(SecondFactor).where(mine).values(refused_in_row=0))

    def delete(self, user_id: int) -> bool:
        """Forgets the factor of a user with its recovery codes; False when there was none."""
        self._tx.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        gone = self._tx.changed(delete(SecondFactor).where(SecondFactor.user_id == user_id))
        return gone == 1

    # ---- recovery codes --------------------------------------------------------------------

    def replace_codes(self, user_id: int, hashes: Iterable[str]) -> None:
        """New recovery codes instead of all there were."""
        self._tx.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        self._tx.add_all(RecoveryCode(user_id=user_id, code_hash=hashed) for hashed in hashes)
        self._tx.flush()

    def use_code(self, user_id: int, hashed: str) -> bool:
        """Uses up a recovery code; False when there is no such one any more."""
        statement = delete(RecoveryCode).where(
            RecoveryCode.user_id == user_id, RecoveryCode.code_hash == hashed
        )
        return self._tx.changed(statement) == 1

    def codes_left(self, user_id: int) -> int:
        """How many recovery codes a user has."""
        query = select(func.count()).where(RecoveryCode.user_id == user_id)
        return self._tx.scalar(query) or 0

    # ---- tickets ---------------------------------------------------------------------------

    def add_ticket(self, user_id: int, hashed: str, expires_at: datetime) -> None:
        """A ticket with which one user may enrol; older ones of the user end."""
        self._tx.execute(delete(EnrolmentTicket).where(EnrolmentTicket.user_id == user_id))
        self._tx.add(EnrolmentTicket(token_hash=hashed, user_id=user_id, expires_at=expires_at))
        self._tx.flush()

    def owner_of_ticket(self, hashed: str) -> int | None:
        """Whose ticket this is, while it is good."""
        query = select(EnrolmentTicket.user_id).where(
            EnrolmentTicket.token_hash == hashed, EnrolmentTicket.expires_at > self._tx.now
        )
        return self._tx.scalar(query)

    def delete_ticket(self, hashed: str) -> bool:
        """Uses up a ticket; False when somebody was faster."""
        statement = delete(EnrolmentTicket).where(EnrolmentTicket.token_hash == hashed)
        return self._tx.changed(statement) == 1

    def delete_expired_tickets(self, limit: int) -> int:
        """Deletes at most `limit` tickets whose time is over and says how many."""
        old = select(EnrolmentTicket.token_hash).where(EnrolmentTicket.expires_at <= self._tx.now)
        hashes = self._tx.scalars(old.limit(limit)).all()
        if hashes:
            self._tx.execute(delete(EnrolmentTicket).where(EnrolmentTicket.token_hash.in_(hashes)))
        return len(hashes)
