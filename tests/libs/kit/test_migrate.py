"""Migrations of one service on a database of its own."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import anyio.to_thread
import asyncpg
import pytest
from sqlalchemy import make_url

from libs.kit import migrate
from libs.kit.db import Database
from libs.kit.ids import new_id
from tests.libs.kit.things import Base, Things

ENVIRONMENT = """
    from libs.kit.migrate import run_environment
    from tests.libs.kit.things import Base

    run_environment(Base.metadata)
"""
FIRST = '''
    """Things."""
    import sqlalchemy as sa
    from alembic import op
    from libs.kit.db import mechanism_tables

    revision = "0001"
    down_revision = None

    def upgrade() -> None:
        op.create_table("things", sa.Column("id", sa.Integer, primary_key=True))
        metadata = sa.MetaData()
        mechanism_tables(metadata)
        metadata.create_all(op.get_bind())
'''
SECOND = '''
    """Names."""
    import sqlalchemy as sa
    from alembic import op

    revision: str = "0002"
    down_revision: str | None = "0001"

    def upgrade() -> None:
        with op.batch_alter_table("things") as table:
            table.add_column(sa.Column("name", sa.String(64)))
            table.create_unique_constraint("uq_things_name", ["name"])
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A migrations folder as a service has it."""
    made = tmp_path / "migrations"
    (made / "versions").mkdir(parents=True)
    (made / "env.py").write_text(dedent(ENVIRONMENT))
    (made / "versions" / "0001_things.py").write_text(dedent(FIRST))
    return made


@pytest.fixture
async def url(request: pytest.FixtureRequest, tmp_path: Path, db_kind: str) -> str:
    """A database that is not there yet (SQLite) or empty (PostgreSQL)."""
    if db_kind == "sqlite":
        return f"sqlite:///{tmp_path}/deep/things.db"
    server = request.getfixturevalue("postgres_server_url")
    name = f"m_{new_id().replace('-', '')}"
    address = make_url(server).set(drivername="postgresql")
    connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def upgrade(folder: Path, url: str) -> None:
    """As the starter does it: outside of any loop."""
    await anyio.to_thread.run_sync(lambda: migrate.upgrade("things", Base.metadata, folder, url))


async def at_head(folder: Path, url: str) -> bool:
    return await anyio.to_thread.run_sync(lambda: migrate.at_head(url, folder))


async def test_a_database_comes_to_head_and_stays_there(folder: Path, url: str) -> None:
    assert not await at_head(folder, url)

    await upgrade(folder, url)
    assert await at_head(folder, url)
    await upgrade(folder, url)
    assert await at_head(folder, url)


async def test_a_new_version_is_noticed_and_applied(folder: Path, url: str) -> None:
    await upgrade(folder, url)
    (folder / "versions" / "0002_names.py").write_text(dedent(SECOND))
    assert not await at_head(folder, url)

    await upgrade(folder, url)

    db = Database(url, name="things")
    await db.open()
    await Things(db).make("a")
    assert await Things(db).names() == ["a"]
    assert await migrate.up_to_date(db, folder)
    await db.close()


async def test_readiness_tells_that_the_database_is_behind(folder: Path, url: str) -> None:
    await upgrade(folder, url)
    (folder / "versions" / "0002_names.py").write_text(dedent(SECOND))

    db = Database(url, name="things")
    await db.open()
    assert not await migrate.up_to_date(db, folder)
    await db.close()


def test_heads_are_read_without_running_anything(folder: Path) -> None:
    (folder / "versions" / "0002_names.py").write_text(dedent(SECOND))
    (folder / "versions" / "0003_raises.py").write_text(
        'revision = "0003"\ndown_revision = ("0002",)\nraise SystemExit\n'
    )

    assert migrate.heads(folder) == frozenset(("0003",))
    assert migrate.heads(folder / "nowhere") == frozenset()


def test_serving_does_not_load_alembic() -> None:
    script = "import sys, libs.kit.service; sys.exit('alembic' in sys.modules)"

    finished = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)

    assert finished.returncode == 0
