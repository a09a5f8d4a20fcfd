"""Leases in the database: who may do a thing alone, with an epoch that fences late writers."""

from datetime import timedelta

from sqlalchemy import bindparam, select, text, update

from libs.kit.db.database import Database
from libs.kit.db.tables import UTCDateTime, leases
from libs.kit.db.transaction import LeaseLost, Transaction

__all__ = ["Lease", "LeaseLost"]

_FIRST = text(
    "INSERT INTO leases (name, holder, epoch, until) VALUES (:name, :holder, 1, :until)"
    " ON CONFLICT DO NOTHING"
).bindparams(bindparam("until", type_=UTCDateTime))


class Lease:
    """A right that one holder has at a time, for ``ttl`` unless renewed.

    The time only says when another may take over. What protects the data is the epoch: it grows
    with every change of hands, and `Transaction.fenced` checks it inside each write.
    """

    def __init__(self, db: Database, name: str, *, holder: str, ttl: timedelta) -> None:
        self._db = db
        self.name = name
        self.holder = holder
        self.ttl = ttl
        self.epoch: int | None = None

    async def try_acquire(self) -> int | None:
        """Take or prolong the lease; its epoch, or None while somebody else holds it."""
        self.epoch = await self._db.write(self._take)
        return self.epoch

    async def renew(self) -> bool:
        """Prolong a lease that is held; False when it has been lost."""
        epoch = self.epoch
        if epoch is None:
            return False
        if not await self._db.write(lambda tx: self._prolong(tx, epoch)):
            self.epoch = None
        return self.epoch is not None

    async def release(self) -> None:
        """Let go, so that another need not wait for the end of the time."""
        epoch, self.epoch = self.epoch, None
        if epoch is not None:
            await self._db.write(lambda tx: self._let_go(tx, epoch))

    def _take(self, tx: Transaction) -> int | None:
        until = tx.now + self.ttl
        found = tx.session.execute(
            select(leases.c.holder, leases.c.epoch, leases.c.until)
            .where(leases.c.name == self.name)
            .with_for_update()
        ).first()
        if found is None:
            row = {"name": self.name, "holder": self.holder, "until": until}
            return 1 if tx.changed(_FIRST, row) else None
        alive = found.until > tx.now
        if alive and found.holder != self.holder:
            return None
        epoch = int(found.epoch) if alive else int(found.epoch) + 1
        tx.execute(
            update(leases)
            .where(leases.c.name == self.name)
            .values(holder=self.holder, epoch=epoch, until=until)
        )
        return epoch

    def _prolong(self, tx: Transaction, epoch: int) -> bool:
        return bool(
            tx.changed(
                update(leases)
                .where(leases.c.name == self.name, leases.c.epoch == epoch)
                .where(leases.c.holder == self.holder)
                .values(until=tx.now + self.ttl)
            )
        )

    def _let_go(self, tx: Transaction, epoch: int) -> None:
        tx.execute(
            update(leases)
            .where(leases.c.name == self.name, leases.c.epoch == epoch)
            .values(until=tx.now)
        )
