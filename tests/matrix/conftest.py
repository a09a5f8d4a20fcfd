"""One platform for all tests of the matrix; they leave its known objects as they found them."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from tests.matrix.platform import running
from tests.matrix.world import World, built
from tests.support.database import PostgresTemplates, SQLiteTemplates
from tests.support.valkey import ValkeyServer


@pytest.fixture(scope="session")
def matrix_templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, db_kind: str
) -> Iterator[SQLiteTemplates | PostgresTemplates]:
    """Templates whose copies live longer than one test."""
    templates = (
        PostgresTemplates(request.getfixturevalue("postgres_server_url"))
        if db_kind == "postgres"
        else SQLiteTemplates(tmp_path_factory.mktemp("matrix-templates"))
    )
    yield templates
    templates.close()


@pytest.fixture(scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory,
    valkey_server: ValkeyServer,
    matrix_templates: SQLiteTemplates | PostgresTemplates,
) -> AsyncIterator[World]:
    """The fixture world on a fresh platform, on the database that `--db` names."""
    folder, mark = tmp_path_factory.mktemp("matrix"), uuid4().hex
    async with running(
        lambda service: matrix_templates.copy(service, folder, mark), valkey_server.url, folder
    ) as platform:
        yield await built(platform)
