"""Which facts auth listens to."""

from libs.contracts.audit import Audited
from libs.kit.bus import Subscriptions
from services.auth.audit.service import AuditLog

on = Subscriptions()


@on(Audited, AuditLog)
async def record_in_audit_log(fact: Audited, records: AuditLog) -> None:
    """Whatever any service accounts for becomes a link of the chain."""
    await records.record(fact)
