"""What a service told the audit log, read from its outbox."""

from sqlalchemy import select

from libs.contracts.audit import Audited
from libs.kit.db import Database, Transaction
from libs.kit.db.tables import outbox


async def accounts(db: Database, *actions: str) -> list[Audited]:
    """The audit facts so far, oldest first; those of these actions, or all."""

    def read(tx: Transaction) -> list[Audited]:
        bodies = tx.scalars(
            select(outbox.c.body).where(outbox.c.topic == Audited.topic).order_by(outbox.c.id)
        )
        return [Audited.model_validate_json(body) for body in bodies]

    return [fact for fact in await db.read(read) if not actions or fact.action in actions]
