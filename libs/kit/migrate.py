"""Migrations of one service's database: who is at head, and the way there.

Alembic is imported only by the process that migrates: serving must not pay for it.
"""

import ast
import asyncio
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
from sqlalchemy import Connection, MetaData, create_engine, make_url, pool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from libs.kit.db import Database, Transaction

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE: Final = "alembic_version"
_SELECT: Final = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608  a constant name
_LOCK: Final = 0x6F70736A6F62  # "opsjob": two starters must not migrate at once


class NewerDatabase(Exception):
    """The database has a migration that this version of the program does not know."""


def heads(folder: Path) -> frozenset[str]:
    """The newest revisions in a migrations folder, read from the files without running them."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for file in sorted((folder / "versions").glob("*.py")):
        names = _assigned(file)
        revision = names.get("revision")
        if isinstance(revision, str):
            revisions.add(revision)
            down = names.get("down_revision")
            followed.update((down,) if isinstance(down, str) else down or ())
    return frozenset(revisions - followed)


def _assigned(file: Path) -> dict[str, str | tuple[str, ...] | None]:
    """The plain values of the top-level names of a version file."""
    found: dict[str, str | tuple[str, ...] | None] = {}
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
            found[target.id] = ast.literal_eval(value)
    return found


def at_head(url: str, folder: Path) -> bool:
    """Whether the database exists and has every migration; quick, and for outside of a loop.

    Raises OSError when a PostgreSQL server does not answer.
    """
    wanted = heads(folder)
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite_versions(Path(str(address.database))) == wanted
    return asyncio.run(_postgres_versions(url)) == wanted


def _sqlite_versions(file: Path) -> frozenset[str]:
    if not file.exists():
        return frozenset()
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
    try:
        return frozenset(row[0] for row in connection.execute(_SELECT))
    except sqlite3.OperationalError:
        return frozenset()
    finally:
        connection.close()


async def _postgres_versions(url: str) -> frozenset[str]:
    address = make_url(url).set(drivername="postgresql")
    try:
        connection = await asyncpg.connect(address.render_as_string(hide_password=False), timeout=5)
    except asyncpg.InvalidCatalogNameError:
        return frozenset()
    try:
        return frozenset(row[0] for row in await connection.fetch(_SELECT))
    except asyncpg.UndefinedTableError:
        return frozenset()
    finally:
        await connection.close()


async def up_to_date(db: Database, folder: Path) -> bool:
    """Whether an open database has every migration; for readiness."""

    def versions(tx: Transaction) -> frozenset[str]:
        try:
            return frozenset(str(row[0]) for row in tx.session.execute(text(_SELECT)))
        except SQLAlchemyError:
            return frozenset()

    return await db.read(versions) == heads(folder)


def upgrade(service: str, metadata: MetaData, folder: Path, url: str) -> None:
    """Bring the database of a service to the newest revision; nothing happens when it is there.

    Makes the SQLite file when it is missing; a PostgreSQL database must exist. Two processes that
    do this at once wait for each other. Raises NewerDatabase, and changes nothing then.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        Path(str(address.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            address.set(drivername="sqlite+pysqlite", query={}),
            poolclass=pool.NullPool,
            connect_args={"timeout": 60},
        )
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            _to_head(_config(service, metadata, folder, connection))
            connection.commit()
        engine.dispose()
        return

    async def run() -> None:
        engine = create_async_engine(
            address.set(drivername="postgresql+asyncpg"), poolclass=pool.NullPool
        )
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(
                lambda plain: _to_head(_config(service, metadata, folder, plain))
            )
        await engine.dispose()

    asyncio.run(run())


def _to_head(config: "Config") -> None:
    from alembic import command, util  # noqa: PLC0415  0.3 s that only a migration should pay

    try:
        command.upgrade(config, "head")
    except util.CommandError as error:
        message = f"The database of {config.attributes['service']} belongs to a newer version."
        raise NewerDatabase(message) from error


def _config(service: str, metadata: MetaData, folder: Path, connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415  as above

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes.update({"service": service, "metadata": metadata, "connection": connection})
    return config


def run_environment(metadata: MetaData) -> None:
    """The whole body of a service's ``migrations/env.py``: ``run_environment(Base.metadata)``.

    Works for `upgrade`, which brings a connection, and for the alembic command line, where
    ``-x url=...`` names the database.
    """
    from alembic import context  # noqa: PLC0415  as above

    def migrate(connection: Connection) -> None:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            version_table=VERSION_TABLE,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            context.run_migrations()

    given = context.config.attributes.get("connection")
    if isinstance(given, Connection):
        migrate(given)
        return
    address = make_url(context.get_x_argument(as_dictionary=True)["url"])
    engine = create_engine(address, poolclass=pool.NullPool)
    with engine.connect() as connection:
        migrate(connection)
        connection.commit()
