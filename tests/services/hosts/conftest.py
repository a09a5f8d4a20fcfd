"""The hosts service on a fresh database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from libs.contracts.hosts import EnrolAnswer
from libs.kit import clock
from libs.kit.clock import StandingClock
from libs.kit.db import Database, Transaction
from libs.kit.db.tables import outbox
from libs.kit.redis import connect
from libs.kit.seal import Seal
from libs.kit.service import Service
from services.hosts.agents.service import Agents, PresenceIntake, PresenceSweep
from services.hosts.app import service
from services.hosts.enrolment.service import Enrolment
from services.hosts.groups.service import Groups
from services.hosts.repository import Totals
from services.hosts.schemas import HostCreate, HostRow
from services.hosts.service import Hosts
from services.hosts.settings import HostsSettings
from tests.support.access import Given, accesses_as
from tests.support.doors import ADMIN, SECRET, Door, opened
from tests.support.identities import enrol_request

AGENT_PORT = 8134
"""Where agents connect to the service behind its door."""


@pytest.fixture
def time() -> Iterator[StandingClock]:
    """Time that moves only when the test says so."""
    still = StandingClock(clock.now())
    before = clock.use(still)
    yield still
    clock.use(before)


@pytest.fixture
async def db(open_database: Callable[[Service], Awaitable[Database]]) -> Database:
    return await open_database(service)


@pytest.fixture
def totals() -> Totals:
    return Totals(60)


@pytest.fixture
def seal() -> Seal:
    return Seal(SECRET.get_secret_value(), "hosts")


@pytest.fixture
def hosts(db: Database, totals: Totals, seal: Seal) -> Hosts:
    return Hosts(db, seal=seal, totals=totals, accesses=accesses_as(Given()))


@pytest.fixture
def groups(db: Database, totals: Totals) -> Groups:
    return Groups(db, totals=totals, accesses=accesses_as(Given()))


@pytest.fixture
def agents(db: Database) -> Agents:
    return Agents(db)


@pytest.fixture
def enrolment(db: Database, totals: Totals) -> Enrolment:
    return Enrolment(db, totals=totals)


@pytest.fixture
def intake(db: Database, tmp_path: Path) -> PresenceIntake:
    redis = connect(f"unix://{tmp_path}/nobody.sock")
    return PresenceIntake(db, redis=redis, consumer="test", settings=HostsSettings())


@pytest.fixture
def sweep(db: Database) -> PresenceSweep:
    return PresenceSweep(db, settings=HostsSettings())


@pytest.fixture
def given() -> Given:
    """What auth says about people."""
    return Given()


@pytest.fixture
async def door(
    database_url: Callable[[Service], str], tmp_path: Path, given: Given
) -> AsyncIterator[Door]:
    """The service behind its HTTP door."""
    url = database_url(service)
    neighbours = {"auth": given}
    async with opened(
        service, url, tmp_path, neighbours=neighbours, agent_port=AGENT_PORT
    ) as running:
        yield running


async def make_host(hosts: Hosts, number: int = 1, **fields: object) -> HostRow:
    """A host named host-<number> with an address of its own."""
    spec = {"name": f"host-{number}", "ip_address": f"10.0.0.{number}", **fields}
    return await hosts.register(HostCreate.model_validate(spec))


async def enrol(
    enrolment: Enrolment,
    host_id: int | None = None,
    *,
    key: Ed25519PrivateKey | None = None,
    hostname: str = "web",
) -> EnrolAnswer:
    """An agent with a key of its own, on this host or on a new one."""
    issued = await enrolment.issue(host_id, ttl_seconds=600, by=ADMIN)
    key = key or Ed25519PrivateKey.generate()
    return await enrolment.enrol(enrol_request(issued.token, key, hostname=hostname))


async def facts(db: Database) -> list[str]:
    """The types of all facts so far, without the context's name."""

    def read(tx: Transaction) -> list[str]:
        own = select(outbox.c.type).where(outbox.c.topic == "hosts")
        types = tx.scalars(own.order_by(outbox.c.id))
        return [kind.removeprefix("hosts.") for kind in types]

    return await db.read(read)
