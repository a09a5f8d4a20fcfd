"""Fixtures: a whole platform with hosts, one real agent alone, a C library that lies."""

from collections.abc import AsyncIterator

import pytest

from tests.agent.conftest import agent, gateway, idle_agent
from tests.chaos.run import Site, site
from tests.support.faulty_libc import faulty_libc


@pytest.fixture(scope="module")
async def built(tmp_path_factory: pytest.TempPathFactory, db_kind: str) -> AsyncIterator[Site]:
    """One platform for the tests of a module; each leaves it healed."""
    folder = tmp_path_factory.mktemp("site")
    async with site(folder, db=db_kind, seed=1, agents=2) as made:
        yield made


__all__ = ["agent", "built", "faulty_libc", "gateway", "idle_agent"]
