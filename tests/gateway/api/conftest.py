"""Fixtures of the API gateway's tests."""

from collections.abc import AsyncIterator

import pytest

from gateway.api.settings import GatewaySettings
from tests.gateway.api.parts import House


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A gateway with default settings."""
    made = House(GatewaySettings())
    async with made.client:
        yield made
