"""Fixtures of the agent gateway's tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest

from libs.kit.redis import Redis
from tests.gateway.agents.fake_hosts import FakeHosts
from tests.gateway.agents.rig import Rig, rig


class Rigs(Protocol):
    """Opens gateways for one test."""

    async def __call__(self, **settings: object) -> Rig:
        """A gateway with these settings, closed at the end of the test."""


@pytest.fixture
def hosts() -> FakeHosts:
    """A hosts service that knows nobody yet."""
    return FakeHosts()


@pytest.fixture
async def rigs(redis: Redis, hosts: FakeHosts) -> AsyncIterator[Rigs]:
    """Gateways with settings of the test's choice."""
    async with AsyncExitStack() as stack:

        async def open_rig(**settings: object) -> Rig:
            return await stack.enter_async_context(rig(redis, hosts, files=None, **settings))

        yield open_rig


@pytest.fixture
async def gate(rigs: Rigs) -> Rig:
    """A gateway with the usual settings."""
    return await rigs()
