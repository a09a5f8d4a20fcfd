"""Keeps what was refused because nobody honest sends it, and tells the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from libs.contracts.audit import audit
from libs.kit.acting import Actor
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.ids import new_id
from libs.kit.logging import get_logger
from libs.kit.metrics import counter
from services.execution.incidents.repository import SecurityRepository
from services.execution.incidents.schemas import EventQuery
from services.execution.models import SecurityEvent

PER_HOUR: Final = 100
"""Of one agent so many are stored; more are counted in the metrics and the log."""
KEEP: Final = timedelta(days=365)
MAX_DETAIL: Final = 512

log = get_logger(__name__)
total = counter("opsjob_security_events_total", "Forgeries that were refused.", ["reason"])


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that nobody honest sends; the ids are those that it named."""

    agent_id: str
    reason: str
    detail: str = ""
    task_id: str | None = None
    attempt: int | None = None
    count: int = 1
    source: Literal["agent", "platform"] = "platform"


class Incidents:
    """Use cases around security events; they change no state of any task."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def told(self, messages: Sequence[Mapping[str, object]]) -> None:
        """Keep what agents refused; messages of other kinds are left out."""
        found = [_incident(message) for message in messages if message.get("t") == "security"]
        if found:
            await self.keep(found)

    async def forged(self, stream: str, gateway: str) -> None:
        """An entry of a stream that none of us made; whose agents it named is worth nothing."""
        reason = "stream_entry_forged"
        await self.keep([Incident("", reason, f"stream {stream}, gateway {gateway[:100]!r}")])

    @writes
    def keep(self, tx: Transaction, incidents: Sequence[Incident]) -> None:
        """Store incidents in a transaction of their own."""
        note(tx, incidents)

    @reads
    def page(self, tx: Transaction, query: EventQuery) -> tuple[int, Sequence[SecurityEvent]]:
        """The total and one page, newest first."""
        return SecurityRepository(tx).page(
            agent_id=query.agent_id,
            reason=query.reason,
            limit=query.page_size,
            offset=query.paging.offset,
        )

    @writes
    def forget_old(self, tx: Transaction) -> int:
        """Drop those of more than a year ago; the audit log has its own times."""
        return SecurityRepository(tx).drop_before(tx.now - KEEP)


def note(tx: Transaction, incidents: Sequence[Incident]) -> None:
    """Store incidents and tell the audit log, within the transaction that refused them."""
    repository = SecurityRepository(tx)
    room: dict[str, int] = {}
    for one in incidents:
        total.labels(one.reason[:64]).inc(one.count)
        log.warning("A forgery was refused.", **_fields(one))
        if one.agent_id not in room:
            recent = repository.recent(one.agent_id, tx.now - timedelta(hours=1))
            room[one.agent_id] = PER_HOUR - recent
        if room[one.agent_id] <= 0:
            continue
        room[one.agent_id] -= 1
        repository.add([SecurityEvent(id=new_id(), at=tx.now, **_fields(one))])
        audit(
            tx,
            f"security.{one.reason}"[:64],
            kind="agent",
            id=one.agent_id,
            after=_fields(one),
            outcome="denied",
            detail=one.detail,
            by=Actor(name=one.agent_id, kind="agent") if one.source == "agent" else None,
        )


def about(message: Mapping[str, object], reason: str) -> Incident:
    """An incident of ours, about a message in the name of an agent."""
    attempt = message.get("attempt")
    return Incident(
        agent_id=str(message["agent_id"]),
        reason=reason,
        detail=f"message {message.get('t')}",
        task_id=str(message.get("task_id"))[:64],
        attempt=attempt if isinstance(attempt, int) and 0 < attempt < 2**31 else None,
    )


def _fields(one: Incident) -> dict[str, object]:
    return {
        "source": one.source,
        "agent_id": one.agent_id[:64],
        "reason": one.reason[:64],
        "detail": one.detail[:MAX_DETAIL],
        "task_id": one.task_id,
        "attempt": one.attempt,
        "count": one.count,
    }


def _incident(message: Mapping[str, object]) -> Incident:
    """What an agent said; gateways checked its form, and nothing is concluded from it."""
    task_id, attempt, count = (message.get(name) for name in ("task_id", "attempt", "count"))
    return Incident(
        agent_id=str(message["agent_id"]),
        reason=str(message.get("reason") or "unknown"),
        detail=str(message.get("detail") or ""),
        task_id=task_id[:64] if isinstance(task_id, str) else None,
        attempt=attempt if isinstance(attempt, int) and 0 < attempt < 2**31 else None,
        count=count if isinstance(count, int) and 0 < count < 2**31 else 1,
        source="agent",
    )
