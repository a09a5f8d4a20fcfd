"""Which database failures a caller can act on: those become expected errors, the rest are bugs."""

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from libs.kit.errors import Conflict, Invalid, Unavailable

_SQLITE_UNAVAILABLE: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOMEM,
    )
)
_SQLITE_COLLISIONS: Final = frozenset(
    (
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    )
)
# Classes and single codes of PostgreSQL: connection, resources, operator intervention, lock
# timeout, statement timeout, a primary that became a standby.
_POSTGRES_UNAVAILABLE: Final = ("08", "53", "57", "55P03", "25006")
_POSTGRES_COLLISIONS: Final = ("23505", "23503")
_POSTGRES_RETRY: Final = ("40001", "40P01")


def translated(error: BaseException) -> BaseException:
    """The expected error that a database failure means, or the failure itself."""
    if isinstance(error, sqlite3.Error):  # of a statement that went straight to the driver
        return _translated_sqlite(error)
    if isinstance(error, IntegrityError) and _collides(error):
        return _caused(Conflict(), error)
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or _unavailable(error):
            return _caused(Unavailable(), error)
        if _out_of_range(error):
            return _caused(Invalid("A value cannot be stored.", zh="有一个值无法存储。"), error)
    if isinstance(error, OverflowError) and "SQLite" in str(error):
        return _caused(Invalid("A number is too large.", zh="数值过大。"), error)
    if isinstance(error, PoolTimeout | ConnectionError | TimeoutError):
        return _caused(Unavailable(), error)
    return error


def _translated_sqlite(error: sqlite3.Error) -> BaseException:
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _SQLITE_COLLISIONS:
        return _caused(Conflict(), error)
    return _caused(Unavailable(), error) if code & 0xFF in _SQLITE_UNAVAILABLE else error


def worth_retrying(error: BaseException) -> bool:
    """Whether the same function may succeed at once: a deadlock or a serialization failure."""
    return isinstance(error, DBAPIError) and _sqlstate(error) in _POSTGRES_RETRY


def connection_was_lost(error: BaseException) -> bool:
    """Whether the connection had died, perhaps long ago while it lay in the pool."""
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated or _sqlstate(error)[:2] in ("08", "57")
    )


def _caused(answer: BaseException, cause: BaseException) -> BaseException:
    answer.__cause__ = cause
    return answer


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", "") or "")


def _sqlite_code(error: DBAPIError) -> int:
    return int(getattr(error.orig, "sqlite_errorcode", 0) or 0)


def _collides(error: DBAPIError) -> bool:
    return _sqlstate(error) in _POSTGRES_COLLISIONS or _sqlite_code(error) in _SQLITE_COLLISIONS


def _unavailable(error: DBAPIError) -> bool:
    if _sqlite_code(error) & 0xFF in _SQLITE_UNAVAILABLE:
        return True
    return _sqlstate(error).startswith((*_POSTGRES_UNAVAILABLE, *_POSTGRES_RETRY))


def _out_of_range(error: DBAPIError) -> bool:
    cause = getattr(error.orig, "__cause__", None)
    return _sqlstate(error).startswith("22") or type(cause).__name__ == "DataError"
