"""Clients of other contexts against the real services, in process."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from libs.contracts.auth import AuthClient
from libs.contracts.hosts import HostsClient
from libs.kit.client import ServiceClient
from libs.kit.service import Service
from services.auth.app import service as auth_service
from services.hosts.app import service as hosts_service
from tests.support.access import Given
from tests.support.doors import Door, opened


@pytest.fixture
async def auth_door(database_url: Callable[[Service], str], tmp_path: Path) -> AsyncIterator[Door]:
    async with opened(auth_service, database_url(auth_service), tmp_path) as running:
        yield running


@pytest.fixture
async def hosts_door(database_url: Callable[[Service], str], tmp_path: Path) -> AsyncIterator[Door]:
    url, auth = database_url(hosts_service), {"auth": Given()}
    async with opened(hosts_service, url, tmp_path, neighbours=auth) as running:
        yield running


C = TypeVar("C", bound=ServiceClient)


def client_of(kind: type[C], door: Door) -> C:
    """A client as execution would have it."""
    return kind(door.runtime.http, door.runtime.internal_tokens, "execution")


@pytest.fixture
def auth(auth_door: Door) -> AuthClient:
    return client_of(AuthClient, auth_door)


@pytest.fixture
def hosts(hosts_door: Door) -> HostsClient:
    return client_of(HostsClient, hosts_door)
