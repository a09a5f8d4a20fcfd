"""Which keys the sealed values of a service use, and the way from old keys to the active one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, func, literal_column, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute

from libs.kit.db import Database, Transaction
from libs.kit.seal import PREFIX_CHARS, Seal, SealingKeyMissing, WrongSealingKey

BATCH: Final = 100
"""Values in one transaction: short enough that nobody waits for it."""


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed values; ``place`` gets the row's primary key, in the table's order."""

    attribute: InstrumentedAttribute[Any]
    place: Callable[..., str]

    @property
    def column(self) -> "Column[Any]":
        """The column in its table."""
        column = self.attribute.property.columns[0]
        assert isinstance(column, Column)
        return column

    @property
    def name(self) -> str:
        """Table and column, for people."""
        return f"{self.column.table.name}.{self.column.name}"


@dataclass(frozen=True)
class Step:
    """What one small transaction did; ``last`` is None once there is nothing behind it."""

    done: int
    unreadable: Sequence[str] = ()
    last: tuple[object, ...] | None = None


@dataclass
class Usage:
    """How many values of a service begin with which key."""

    counts: dict[str, int] = field(default_factory=dict)

    def outside(self, known: Iterable[str]) -> list[str]:
        """The keys in use that are not among the known ones."""
        return sorted(self.counts.keys() - set(known))


class Resealing:
    """The sealed values of one service; every method is short and can be repeated.

    Services go on while values move to another key: each value is replaced only if it is still
    the one that was read, and every key of the ring opens what it sealed.
    """

    def __init__(
        self, db: Database, seal: Seal, columns: Sequence[SealedColumn], *, batch: int = BATCH
    ) -> None:
        self._db = db
        self._seal = seal
        self._columns = columns
        self._batch = batch

    @property
    def columns(self) -> Sequence[SealedColumn]:
        """The columns that hold sealed values."""
        return self._columns

    async def usage(self) -> Usage:
        """How many values use which key."""
        return await self._db.read(self._count)

    async def check(self) -> None:
        """Raises SealingKeyMissing, naming the key, when a value could not be opened here."""
        if not self._columns:
            return
        used = await self.usage()
        for prefix in used.outside(self._seal.known):
            raise SealingKeyMissing(self._seal.missing(prefix))

    async def left(self) -> int:
        """How many values do not use the active key."""
        active = self._seal.active
        used = await self.usage()
        return sum(number for prefix, number in used.counts.items() if prefix != active)

    async def step(self, one: SealedColumn, after: tuple[object, ...] | None = None) -> Step:
        """Moves the next values of a column to the active key, in one transaction."""
        return await self._db.write(lambda tx: self._move(tx, one, after))

    def _count(self, tx: Transaction) -> Usage:
        usage = Usage()
        for one in self._columns:
            prefix = _prefix_of(one.column)
            query = select(prefix, func.count()).where(one.column.is_not(None)).group_by(prefix)
            for text, number in tx.session.execute(query):
                usage.counts[text] = usage.counts.get(text, 0) + number
        return usage

    def _move(self, tx: Transaction, one: SealedColumn, after: tuple[object, ...] | None) -> Step:
        column, active = one.column, self._seal.active
        keys = list(column.table.primary_key.columns)
        query = (
            select(*keys, column)
            .where(column.is_not(None), _prefix_of(column) != active)
            .order_by(*keys)
            .limit(self._batch)
        )
        if after is not None:
            query = query.where(tuple_(*keys) > tuple_(*after))
        done, unreadable, last = 0, [], None
        for row in tx.session.execute(query).all():
            last = tuple(row[:-1])
            place = one.place(*last)
            try:
                sealed = self._seal.seal(self._seal.open(row[-1], place=place), place=place)
            except WrongSealingKey:
                unreadable.append(place)
                continue
            same = [key == value for key, value in zip(keys, last, strict=True)]
            change = update(column.table).where(*same, column == row[-1])
            values: Mapping[str, str] = {column.name: sealed}
            done += tx.changed(change.values(values))
        return Step(done, unreadable, last)


def _prefix_of(column: "Column[Any]") -> ColumnElement[str]:
    """In plain numbers: PostgreSQL takes an expression with parameters for another one."""
    return func.substr(column, literal_column("1"), literal_column(str(PREFIX_CHARS)))
