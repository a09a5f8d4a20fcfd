"""Statements that run many times a second: on SQLite they go straight to its driver."""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Values = Mapping[str, object]
Processor = Callable[[Any], object]
SomeColumn = InstrumentedAttribute[Any] | ColumnElement[Any]
Among = Callable[[SomeColumn, str], ColumnElement[bool]]
"""Makes the condition that a column has one of the values that are given by this name."""
Build = Callable[[Among], ClauseElement]

_DIALECT = sqlite.dialect(paramstyle="qmark")
_NOTHING = object()


class Prepared:
    """A statement whose text is made once; `Transaction.rows` and `Transaction.run` run it.

    SQLAlchemy's way to the driver touches so much more code than the driver itself that in a
    process with many things to do it is most of the price of a small statement. On PostgreSQL it is
    an ordinary statement. One with a list is given as a function, which gets the means to say so.
    """

    __slots__ = ("_build", "_lite", "_ordinary")

    def __init__(self, statement: ClauseElement | Build) -> None:
        self._build: Build = (
            (lambda _: statement) if isinstance(statement, ClauseElement) else statement
        )
        self._ordinary: ClauseElement | None = None
        self._lite: _Lite | None = None

    @property
    def ordinary(self) -> Any:
        """The statement for SQLAlchemy, in which lists are expanded."""
        if self._ordinary is None:
            self._ordinary = self._build(_expanded)
        return self._ordinary

    def rows(self, driver: sqlite3.Connection, values: Values) -> list[Any]:
        """What a SELECT finds, as named tuples."""
        lite = self._lite or self._made(values)
        found = driver.execute(lite.text, lite.arguments(values)).fetchall()
        return [lite.row(one) for one in found]

    def run(self, driver: sqlite3.Connection, rows: Sequence[Values]) -> None:
        """Run an INSERT, UPDATE or DELETE once for each of these, of which there is one."""
        lite = self._lite or self._made(rows[0])
        if len(rows) == 1:
            driver.execute(lite.text, lite.arguments(rows[0]))
        else:
            driver.executemany(lite.text, lite.table(rows))

    def _made(self, values: Values) -> "_Lite":
        self._lite = _Lite(self._build(_from_json), list(values))
        return self._lite


class _Lite:
    """The text of a statement for SQLite, and the ways of its values there and back."""

    def __init__(self, statement: ClauseElement, names: list[str]) -> None:
        compiled = statement.compile(dialect=_DIALECT, column_keys=names)
        assert isinstance(compiled, SQLCompiler)
        if compiled.post_compile_params:
            raise TypeError("a list that is written in the statement; spell it out with or_")
        self.text = str(compiled)
        self._fixed: list[object] = []
        self._given: list[tuple[int, str, Processor | None]] = []
        for place, name in enumerate(compiled.positiontup or ()):
            bind = compiled.binds[name]
            process = _to_driver(bind.type)
            self._fixed.append(None)
            if bind.required:
                self._given.append((place, bind.key, process))
            else:
                value = bind.effective_value
                self._fixed[place] = _plain(process(value) if process else value)
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        row = namedtuple("row", [str(c.key) for c in columns], rename=True)  # type: ignore[misc]  # known only here
        self._makes: Callable[[list[Any]], Any] = row._make
        found = (_from_driver(column.type) for column in columns)
        self._read = [(at, process) for at, process in enumerate(found) if process]

    def arguments(self, values: Values) -> list[object]:
        """The driver's arguments; raises KeyError when one is missing."""
        arguments = self._fixed.copy()
        for place, name, process in self._given:
            value = values[name]
            arguments[place] = process(value) if process else value
        return arguments

    def table(self, rows: Sequence[Values]) -> Iterable[Sequence[object]]:
        """The arguments of each row; made column by column, which is quicker for many rows."""
        if not self._given:
            return [self._fixed] * len(rows)
        columns: list[Iterable[object]] = [repeat(value) for value in self._fixed]
        for place, name, process in self._given:
            values: Iterable[object] = [row[name] for row in rows]
            columns[place] = _processed(values, process) if process else values
        return zip(*columns, strict=False)  # what is repeated has no end

    def row(self, found: Iterable[object]) -> Any:
        """A row as the statement's columns mean it."""
        values = list(found)
        for place, process in self._read:
            values[place] = process(values[place])
        return self._makes(values)


def _to_driver(type_: TypeEngine[Any]) -> Processor | None:
    return type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _from_driver(type_: TypeEngine[Any]) -> Processor | None:
    return type_.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


def _processed(values: Iterable[object], process: Processor) -> Iterator[object]:
    """Each value for the driver; one that comes again at once is made only once."""
    last: object = _NOTHING
    made: object = None
    for value in values:
        if value is not last:
            last, made = value, process(value)
        yield made


def _plain(value: object) -> object:
    """Without an enumeration around a text, for which the driver would look for an adapter."""
    return str(value) if isinstance(value, str) else value


def _expanded(column: SomeColumn, name: str) -> ColumnElement[bool]:
    return column.in_(bindparam(name, expanding=True))


def _from_json(column: SomeColumn, name: str) -> ColumnElement[bool]:
    listed = func.json_each(bindparam(name, type_=JSON)).table_valued("value")
    return column.in_(select(listed.c.value))
