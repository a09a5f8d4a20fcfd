"""PostgreSQL databases that go from test to test: cloned from a template once, emptied after use.

A clone costs a checkpoint, a few hundred files and connections that know nothing yet; deleting the
rows of a test costs next to nothing. A clone whose tables were changed is never used again.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import make_url

from libs.kit.ids import new_id

T = TypeVar("T")

_SHAPE: Final = """
    SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
        SELECT format('%s %s %s %s %s', relname, relkind, relnatts, relchecks, relhastriggers)
            AS part FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS parts
"""
"""What a test that only writes rows cannot change."""

_WRITTEN: Final = """
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND pg_relation_size(oid) > 0
"""

_REMEMBER: Final = f"""
    CREATE SCHEMA kept_rows;
    CREATE SCHEMA kept_counters;
    CREATE TABLE kept_counters.public AS
        SELECT sequencename, coalesce(last_value, start_value) AS value,
            last_value IS NOT NULL AS is_used
        FROM pg_sequences WHERE schemaname = 'public';
    DO $$
    DECLARE name text;
    BEGIN
        FOR name IN SELECT relname {_WRITTEN} LOOP
            EXECUTE format('CREATE TABLE kept_rows.%1$I AS TABLE public.%1$I', name);
        END LOOP;
    END $$;
"""  # noqa: S608  constants
"""What migrations wrote is kept beside, for every next test."""

_EMPTY: Final = f"""
    SET session_replication_role = replica;
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    DO $$
    DECLARE name text; place bigint;
    BEGIN
        FOR name, place IN SELECT relname, pg_relation_size(oid) {_WRITTEN} LOOP
            EXECUTE format(
                CASE WHEN place > 500000 THEN 'TRUNCATE public.%I CASCADE'
                ELSE 'DELETE FROM public.%I' END, name
            );
        END LOOP;
        FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'kept_rows'::regnamespace
            AND relkind = 'r'
        LOOP
            EXECUTE format(
                'INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE TABLE kept_rows.%1$I', name
            );
        END LOOP;
        PERFORM setval(format('public.%I', sequencename), value, is_used)
            FROM kept_counters.public;
    END $$;
"""  # noqa: S608  constants


@dataclass
class _Clone:
    """One database, and the emptying that has to end before it is used again."""

    template: str
    name: str
    emptied: "Future[bool] | None" = None


class _Statements:
    """Runs statements in a thread of its own, because callers may be inside a running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Starts the work and does not wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass
class Clones:
    """The databases of one server; `take` gives an empty one, `give_back` is after the test."""

    server_url: str
    _statements: _Statements = field(default_factory=_Statements)
    _idle: dict[str, list[_Clone]] = field(default_factory=lambda: defaultdict(list))
    _taken: list[_Clone] = field(default_factory=list)
    _shapes: dict[str, str] = field(default_factory=dict)

    def create(self, name: str) -> None:
        """An empty database, to become a template."""
        self._statements.begin(self._do("postgres", f'CREATE DATABASE "{name}"')).result()

    def freeze(self, template: str) -> None:
        """Remembers what the template holds; from now on it is only cloned."""
        self._shapes[template] = self._statements.begin(self._remember(template)).result()

    def take(self, template: str, name: str = "") -> str:
        """The name of a database that is as the template was; a new one, if it must be `name`."""
        clone = None if name else self._emptied(template)
        clone = clone or self._made(template, name)
        self._taken.append(clone)
        return clone.name

    def give_back(self) -> None:
        """Empties, in the background, every database that was taken."""
        for clone in self._taken:
            clone.emptied = self._statements.begin(self._empty(clone))
            self._idle[clone.template].append(clone)
        self._taken.clear()

    def close(self) -> None:
        """Ends the background work and removes every database."""
        self.give_back()
        clones = [clone for some in self._idle.values() for clone in some]
        for clone in clones:
            if clone.emptied is not None:
                clone.emptied.result()
        for name in (*(clone.name for clone in clones), *self._shapes):
            self._drop(name)
        self._statements.stop()

    def _emptied(self, template: str) -> _Clone | None:
        while self._idle[template]:
            clone = self._idle[template].pop(0)
            if clone.emptied is None or clone.emptied.result():
                return clone
            self._drop(clone.name)
        return None

    def _made(self, template: str, name: str) -> _Clone:
        # The name begins as the template's does, with the name of the service.
        name = name or f"{template[:-8]}{new_id()[-8:]}"
        statement = f'CREATE DATABASE "{name}" TEMPLATE "{template}"'
        self._statements.begin(self._do("postgres", statement)).result()
        return _Clone(template, name)

    def _drop(self, name: str) -> None:
        statement = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
        self._statements.begin(self._do("postgres", statement)).result()

    async def _do(self, database: str, statement: str) -> None:
        connection = await self._connected(database)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _remember(self, template: str) -> str:
        connection = await self._connected(template)
        try:
            await connection.execute(_REMEMBER)
            return str(await connection.fetchval(_SHAPE))
        finally:
            await connection.close()

    async def _empty(self, clone: _Clone) -> bool:
        """False for a database that is not what it was made as."""
        try:
            connection = await self._connected(clone.name)
            try:
                if await connection.fetchval(_SHAPE) != self._shapes[clone.template]:
                    return False
                await connection.execute(_EMPTY)
                return True
            finally:
                await connection.close()
        except (asyncpg.PostgresError, OSError):
            return False

    async def _connected(self, database: str) -> asyncpg.Connection:
        address = make_url(self.server_url).set(drivername="postgresql", database=database)
        return await asyncpg.connect(address.render_as_string(hide_password=False))
