"""What callers see of a database that is away, busy or full."""

import asyncio
import sqlite3

import asyncpg
import pytest
from sqlalchemy import make_url, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.util import await_only

from libs.kit.db import Database, Transaction
from libs.kit.db.failures import translated
from libs.kit.db.sqlite import READERS
from libs.kit.errors import AppError, Unavailable
from tests.libs.kit.things import Thing, Things
from tests.support.database import PostgresServer


@pytest.fixture
def needs_postgres(db: Database) -> None:
    if db.dialect != "postgresql":
        pytest.skip("about PostgreSQL; run with --db postgres")


async def plain_connection(db: Database) -> asyncpg.Connection:
    address = make_url(db.url).set(drivername="postgresql")
    return await asyncpg.connect(address.render_as_string(hide_password=False))


@pytest.mark.postgres
@pytest.mark.usefixtures("needs_postgres")
async def test_connections_cut_by_the_server_are_replaced_unnoticed(
    db: Database, things: Things
) -> None:
    await things.make("a")
    admin = await plain_connection(db)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()

    await things.make("b")

    assert await things.names() == ["a", "b"]


@pytest.mark.postgres
@pytest.mark.usefixtures("needs_postgres")
async def test_a_deadlock_is_solved_by_running_the_whole_function_again(
    db: Database, things: Things
) -> None:
    first, second = await things.make("a"), await things.make("b")
    attempts: list[str] = []
    both = asyncio.Barrier(2)

    def crossing(tx: Transaction, one: int, other: int, who: str) -> None:
        attempts.append(who)
        tx.execute(update(Thing).where(Thing.id == one).values(name=f"{who}-{one}"))
        if attempts.count(who) == 1:
            await_only(both.wait())  # until the other one has its first row, too
        tx.execute(update(Thing).where(Thing.id == other).values(name=f"{who}-{other}"))

    await asyncio.gather(
        db.write(lambda tx: crossing(tx, first.id, second.id, "x")),
        db.write(lambda tx: crossing(tx, second.id, first.id, "y")),
    )

    names = await things.names()
    assert names in (["x-1", "x-2"], ["y-1", "y-2"])
    assert len(attempts) == 3


@pytest.mark.postgres
@pytest.mark.usefixtures("needs_postgres")
async def test_a_lock_that_is_held_too_long_is_unavailable(db: Database, things: Things) -> None:
    thing = await things.make("a")
    other = await plain_connection(db)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("UPDATE things SET name = 'held' WHERE id = $1", thing.id)

    def change(tx: Transaction) -> None:
        tx.execute(text("SET LOCAL lock_timeout = '50ms'"))
        tx.execute(update(Thing).where(Thing.id == thing.id).values(name="mine"))

    with pytest.raises(Unavailable):
        await db.write(change)
    await transaction.rollback()
    await other.close()
    assert await things.names() == ["a"]


@pytest.mark.postgres
@pytest.mark.usefixtures("needs_postgres")
async def test_a_query_that_runs_too_long_is_unavailable(db: Database) -> None:
    def slow(tx: Transaction) -> None:
        tx.execute(text("SET LOCAL statement_timeout = '50ms'"))
        tx.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(Unavailable):
        await db.read(slow)


@pytest.mark.postgres
@pytest.mark.usefixtures("needs_postgres")
async def test_a_server_that_is_gone_is_unavailable_and_then_back() -> None:
    server = PostgresServer()
    try:
        await asyncio.to_thread(server.start)
        database = Database(server.url, name="things")
        await database.open()
        assert await database.read(lambda tx: tx.scalar(text("SELECT 1"))) == 1
        await asyncio.to_thread(server.halt)

        with pytest.raises(Unavailable) as caught:
            await database.read(lambda tx: tx.scalar(text("SELECT 1")))
        assert caught.value.retry_after == 2
        await asyncio.to_thread(server.resume)

        assert await database.read(lambda tx: tx.scalar(text("SELECT 1"))) == 1
        await database.close()
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_full_disk_is_unavailable_and_undoes_the_group(
    db: Database, things: Things
) -> None:
    if db.dialect != "sqlite":
        pytest.skip("about SQLite")
    pages = await db.read(lambda tx: tx.scalar(text("PRAGMA page_count")))
    await db.write(lambda tx: tx.execute(text(f"PRAGMA max_page_count = {pages}")))

    def fill(tx: Transaction) -> None:
        for n in range(2000):
            tx.add(Thing(name=f"a name to fill the page {n}"))

    with pytest.raises(Unavailable):
        await db.write(fill)
    await db.write(lambda tx: tx.execute(text("PRAGMA max_page_count = 100000")))

    await things.make("a")
    assert await things.names() == ["a"]


async def test_a_read_whose_end_fails_leaves_its_thread_able_to_read(
    db: Database, things: Things
) -> None:
    if db.dialect != "sqlite":
        pytest.skip("about SQLite")
    await things.make("a")

    def spoil(tx: Transaction) -> None:
        session = tx.session

        def fail() -> None:
            vars(session).pop("close")
            raise sqlite3.OperationalError("disk I/O error")

        vars(session)["close"] = fail
        tx.scalar(text("SELECT 1"))

    for _ in range(3 * READERS):
        with pytest.raises(sqlite3.OperationalError):
            await db.read(spoil)
        assert await things.names() == ["a"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, Unavailable),
        (sqlite3.SQLITE_LOCKED, Unavailable),
        (sqlite3.SQLITE_IOERR_WRITE, Unavailable),
        (sqlite3.SQLITE_FULL, Unavailable),
        (sqlite3.SQLITE_READONLY_DBMOVED, Unavailable),
    ],
)
def test_what_sqlite_says_is_understood(code: int, expected: type[AppError]) -> None:
    cause = sqlite3.OperationalError("as SQLite says")
    cause.sqlite_errorcode = code

    answer = translated(OperationalError("SELECT 1", {}, cause))

    assert isinstance(answer, expected)
    assert answer.__cause__ is not None


def test_a_bug_stays_a_bug() -> None:
    bug = OperationalError("SELECT", {}, sqlite3.OperationalError("no such column"))

    assert translated(bug) is bug
    assert translated(KeyError("a")).__class__ is KeyError


async def test_writers_at_once_do_not_lose_updates(db: Database, things: Things) -> None:
    thing = await things.make("0")

    def increase(tx: Transaction) -> None:
        query = select(Thing).where(Thing.id == thing.id).with_for_update()
        found = tx.scalars(query).one()
        found.name = str(int(found.name) + 1)

    await asyncio.gather(*(db.write(increase) for _ in range(50)))

    assert await things.names() == ["50"]
