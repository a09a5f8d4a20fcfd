"""A service's own database: plain functions in, awaitables out, the same on both engines."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar, cast

from sqlalchemy import make_url

from libs.kit.db.postgres import PostgreSQL
from libs.kit.db.sqlite import SQLite
from libs.kit.db.transaction import Doorbell, Transaction

T = TypeVar("T")
P = ParamSpec("P")


class Database:
    """The one database of one service.

    ``url`` begins with sqlite or postgresql; the driver named in it is replaced by ours
    (pysqlite in threads, asyncpg). ``committed`` rings after each commit that published facts.
    """

    def __init__(self, url: str, *, name: str, pool_size: int = 10) -> None:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        self.name = name
        self.url = url
        self.committed = Doorbell()
        self.dialect: Literal["sqlite", "postgresql"]
        self._engine: SQLite | PostgreSQL
        if backend == "sqlite":
            self.dialect = "sqlite"
            self._engine = SQLite(url, name, self.committed)
        elif backend == "postgresql":
            self.dialect = "postgresql"
            address = parsed.set(drivername="postgresql+asyncpg").render_as_string(
                hide_password=False
            )
            self._engine = PostgreSQL(address, name, self.committed, pool_size=pool_size)
        else:
            message = f"{backend} is not a database that is known here"
            raise ValueError(message)

    async def open(self) -> None:
        """Get ready; to be called in the event loop that will use the database."""
        await self._engine.open()

    async def close(self) -> None:
        """Finish what is running and let go of all connections."""
        await self._engine.close()

    async def write(self, fn: Callable[[Transaction], T]) -> T:
        """Run ``fn`` in a writing transaction; it is committed when this returns.

        What ``fn`` raises undoes it. On PostgreSQL ``fn`` may run again after a deadlock, so it
        must touch nothing but the transaction. Raises Unavailable (503) when the database does
        not answer or a lock is held too long, Conflict (409) when a unique or foreign key is
        violated, Invalid (422) when a value is outside what the column can hold. A caller that is
        cancelled does not undo a function that has begun.
        """
        return await self._engine.write(fn)

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        """Run ``fn`` in a transaction that cannot write and sees one moment throughout.

        Raises Unavailable as `write` does.
        """
        return await self._engine.read(fn)


class UsesDatabase(Protocol):
    """A class of use cases: it keeps its database as ``_db``."""

    @property
    def _db(self) -> Database: ...


S = TypeVar("S", bound=UsesDatabase)


def writes(
    method: Callable[Concatenate[S, Transaction, P], T],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Turn ``def m(self, tx, ...)`` into ``await obj.m(...)`` in a writing transaction."""

    @wraps(method)
    async def call(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.write(lambda tx: method(self, tx, *args, **kwargs))

    return cast("Callable[Concatenate[S, P], Coroutine[Any, Any, T]]", call)


def reads(
    method: Callable[Concatenate[S, Transaction, P], T],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Turn ``def m(self, tx, ...)`` into ``await obj.m(...)`` in a reading transaction."""

    @wraps(method)
    async def call(self: S, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.read(lambda tx: method(self, tx, *args, **kwargs))

    return cast("Callable[Concatenate[S, P], Coroutine[Any, Any, T]]", call)
