"""The whole platform in this process: gateway, services, worker loops, real database and Valkey."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Table, select

from gateway.api.app import Gateway, create_gateway
from gateway.api.settings import GatewaySettings
from libs.contracts.audit import AuditClient
from libs.contracts.auth import AuthClient
from libs.contracts.hosts import HostsClient
from libs.kit import clock
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.client import InProcess
from libs.kit.db import Database, Transaction
from libs.kit.redis import connect
from libs.kit.service import Runtime, entering
from libs.kit.settings import Settings
from services import registry
from tests.matrix.asking import Answer, ask
from tests.support.database import Declared

SECRET = SecretStr("a-secret-of-the-matrix-0123456789-abcdefghij")
PASSWORD = "correct horse battery"
_MANY = "10000000/minute"

_MOVING = ("audit", "outbox", "inbox", "dead_letters", "leases", "login_delays", "captchas")
"""Tables that change by refusals themselves and by loops, not by what was asked."""
_MOVING_COLUMNS = ("last_used_at", "last_seen_at", "last_address", "last_login_at")

Headers = Mapping[str, str]


class _Behind(clock.Clock):
    """A clock that is twenty minutes slow."""

    def now(self) -> datetime:
        return super().now() - timedelta(minutes=20)


@dataclass(frozen=True)
class Platform:
    """A running platform; requests go in at its gateway."""

    gateway: Gateway
    apps: Mapping[str, FastAPI]
    runtime: Runtime

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Headers | None = None,
        query: str = "",
        body: object = None,
        address: str = "203.0.113.7",
    ) -> Answer:
        """One request from outside; bytes go as they are, anything else as JSON."""
        sent, raw = dict(headers or {}), b""
        if isinstance(body, bytes):
            raw = body
        elif body is not None:
            raw = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        return await ask(
            self.gateway, method, path, query=query, headers=sent, body=raw, address=address
        )

    async def content(
        self, method: str, path: str, *, headers: Headers, body: object = None
    ) -> dict[str, object]:
        """The content of a request that must succeed."""
        answer = await self.ask(method, path, headers=headers, body=body)
        assert answer.status in (200, 201, 202), (method, path, answer.body)
        found = answer.content
        assert isinstance(found, dict), answer.body
        return found

    async def login(self, username: str) -> dict[str, str]:
        """Headers of a program that is logged in, and under `cookie` what a browser would keep.

        From an address of its own, so that failures elsewhere ask for no captcha here.
        """
        number = int(sha256(username.encode()).hexdigest()[:6], 16)
        answer = await self.ask(
            "POST",
            "/api/auth/login/",
            body={"username": username, "password": PASSWORD},
            address=str(IPv4Address(0x0A000000 + number)),
        )
        assert answer.status == 200, answer.body
        content = answer.content
        assert isinstance(content, dict)
        cookies = [v for n, v in answer.headers if n == b"set-cookie"]
        cookie = cookies[0].partition(b";")[0].decode()
        return {"authorization": f"Bearer {content['access_token']}", "cookie": cookie}

    async def came_long_ago(self, username: str) -> Headers:
        """A browser with a login that is older than a proof may be."""
        before = clock.use(_Behind())
        try:
            page = await self.login(username)
        finally:
            clock.use(before)
        return {
            "cookie": page["cookie"],
            "origin": "http://console.test",
            "sec-fetch-site": "same-origin",
            "x-requested-with": "opsjob",
        }

    @property
    def auth(self) -> AuthClient:
        """Auth as another service asks it."""
        return AuthClient(self.runtime.http, self.runtime.internal_tokens, "supervisor")

    @property
    def hosts(self) -> HostsClient:
        """Hosts as the agent gateway asks it."""
        return HostsClient(self.runtime.http, self.runtime.internal_tokens, "agent-gateway")

    async def snapshot(self) -> dict[str, str]:
        """A digest of every table whose rows change by requests alone."""
        found: dict[str, str] = {}
        for name, service in registry.load_all().items():
            tables = [t for t in service.metadata.sorted_tables if not t.name.startswith(_MOVING)]
            database: Database = self.apps[name].state.database
            for table in tables:
                found[f"{name}.{table.name}"] = await database.read(_digest(table))
        return found


def _digest(table: Table) -> Callable[[Transaction], str]:
    columns = [column for column in table.columns if column.name not in _MOVING_COLUMNS]

    def read(tx: Transaction) -> str:
        rows = tx.execute(select(*columns)).all()
        return sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()

    return read


@asynccontextmanager
async def running(
    url_of: Callable[[Declared], str], redis_url: str, folder: Path
) -> AsyncIterator[Platform]:
    """The platform until the block ends; `url_of` gives a migrated database for a service."""
    services = registry.load_all()
    urls = {name: url_of(service) for name, service in services.items()}
    settings = Settings(
        database_url=_template(urls),
        redis_url=redis_url,
        secret=SECRET,
        environment="test",
        data_dir=folder,
    )
    failures: list[BaseException] = []
    network = InProcess()
    redis = connect(redis_url)
    async with redis, httpx.AsyncClient(transport=network) as http:
        runtime = Runtime(
            settings,
            redis,
            http,
            InternalTokens.of(settings),
            AccessTokens.of(settings),
            fatal=failures.append,
        )
        apps = {name: service.create_app(runtime) for name, service in services.items()}
        network.apps.update(apps)
        async with entering(apps.values()), _served(_gateway(apps, runtime)) as gateway:
            yield Platform(gateway, apps, runtime)
    assert not failures, failures


def _template(urls: Mapping[str, str]) -> str:
    """The one address with a place for the service's name that stands for all of these."""
    found = set()
    for name, url in urls.items():
        place, _, database = url.rpartition("/")
        found.add(f"{place}/{database.replace(name, '{service}')}")
    (template,) = found
    return template


def _gateway(apps: Mapping[str, FastAPI], runtime: Runtime) -> Gateway:
    return create_gateway(
        GatewaySettings(user_rate=_MANY, address_rate=_MANY, login_rate=_MANY, failure_rate=_MANY),
        apps,
        AuthClient(runtime.http, runtime.internal_tokens, "gateway"),
        internal_tokens=runtime.internal_tokens,
        access_tokens=runtime.access_tokens,
        audit=AuditClient(runtime.http, runtime.internal_tokens, "gateway"),
    )


@asynccontextmanager
async def _served(gateway: Gateway) -> AsyncIterator[Gateway]:
    """The gateway with its own life, which a server would lead."""
    come: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    said: asyncio.Queue[str] = asyncio.Queue()
    await come.put({"type": "lifespan.startup"})

    async def send(message: Mapping[str, object]) -> None:
        await said.put(str(message["type"]))

    task = asyncio.ensure_future(gateway({"type": "lifespan"}, come.get, send))
    try:
        assert await said.get() == "lifespan.startup.complete"
        yield gateway
    finally:
        await come.put({"type": "lifespan.shutdown"})
        with contextlib.suppress(Exception):
            await task
