"""What a transaction function holds: a session, and the facts that come true with the commit."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import (
    CursorResult,
    Executable,
    bindparam,
    insert,
    select,
    text,
)
from sqlalchemy.orm import Session

from libs.kit import clock
from libs.kit.db.prepared import Prepared, Values
from libs.kit.db.tables import UTCDateTime, inbox, leases, outbox
from libs.kit.errors import Unavailable
from libs.kit.events import Event
from libs.kit.logging import current_trace_id

T = TypeVar("T")
Entity = TypeVar("Entity", bound=object)
Parameters = Sequence[Mapping[str, object]] | Mapping[str, object] | None

_REMEMBER = text(
    "INSERT INTO inbox (consumer, event_id, handled_at) VALUES (:consumer, :event_id, :at)"
    " ON CONFLICT DO NOTHING"
).bindparams(bindparam("at", type_=UTCDateTime))


_HANDLED = Prepared(
    select(inbox.c.handled_at).where(
        inbox.c.consumer == bindparam("consumer"), inbox.c.event_id == bindparam("event_id")
    )
)
_NOTE_HANDLED = Prepared(insert(inbox))
_OF_LEASE = select(leases.c.epoch).where(leases.c.name == bindparam("lease"))
_LEASE_EPOCH = Prepared(_OF_LEASE.with_for_update(read=True))
_LEASE_ALONE = Prepared(_OF_LEASE.with_for_update())
_ADD_FACTS = Prepared(insert(outbox))


class DuplicateEvent(Exception):
    """This consumer has handled this fact before; the effect is already there."""


class LeaseLost(Unavailable):
    """Somebody else holds the lease now; what was to be written must not be written."""

    code = "lease_lost"


@dataclass(slots=True)
class Delivery:
    """One fact on its way through one consumer; its id is committed together with the effect."""

    consumer: str
    event_id: str
    committed: bool = False


_delivery: ContextVar[Delivery | None] = ContextVar("opsjob_delivery", default=None)


@contextmanager
def delivering(delivery: Delivery) -> Iterator[None]:
    """Within this block the first write also records the fact in the inbox."""
    token = _delivery.set(delivery)
    try:
        yield
    finally:
        _delivery.reset(token)


class Doorbell:
    """Wakes one waiter when something was committed; a ring is kept until it is heard."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiter; to be called in the event loop."""
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring, at most so many seconds; says whether there was one."""
        if not self._rung.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._rung.wait()
            except TimeoutError:
                return False
        self._rung.clear()
        return True


class Transaction:
    """A running transaction. It ends when the function that got it returns or raises.

    ``execute``, ``scalars``, ``scalar``, ``get``, ``add_all``, ``delete`` and ``flush`` are the
    session's own.
    """

    __slots__ = (
        "_driver",
        "_facts",
        "add_all",
        "delete",
        "execute",
        "flush",
        "get",
        "now",
        "scalar",
        "scalars",
        "session",
    )

    def __init__(self, session: Session, driver: sqlite3.Connection | None = None) -> None:
        self.session = session
        self._driver = driver
        self.now: datetime = clock.now()
        self._facts: list[Event] = []
        self.execute = session.execute
        self.scalars = session.scalars
        self.scalar = session.scalar
        self.get = session.get
        self.add_all = session.add_all
        self.delete = session.delete
        self.flush = session.flush

    @property
    def is_sqlite(self) -> bool:
        """Whether there is one writer at a time, who needs no locks of rows."""
        return self._driver is not None or self.session.get_bind().dialect.name == "sqlite"

    def rows(self, statement: Prepared, values: Values) -> Sequence[Any]:
        """What a SELECT finds, as rows by the names of their columns.

        Like `session.connection().execute` it does not see what was added and not yet flushed.
        """
        if self._driver is not None:
            return statement.rows(self._driver, values)
        return self.session.connection().execute(statement.ordinary, values).all()

    def first(self, statement: Prepared, values: Values) -> Any:
        """The first row that `rows` finds, or None."""
        found = self.rows(statement, values)
        return found[0] if found else None

    def run(self, statement: Prepared, rows: Sequence[Values]) -> None:
        """Run an INSERT, UPDATE or DELETE once for each of these; none is no work."""
        if not rows:
            return
        if self._driver is not None:
            statement.run(self._driver, rows)
        else:
            self.session.connection().execute(statement.ordinary, rows)

    def emit(self, fact: Event) -> None:
        """Publish the fact if, and only if, this transaction commits."""
        self._facts.append(fact.stamped(current_trace_id()))

    def fenced(self, name: str, epoch: int, *, alone: bool = False) -> None:
        """Refuse to go on unless the lease still bears this epoch; holds until the commit.

        `alone` waits for every other fenced transaction to end first, also for one whose commit
        was sent and got no answer. Raises LeaseLost when somebody else has taken the lease since.
        """
        held = self.first(_LEASE_ALONE if alone else _LEASE_EPOCH, {"lease": name})
        if held is None or held.epoch != epoch:
            raise LeaseLost(lease=name, epoch=epoch)

    def add(self, entity: Entity) -> Entity:
        """Store a new object; its id is there after `flush` or the commit."""
        self.session.add(entity)
        return entity

    def changed(self, statement: Executable, params: Parameters = None) -> int:
        """Run an INSERT, UPDATE or DELETE and say how many rows it touched."""
        result = self.session.execute(statement, params)
        return result.rowcount if isinstance(result, CursorResult) else 0

    def _store_facts(self) -> bool:
        self.session.flush()
        if not self._facts:
            return False
        rows = [
            {
                "event_id": fact.event_id,
                "topic": fact.topic,
                "type": fact.type,
                "body": fact.model_dump_json(),
                "created_at": self.now,
            }
            for fact in self._facts
        ]
        self.run(_ADD_FACTS, rows)
        return True


def run_write(
    session: Session,
    fn: "Callable[[Transaction], T]",
    driver: sqlite3.Connection | None = None,
) -> tuple[T, bool]:
    """Run a writing function in a session that somebody else begins and commits.

    Returns what it returned, and whether it emitted facts. Raises DuplicateEvent when a consumer
    has been here before with the same fact.
    """
    transaction = Transaction(session, driver)
    delivery = _delivery.get()
    if delivery is not None:
        _remember(transaction, delivery)
    result = fn(transaction)
    emitted = transaction._store_facts()
    return result, emitted


def confirm_delivery() -> None:
    """The commit succeeded: the fact that is being handled is in the inbox."""
    delivery = _delivery.get()
    if delivery is not None:
        delivery.committed = True


def _remember(tx: Transaction, delivery: Delivery) -> None:
    if delivery.committed:
        message = (
            f"{delivery.consumer} commits a second time for one fact; a crash between the two "
            "would lose the second. Use one transaction, or declare the consumer repeatable."
        )
        raise RuntimeError(message)
    fact = {"consumer": delivery.consumer, "event_id": delivery.event_id}
    if tx.is_sqlite:  # nobody else writes meanwhile
        if tx.first(_HANDLED, fact) is not None:
            raise DuplicateEvent(delivery.event_id)
        tx.run(_NOTE_HANDLED, [{**fact, "handled_at": tx.now}])
    elif tx.changed(_REMEMBER, {**fact, "at": tx.now}) == 0:
        raise DuplicateEvent(delivery.event_id)
