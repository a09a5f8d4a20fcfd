"""S20: sealed values move to another key in small steps, on both databases."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import MetaData, String, Text, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.kit.db import Database, Transaction, mechanism_tables
from libs.kit.resealing import Resealing, SealedColumn
from libs.kit.seal import KeyRing, MasterKey, Seal, SealingKeyMissing

SECRET = "a-secret-of-tests-0123456789-abcdefghij"


class Base(DeclarativeBase):
    metadata = MetaData()


class Kept(Base):
    """A sealed value with a key of two columns."""

    __tablename__ = "kept"

    owner: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    sealed: Mapped[str | None] = mapped_column(Text)


mechanism_tables(Base.metadata)


class Declared:
    """What `open_database` needs to know."""

    name = "kept"
    metadata = Base.metadata
    migrations = Path("/nonexistent")


def place_of(owner: str, name: str) -> str:
    return f"{owner}/{name}"


COLUMNS = (SealedColumn(Kept.sealed, place_of),)


@pytest.fixture
async def db(open_database: Callable[[Declared], Awaitable[Database]]) -> Database:
    return await open_database(Declared())


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    """With the secret's key until `add_key` puts one into the file."""
    return Seal(KeyRing(SECRET, file=tmp_path / "keys"), "things")


def add_key(folder: Path) -> None:
    file = folder / "keys"
    file.write_text(MasterKey.fresh().line + "\n", "ascii")
    file.chmod(0o600)


async def fill(db: Database, seal: Seal, count: int) -> None:
    def store(tx: Transaction) -> None:
        for number in range(count):
            owner, name = f"o-{number % 3}", f"n-{number:03}"
            tx.add(Kept(owner=owner, name=name, sealed=seal.seal(name, place=f"{owner}/{name}")))
        tx.add(Kept(owner="o-9", name="none", sealed=None))

    await db.write(store)


async def texts(db: Database, seal: Seal) -> dict[str, str]:
    def read(tx: Transaction) -> dict[str, str]:
        rows = tx.session.execute(select(Kept.owner, Kept.name, Kept.sealed))
        return {n: seal.open(s, place=f"{o}/{n}") for o, n, s in rows if s is not None}

    return await db.read(read)


async def test_values_move_step_by_step_and_stay_what_they_are(
    db: Database, seal: Seal, tmp_path: Path
) -> None:
    await fill(db, seal, 10)
    add_key(tmp_path)
    resealing = Resealing(db, seal, COLUMNS, batch=4)
    assert await resealing.left() == 10

    done, after = [], None
    while True:
        step = await resealing.step(COLUMNS[0], after)
        if step.last is None:
            break
        done.append(step.done)
        after = step.last
        assert (await texts(db, seal)).keys() == {f"n-{number:03}" for number in range(10)}

    assert done == [4, 4, 2]
    assert await resealing.left() == 0
    assert (await resealing.usage()).counts == {seal.active: 10}


async def test_a_value_of_another_place_is_told_and_left_as_it_is(
    db: Database, seal: Seal, tmp_path: Path
) -> None:
    """It does not open, and stops no other."""
    await fill(db, seal, 3)

    def swap(tx: Transaction) -> None:
        one, other = tx.session.scalars(select(Kept).where(Kept.name.in_(["n-000", "n-001"])))
        one.sealed, other.sealed = other.sealed, one.sealed

    await db.write(swap)
    add_key(tmp_path)

    step = await Resealing(db, seal, COLUMNS).step(COLUMNS[0])

    assert step.done == 1
    assert sorted(step.unreadable) == ["o-0/n-000", "o-1/n-001"]


async def test_a_missing_key_is_found_and_named(db: Database, seal: Seal, tmp_path: Path) -> None:
    add_key(tmp_path)
    await fill(db, seal, 1)
    await Resealing(db, seal, COLUMNS).check()

    with pytest.raises(SealingKeyMissing, match=seal.active.split(":")[1]):
        await Resealing(db, Seal(SECRET, "things"), COLUMNS).check()
