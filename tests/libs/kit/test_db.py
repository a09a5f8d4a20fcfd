"""Transactions as plain functions, on both databases."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from libs.kit.clock import StandingClock
from libs.kit.db import (
    Database,
    Delivery,
    DuplicateEvent,
    Lease,
    LeaseLost,
    Transaction,
    delivering,
)
from libs.kit.db.tables import inbox, outbox
from libs.kit.errors import Conflict, Invalid, Unavailable
from tests.libs.kit.things import Declared, Thing, ThingMade, Things


def count_of(tx: Transaction, table: Table) -> int:
    return tx.scalar(select(func.count()).select_from(table)) or 0


async def test_what_a_write_returns_has_its_id_and_survives_the_transaction(things: Things) -> None:
    thing = await things.make("a")

    assert thing.id is not None
    assert thing.name == "a"
    assert await things.names() == ["a"]


async def test_a_raised_error_undoes_everything_and_publishes_nothing(
    things: Things, db: Database
) -> None:
    with pytest.raises(Conflict):
        await things.make_and_fail("a")

    assert await things.names() == []
    assert await db.read(lambda tx: count_of(tx, outbox)) == 0


async def test_facts_are_committed_with_the_change(things: Things, db: Database) -> None:
    await things.make("a")

    rows = await db.read(lambda tx: tx.execute(select(outbox)).all())
    fact = ThingMade.model_validate_json(rows[0].body)
    assert (fact.name, fact.event_id) == ("a", rows[0].event_id)
    assert rows[0].published_at is None


async def test_a_failing_member_of_a_group_undoes_only_itself(things: Things) -> None:
    calls = [
        things.make_and_fail(f"n{n}") if n % 3 == 0 else things.make(f"n{n}") for n in range(60)
    ]

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Conflict)]
    assert failed == list(range(0, 60, 3))
    assert sorted(await things.names()) == sorted(f"n{n}" for n in range(60) if n % 3)


async def test_a_unique_key_taken_is_a_conflict(things: Things) -> None:
    await things.make("a")

    with pytest.raises(Conflict):
        await things.make("a")


async def test_a_number_that_no_column_holds_is_invalid(db: Database) -> None:
    with pytest.raises(Invalid):
        await db.read(lambda tx: tx.get(Thing, 2**70))


async def test_a_bug_in_sql_is_not_dressed_up(db: Database) -> None:
    with pytest.raises(DBAPIError):
        await db.read(lambda tx: tx.execute(text("SELECT * FROM nowhere")).all())


async def test_a_read_cannot_write(db: Database) -> None:
    with pytest.raises((DBAPIError, Unavailable)):
        await db.read(lambda tx: tx.execute(insert(Thing).values(name="a")))


async def test_the_database_works_on_after_a_failed_read(db: Database, things: Things) -> None:
    for _ in range(5):
        with pytest.raises(DBAPIError):
            await db.read(lambda tx: tx.execute(text("SELECT * FROM nowhere")).all())

    await things.make("a")
    assert await things.names() == ["a"]


async def test_a_read_sees_one_moment(db: Database) -> None:
    async def make_elsewhere() -> None:
        other = Database(db.url, name=db.name)
        await other.open()
        await Things(other).make("a")
        await other.close()

    def twice(tx: Transaction) -> tuple[int, int]:
        before = count_of(tx, outbox)
        other = threading.Thread(target=asyncio.run, args=(make_elsewhere(),))
        other.start()
        other.join(10)
        return before, count_of(tx, outbox)

    assert await db.read(twice) == (0, 0)
    assert await db.read(lambda tx: count_of(tx, outbox)) == 1


async def test_a_closed_database_is_unavailable(db: Database, things: Things) -> None:
    await db.close()

    with pytest.raises(Unavailable) as caught:
        await things.names()
    assert caught.value.retry_after == 2


async def test_the_doorbell_rings_for_facts_only(things: Things, db: Database) -> None:
    await db.write(lambda tx: tx.add(Thing(name="silent")))
    assert not await db.committed.wait(0.01)

    await things.make("loud")
    assert await db.committed.wait(5)


async def test_a_caller_that_gives_up_does_not_undo_the_change(things: Things) -> None:
    writing = asyncio.ensure_future(things.make("a"))
    await asyncio.sleep(0)
    await things.make("b")
    writing.cancel()

    assert "b" in await things.names()


async def test_moments_come_back_aware_and_in_utc(db: Database) -> None:
    moment = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=8)))

    def store(tx: Transaction) -> None:
        tx.execute(insert(inbox).values(consumer="c", event_id="e", handled_at=moment))

    await db.write(store)
    stored = await db.read(lambda tx: tx.scalar(select(inbox.c.handled_at)))

    assert stored == moment
    assert stored is not None
    assert stored.tzinfo is UTC


async def test_a_naive_moment_is_refused(db: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  the point of the test
    statement = insert(inbox).values(consumer="c", event_id="e", handled_at=naive)

    with pytest.raises((StatementError, ValueError), match="time zone"):
        await db.write(lambda tx: tx.execute(statement))


async def test_r25_an_effect_and_its_fact_id_are_committed_together(
    things: Things, db: Database
) -> None:
    with delivering(Delivery("things.f", "e-1")):
        await things.make("a")
    with delivering(Delivery("things.f", "e-1")), pytest.raises(DuplicateEvent):
        await things.make("b")
    with delivering(Delivery("things.g", "e-1")):
        await things.make("c")

    assert await things.names() == ["a", "c"]
    assert await db.read(lambda tx: count_of(tx, inbox)) == 2


async def test_r25_a_failed_effect_leaves_no_mark(things: Things) -> None:
    with delivering(Delivery("things.f", "e-1")), pytest.raises(Conflict):
        await things.make_and_fail("a")

    with delivering(Delivery("things.f", "e-1")):
        await things.make("a")
    assert await things.names() == ["a"]


async def test_a_second_commit_for_one_fact_is_refused(things: Things) -> None:
    with delivering(Delivery("things.f", "e-1")):
        await things.make("a")
        with pytest.raises(RuntimeError, match="second time"):
            await things.make("b")


async def test_a_lease_has_one_holder_until_it_ends(db: Database, standing: StandingClock) -> None:
    ttl = timedelta(seconds=10)
    mine = Lease(db, "relay", holder="a", ttl=ttl)
    yours = Lease(db, "relay", holder="b", ttl=ttl)

    assert await mine.try_acquire() == 1
    assert await yours.try_acquire() is None
    assert await mine.renew()
    standing.advance(timedelta(seconds=11))
    assert await yours.try_acquire() == 2
    assert not await mine.renew()


async def test_a_released_lease_is_free_at_once(db: Database) -> None:
    mine = Lease(db, "relay", holder="a", ttl=timedelta(minutes=1))
    await mine.try_acquire()

    await mine.release()

    assert await Lease(db, "relay", holder="b", ttl=timedelta(minutes=1)).try_acquire() == 2


async def test_r30_a_late_holder_cannot_write(db: Database, standing: StandingClock) -> None:
    ttl = timedelta(seconds=10)
    mine = Lease(db, "relay", holder="a", ttl=ttl)
    epoch = await mine.try_acquire()
    assert epoch is not None

    def write(tx: Transaction) -> None:
        tx.fenced("relay", epoch)
        tx.add(Thing(name="late"))

    await db.write(write)
    standing.advance(timedelta(seconds=11))
    await Lease(db, "relay", holder="b", ttl=ttl).try_acquire()

    with pytest.raises(LeaseLost):
        await db.write(write)
    assert await Things(db).names() == ["late"]


async def test_two_that_want_a_new_lease_at_once_get_one_epoch(db: Database) -> None:
    ttl = timedelta(seconds=10)
    contenders = [Lease(db, "relay", holder=f"h{n}", ttl=ttl) for n in range(4)]

    epochs = await asyncio.gather(*(lease.try_acquire() for lease in contenders))

    assert sorted(epochs, key=str) == [1, None, None, None]


async def test_sqlite_urls_of_both_drivers_are_taken(
    database_url: Callable[[Declared], str],
) -> None:
    url = database_url(Declared())
    if not url.startswith("sqlite"):
        pytest.skip("about SQLite")

    database = Database(url.replace("sqlite:", "sqlite+aiosqlite:"), name="things")
    await database.open()
    await Things(database).make("a")

    assert await Things(database).names() == ["a"]
    await database.close()


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="file"):
        Database("sqlite://", name="things")


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        Database("mysql://u@h/d", name="things")
