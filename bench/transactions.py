"""Transactions as plain functions against AsyncSession with aiosqlite: decision 0001.

`make bench ONLY=transactions` prints, for one-row commits and for pages of 50 rows, how many
a second each way reaches: one caller after the other, and 16 callers at once. Both write with
WAL and synchronous=FULL to the same kind of file.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median

from sqlalchemy import Integer, MetaData, String, create_engine, event, insert, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.report import Figure
from libs.kit.db import Database, Transaction, mechanism_tables

ROWS = 10_000
PAGE = 50
CALLERS = 16
ROUNDS = 5


class Base(DeclarativeBase):
    metadata = MetaData()


class Host(Base):
    __tablename__ = "hosts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    address: Mapped[str] = mapped_column(String(64))


mechanism_tables(Base.metadata)
COLUMNS = select(Host.id, Host.name, Host.address).order_by(Host.id).limit(PAGE)


class Plain:
    """Our way: a plain function in the writer's or a reader's thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def write(self, name: str) -> None:
        def add(tx: Transaction) -> None:
            tx.add(Host(name=name, address="192.0.2.1"))

        await self._db.write(add)

    async def page(self, after: int) -> int:
        query = COLUMNS.where(Host.id > after)
        return len(await self._db.read(lambda tx: tx.execute(query).all()))

    async def close(self) -> None:
        await self._db.close()


class Awaiting:
    """The usual way: an AsyncSession over aiosqlite, a thread hop for each statement."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._one_writer = asyncio.Lock()

    async def write(self, name: str) -> None:
        async with self._one_writer, AsyncSession(self._engine) as session, session.begin():
            session.add(Host(name=name, address="192.0.2.1"))

    async def page(self, after: int) -> int:
        async with AsyncSession(self._engine) as session:
            return len((await session.execute(COLUMNS.where(Host.id > after))).all())

    async def close(self) -> None:
        await self._engine.dispose()


Way = Plain | Awaiting


def filled(file: Path) -> None:
    """A file with ten thousand rows."""
    engine = create_engine(f"sqlite:///{file}")
    Base.metadata.create_all(engine)
    rows = [{"name": f"host-{n}", "address": "192.0.2.1"} for n in range(ROWS)]
    with engine.begin() as connection:
        connection.execute(insert(Host), rows)
    engine.dispose()


async def plain(file: Path) -> Plain:
    """Our database on a file of its own."""
    filled(file)
    database = Database(f"sqlite:///{file}", name="bench")
    await database.open()
    return Plain(database)


async def awaiting(file: Path) -> Awaiting:
    """AsyncSession with the same pragmas, and BEGIN IMMEDIATE as dependable writers need."""
    filled(file)
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}", pool_size=CALLERS)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    async with engine.connect() as first:
        assert isinstance(first, AsyncConnection)
    return Awaiting(engine)


async def rate(call: Callable[[int], Awaitable[object]], count: int, callers: int) -> float:
    """Calls a second with so many callers at once."""
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            await call(number)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return count / (time.perf_counter() - began)


async def measured(way: Way, kind: str, callers: int, count: int, round_: int) -> float:
    """One round of one figure."""
    if kind == "page":
        return await rate(lambda n: way.page(n % (ROWS - PAGE)), count, callers)
    return await rate(lambda n: way.write(f"new-{round_}-{callers}-{n}"), count, callers)


async def medians(count: int) -> dict[tuple[str, int, str], float]:
    """Interleave the rounds, so that a busy moment of the machine hits both ways."""
    seen: dict[tuple[str, int, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Way] = {
            "plain": await plain(Path(folder, "plain.db")),
            "awaiting": await awaiting(Path(folder, "awaiting.db")),
        }
        for round_ in range(ROUNDS):
            for kind in ("commit", "page"):
                for callers in (1, CALLERS):
                    for name, way in ways.items():
                        figure = await measured(way, kind, callers, count, round_)
                        seen.setdefault((kind, callers, name), []).append(figure)
        for way in ways.values():
            await way.close()
    return {key: median(figures) for key, figures in seen.items()}


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """Ours, with AsyncSession and aiosqlite as the reference; a larger ratio is better."""
    del peers  # the reference is measured in every run
    count = n or 1000
    figures = asyncio.run(medians(count))
    for kind in ("commit", "page"):
        for callers in (1, CALLERS):
            yield Figure(
                name=f"transactions_{kind}_{callers}_callers",
                value=round(figures[kind, callers, "plain"]),
                unit="1/s",
                n=count,
                reference=round(figures[kind, callers, "awaiting"]),
            )
