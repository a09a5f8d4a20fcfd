"""A small context of the tests' own: things, and the fact that one was made."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr
from sqlalchemy import MetaData, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.kit.db import Database, Transaction, mechanism_tables, reads, writes
from libs.kit.errors import Conflict
from libs.kit.events import Event

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
