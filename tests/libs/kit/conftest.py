"""What the tests of the kit share: a database, a runtime, an app and time that stands."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from libs.kit import clock
from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.clock import StandingClock
from libs.kit.db import Database
from libs.kit.redis import connect
from libs.kit.service import Runtime, create_app, entering
from libs.kit.settings import Settings
from tests.libs.kit.listening import Log
from tests.libs.kit.things import SECRET, Declared, Things
from tests.libs.kit.things_service import service


@pytest.fixture
async def db(open_database: Callable[[Declared], Awaitable[Database]]) -> Database:
    """An open database with the tables of the service of the tests."""
    return await open_database(Declared())


@pytest.fixture
def things(db: Database) -> Things:
    return Things(db)


@pytest.fixture
def standing() -> Iterator[StandingClock]:
    """Time that moves only when the test says so; starts at the present."""
    still = StandingClock(clock.now())
    before = clock.use(still)
    yield still
    clock.use(before)


@pytest.fixture
async def runtime(
    database_url: Callable[[Declared], str], tmp_path: Path
) -> AsyncIterator[Runtime]:
    """A runtime whose Redis is down, and whose service `things` has a fresh database."""
    url = database_url(Declared()).replace("things", "{service}")
    settings = Settings(database_url=url, secret=SECRET, environment="test", data_dir=tmp_path)
    redis = connect(f"unix://{tmp_path}/nobody.sock")
    async with httpx.AsyncClient() as http:
        yield Runtime(settings, redis, http, InternalTokens(SECRET), AccessTokens(SECRET))
    await redis.aclose()


@pytest.fixture
def log(db: Database) -> Log:
    return Log(db)


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(service, runtime)
    admin = Principal(1, "admin", permissions=frozenset(("*",)))
    headers = {"authorization": "Bearer " + runtime.internal_tokens.issue("things", admin, "gw")}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        entering([app]),
        httpx.AsyncClient(transport=transport, base_url="http://things", headers=headers) as http,
    ):
        yield http
