"""SQLite for many callers: one thread that writes in groups, a few threads that read."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from libs.kit.db.failures import translated
from libs.kit.db.transaction import Doorbell, Transaction, confirm_delivery, run_write
from libs.kit.errors import Unavailable

T = TypeVar("T")
Work = Callable[[Session, sqlite3.Connection], T]

READERS: Final = 3
GROUP_SIZE: Final = 64
GROUP_SECONDS: Final = 0.02  # a caller waits at most this much for those in its group

_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
)


class _Job(Generic[T]):
    """A function on its way to a thread, and its outcome on the way back."""

    __slots__ = ("_context", "_fn", "_result", "emitted", "error", "future")

    def __init__(self, fn: "Work[T]", future: "asyncio.Future[T]") -> None:
        self._fn = fn
        self.future = future
        self._context: Context = copy_context()
        self._result: T | None = None
        self.error: BaseException | None = None
        self.emitted = False

    @property
    def abandoned(self) -> bool:
        return self.future.cancelled()

    def run(self, session: Session, driver: sqlite3.Connection) -> BaseException | None:
        """Run in the caller's context; returns what it raised."""
        try:
            self._result = self._context.run(self._fn, session, driver)
        except BaseException as error:
            self.error = error
        return self.error

    def fail(self, error: BaseException) -> None:
        self.error = error

    def settle(self) -> None:
        """Hand the outcome to the caller; in the event loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self._result)  # type: ignore[arg-type]  # set by run()


class SQLite:
    """The engine room of one SQLite file; at most one process may write to the file."""

    def __init__(self, url: str, name: str, committed: Doorbell) -> None:
        self._url = make_url(url).set(drivername="sqlite+pysqlite", query={})
        if not self._url.database or self._url.database == ":memory:":
            message = "SQLite needs a file: several connections read and write it"
            raise ValueError(message)
        self._name = name
        self._committed = committed
        self._writes: queue.SimpleQueue[_Job[object] | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Job[object] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._engines: list[Engine] = []

    async def open(self) -> None:
        """Start the threads; each opens its own connection."""
        self._loop = asyncio.get_running_loop()
        Path(str(self._url.database)).parent.mkdir(parents=True, exist_ok=True)
        writer = self._engine(begin="BEGIN IMMEDIATE", query_only=False)
        reader = self._engine(begin="BEGIN", query_only=True)
        self._engines = [writer, reader]
        connection = await asyncio.to_thread(_connected, writer)
        self._start(f"{self._name}-writer", self._write_forever, connection)
        for number in range(READERS):
            connection = await asyncio.to_thread(_connected, reader)
            self._start(f"{self._name}-reader-{number}", self._read_forever, connection)

    async def close(self) -> None:
        """Finish what is queued, then stop the threads."""
        if not self._threads:
            return
        self._writes.put(None)
        for _ in range(READERS):
            self._reads.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join, 30)
        self._threads = []
        for engine in self._engines:
            engine.dispose()

    async def write(self, fn: Callable[[Transaction], T]) -> T:
        """See Database.write."""
        job: _Job[T] = self._job(lambda session, driver: self._write_one(session, driver, fn, job))
        self._writes.put(job)  # type: ignore[arg-type]  # a queue of jobs of any result
        result = await job.future
        confirm_delivery()
        return result

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        """See Database.read."""
        job: _Job[T] = self._job(lambda session, driver: fn(Transaction(session, driver)))
        self._reads.put(job)  # type: ignore[arg-type]  # as above
        return await job.future

    def _job(self, fn: Work[T]) -> _Job[T]:
        if self._loop is None or not self._threads:
            raise Unavailable
        return _Job(fn, self._loop.create_future())

    @staticmethod
    def _write_one(
        session: Session, driver: sqlite3.Connection, fn: Callable[[Transaction], T], job: _Job[T]
    ) -> T:
        result, job.emitted = run_write(session, fn, driver)
        return result

    def _engine(self, *, begin: str, query_only: bool) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=NullPool,
            connect_args={"timeout": 30, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: "object", _record: object) -> None:
            connection.isolation_level = None  # type: ignore[attr-defined]  # sqlite3's own
            for pragma in _PRAGMAS:
                connection.execute(pragma)  # type: ignore[attr-defined]  # sqlite3's own
            if query_only:
                connection.execute("PRAGMA query_only=ON")  # type: ignore[attr-defined]

        @event.listens_for(engine, "begin")
        def begin_explicitly(connection: Connection) -> None:
            # Straight to the driver: SQLAlchemy's own way costs ten times the statement.
            driver = _driver(connection)
            if not driver.in_transaction:
                driver.execute(begin)

        return engine

    def _start(self, name: str, loop: Callable[[Connection], None], on: Connection) -> None:
        thread = threading.Thread(target=loop, args=(on,), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read_forever(self, connection: Connection) -> None:
        session = Session(connection, expire_on_commit=False, autoflush=False)
        driver = _driver(connection)
        while (job := self._reads.get()) is not None:
            if job.abandoned:
                continue
            try:
                driver.execute("BEGIN")
                error = job.run(session, driver)
                if error is not None:
                    job.fail(translated(error))
                session.close()
            except BaseException as failure:
                job.fail(translated(failure))
            with contextlib.suppress(Exception):  # else the next one could not begin
                _end(connection, driver, keep=False)
            self._settle([job])
        connection.close()

    def _write_forever(self, connection: Connection) -> None:
        stopping = False
        driver = _driver(connection)
        while not stopping:
            job = self._writes.get()
            if job is None:
                break
            group = [job]
            started = time.monotonic()
            keep = True
            try:
                driver.execute("BEGIN IMMEDIATE")
                try:
                    stopping = self._write_group(connection, group, started)
                except _FirstFailed:
                    keep = False  # and nobody joined it; it knows why
                _end(connection, driver, keep=keep)
            except BaseException as error:
                failure = translated(error)
                for member in group:
                    member.fail(failure)
                with contextlib.suppress(Exception):  # the next one will fail then, and try again
                    _end(connection, driver, keep=False)
            self._settle(group)
        connection.close()

    def _write_group(self, connection: Connection, group: list[_Job[object]], start: float) -> bool:
        """Run the first of the group and whoever is queued meanwhile; True when asked to stop."""
        done = 0
        while True:
            job = group[done]
            if not job.abandoned:
                _run(connection, job, is_first=done == 0)
            done += 1
            if done >= GROUP_SIZE or time.monotonic() - start > GROUP_SECONDS:
                return False
            try:
                following = self._writes.get_nowait()
            except queue.Empty:
                return False
            if following is None:
                return True
            group.append(following)

    def _settle(self, jobs: list[_Job[object]]) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._finish, jobs)
        except RuntimeError:
            return  # the loop is closed: nobody waits any longer

    def _finish(self, jobs: list[_Job[object]]) -> None:
        for job in jobs:
            job.settle()
            if job.emitted and job.error is None:
                self._committed.ring()


class _FirstFailed(Exception):
    """The first of a group raised: its transaction is undone as a whole."""


class _Joining(Session):
    """A session that costs nothing until somebody uses it: then it joins what has begun."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Connection:
        bind = super().get_bind(*args, **kwargs)
        assert isinstance(bind, Connection)
        if not bind.in_transaction():
            bind.begin()
        return bind


def _run(connection: Connection, job: _Job[object], *, is_first: bool) -> None:
    """One member of a group: what it raises undoes its own work and nobody else's.

    The first needs no savepoint for that.
    """
    driver = _driver(connection)
    if not is_first:
        driver.execute("SAVEPOINT member")
    with _Joining(
        connection,
        expire_on_commit=False,
        join_transaction_mode="rollback_only" if is_first else "create_savepoint",
    ) as session:
        error = job.run(session, driver)
        if error is None:
            if session.in_transaction():
                session.commit()
        else:
            session.rollback()
            job.fail(translated(error))
    if error is not None and is_first:
        raise _FirstFailed
    if not is_first:
        if error is not None:
            driver.execute("ROLLBACK TO member")
        driver.execute("RELEASE member")


def _end(connection: Connection, driver: sqlite3.Connection, *, keep: bool) -> None:
    """Commit or undo, whether or not SQLAlchemy has had a part in it."""
    if connection.in_transaction():
        (connection.commit if keep else connection.rollback)()
    elif keep:
        driver.commit()
    else:
        driver.rollback()


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except Exception as error:
        raise translated(error) from error
