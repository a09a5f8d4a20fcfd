"""A small service of the tests' own, on a real database and a real Valkey."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.kit import clock
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.clock import StandingClock
from libs.kit.db import Database, Transaction, mechanism_tables, reads, writes
from libs.kit.errors import Conflict
from libs.kit.events import Event
from libs.kit.redis import connect
from libs.kit.service import Runtime
from libs.kit.settings import Settings

SECRET = SecretStr("a-secret-of-tests-0123456789-abcdefghij")


class Base(DeclarativeBase):
    metadata = MetaData()


class Thing(Base):
    __tablename__ = "things"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)


mechanism_tables(Base.metadata)


class ThingMade(Event):
    topic: ClassVar[str] = "things"
    type: ClassVar[str] = "things.thing_made"

    name: str


class Things:
    """Use cases of the service of the tests."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @writes
    def make(self, tx: Transaction, name: str) -> Thing:
        thing = tx.add(Thing(name=name))
        tx.emit(ThingMade(name=name))
        tx.flush()
        return thing

    @writes
    def make_and_fail(self, tx: Transaction, name: str) -> None:
        tx.add(Thing(name=name))
        tx.emit(ThingMade(name=name))
        tx.flush()
        raise Conflict(name=name)

    @reads
    def names(self, tx: Transaction) -> list[str]:
        return list(tx.scalars(select(Thing.name).order_by(Thing.id)))


@dataclass(frozen=True)
class Declared:
    """What `database_url` needs to know."""

    name: str = "things"
    metadata: MetaData = Base.metadata
    migrations: Path = Path("/nonexistent")


@pytest.fixture
async def db(open_database: Callable[[Declared], Awaitable[Database]]) -> Database:
    """An open database with the tables of the service of the tests."""
    return await open_database(Declared())


@pytest.fixture
def things(db: Database) -> Things:
    return Things(db)


@pytest.fixture
def standing() -> Iterator[StandingClock]:
    """Time that moves only when the test says so; starts at the present."""
    still = StandingClock(clock.now())
    before = clock.use(still)
    yield still
    clock.use(before)


@pytest.fixture
async def runtime(
    database_url: Callable[[Declared], str], tmp_path: Path
) -> AsyncIterator[Runtime]:
    """A runtime whose Redis is down, and whose service `things` has a fresh database."""
    url = database_url(Declared()).replace("things", "{service}")
    settings = Settings(database_url=url, secret=SECRET, environment="test", data_dir=tmp_path)
    redis = connect(f"unix://{tmp_path}/nobody.sock")
    async with httpx.AsyncClient() as http:
        yield Runtime(settings, redis, http, InternalTokens(SECRET), AccessTokens(SECRET))
    await redis.aclose()
