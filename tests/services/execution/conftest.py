"""The execution service alone, for its tests."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from libs.kit.redis import Redis
from services.execution.app import service
from tests.support.database import Declared
from tests.support.execution import Rig, running


@pytest.fixture
async def rig(
    database_url: Callable[[Declared], str], redis: Redis, redis_url: str, tmp_path: Path
) -> AsyncIterator[Rig]:
    """The service on a fresh database and an emptied Valkey."""
    async with running(database_url(service), redis_url, tmp_path) as made:
        yield made
