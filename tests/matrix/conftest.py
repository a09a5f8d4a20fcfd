"""One platform for all tests of the matrix; they leave its known objects as they found them."""

from collections.abc import AsyncIterator

import pytest

from tests.matrix.platform import running
from tests.matrix.world import World, built
from tests.support.database import SQLiteTemplates
from tests.support.valkey import ValkeyServer


@pytest.fixture(scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer
) -> AsyncIterator[World]:
    """The fixture world on a fresh platform."""
    folder = tmp_path_factory.mktemp("matrix")
    templates = SQLiteTemplates(tmp_path_factory.mktemp("matrix-templates"))
    async with running(
        lambda service: templates.copy(service, folder), valkey_server.url, folder
    ) as platform:
        yield await built(platform)
