"""A page of 50 of 10,000 hosts: what it costs inside the service, and how many a second arrive.

`make bench ONLY=hosts_page` measures CPU time per page inside the hosts service (SQLite, all
policies and the encoding included, no socket) for several pages and filters; then requests a
second through the gateway of a real embedded platform whose control plane has one core, and the
CPU time of that. The limits: 500 us of CPU inside the service, 800 requests a second. Every host
has an agent with figures and is in a group. On a busy machine CPU time is the steadier figure.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
import uvloop
from pydantic import SecretStr
from sqlalchemy import create_engine, insert
from starlette.types import ASGIApp, Message

from bench import _ground
from bench._load import Way, load, pinned
from bench.report import Figure
from libs.kit import migrate
from libs.kit.auth import AccessTokens, InternalTokens, Principal
from libs.kit.client import InProcess
from libs.kit.redis import connect
from libs.kit.service import Runtime
from libs.kit.settings import Settings
from services.hosts.app import service
from services.hosts.models import Agent, Group, GroupMember, Host

SECRET = SecretStr("bench-only-secret-0123456789-abcdefghijklmnop")
HOSTS = 10_000
LIMIT_CPU_US = 500.0
LIMIT_RATE = 800.0
DEFAULT_REQUESTS = 2_000
ROUNDS = 5
CONNECTIONS = 16
PAGES = {
    "first": "page=1&page_size=50",
    "middle": "page=100&page_size=50",
    "last": "page=200&page_size=50",
    "by_name": "page=100&page_size=50&sort=name",
    "online": "page=1&page_size=50&agent_status=online",
    "search": "page=1&page_size=50&search=host-09",
}
READER = Principal(1, "bench", permissions=frozenset({"hosts:read"}))


def fill(url: str, count: int = HOSTS) -> None:
    """So many hosts, each with an online agent, in one of twenty groups."""
    now = datetime.now(UTC)
    seen = now + timedelta(days=1)  # nobody falls silent while the benchmark runs
    moments = {"created_at": now, "updated_at": now}
    figures = json.dumps({"cpu_percent": 12.5, "memory_percent": 40.1, "load1": 0.7})
    groups = [
        {"id": n, "name": f"group-{n}", "name_key": f"group-{n}", "parent_id": None,
         "description": "", **moments}
        for n in range(1, 21)
    ]  # fmt: skip
    first = 1_000
    numbers = range(first, first + count)
    hosts = [
        {"id": n, "name": f"host-{n:05}", "name_key": f"host-{n:05}",
         "ip_address": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "port": 22, "address_key": None,
         "username": None, "password_sealed": None, "os_type": "linux", "description": "",
         "tags": '["bench","eu"]', "agent_id": f"{n:032x}", **moments}
        for n in numbers
    ]  # fmt: skip
    agents = [
        {"id": f"{n:032x}", "host_id": n, "public_key": "x", "identity_epoch": 1,
         "status": "active", "is_online": True, "last_seen_at": seen, "connected_at": now,
         "gateway_id": "g", "session_id": "s", "boot_id": "b", "machine_id": "m",
         "version": "0.1.0", "inventory": "{}", "metrics": figures, "enrolled_at": now,
         "retired_at": None}
        for n in numbers
    ]  # fmt: skip
    members = [{"host_id": n, "group_id": n % 20 + 1} for n in numbers]
    engine = create_engine(url, connect_args={"timeout": 60})
    with engine.begin() as connection:
        for table, rows in (
            (Group, groups),
            (Host, hosts),
            (Agent, agents),
            (GroupMember, members),
        ):
            connection.execute(insert(table), rows)
    engine.dispose()


# ---- inside the service ------------------------------------------------------------------------


async def _ask(app: ASGIApp, token: str, query: str) -> tuple[int, int]:
    """Status and length of one answer, without a socket and without a client library."""
    status = length = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, length
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            length += len(message["body"])

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/api/hosts", "raw_path": b"/api/hosts", "root_path": "",
        "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": ("hosts", 80),
        "headers": [(b"authorization", f"Bearer {token}".encode()), (b"host", b"hosts")],
        "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return status, length


async def _round(app: ASGIApp, token: str, query: str, requests: int) -> float:
    """CPU microseconds per page, with as many requests under way as a load test has."""

    async def caller() -> None:
        for _ in range(requests // CONNECTIONS):
            status, length = await _ask(app, token, query)
            if status != 200 or length < 10_000:
                raise RuntimeError(f"{query}: {status}, {length} bytes")

    await _ask(app, token, query)
    began = time.process_time()
    await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
    return (time.process_time() - began) / (requests // CONNECTIONS * CONNECTIONS) * 1_000_000


async def _inside(folder: Path, requests: int) -> dict[str, list[float]]:
    """CPU microseconds of this process per page, for each kind of page and round."""
    settings = Settings(
        database_url=f"sqlite:///{folder}/{{service}}.db", secret=SECRET, data_dir=folder
    )
    tokens = InternalTokens(SECRET)
    spent: dict[str, list[float]] = {name: [] for name in PAGES}
    async with httpx.AsyncClient(transport=InProcess()) as http:
        redis = connect(f"unix://{folder}/nobody.sock")
        app = service.create_app(Runtime(settings, redis, http, tokens, AccessTokens(SECRET)))
        # The database alone: loops that wait for Redis have no part in a page.
        await app.state.database.open()
        token = tokens.issue("hosts", READER, "gateway", ttl=3600)
        for _ in range(ROUNDS):
            for name, query in PAGES.items():
                spent[name].append(await _round(app, token, query, requests))
        await app.state.database.close()
        await redis.aclose()
    return spent


def _service_figures(requests: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="opsjob-bench-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/hosts.db"
        migrate.upgrade("hosts", service.metadata, service.migrations, url)
        fill(url)
        with pinned(0):
            spent = uvloop.run(_inside(folder, requests))
    for page, times in spent.items():
        limit = LIMIT_CPU_US if page in ("first", "middle", "last") else None
        yield Figure(
            f"hosts_page_service_{page}", round(median(times), 1), "us CPU/page",
            requests * ROUNDS, limit,
        )  # fmt: skip


# ---- through the gateway -----------------------------------------------------------------------


async def _rates(way: Way, requests: int) -> list[float]:
    rates: list[float] = []
    path = f"/api/hosts/?{PAGES['middle']}"
    for _ in range(ROUNDS):
        async with load(way, path, CONNECTIONS, requests) as (passed, _):
            rates.append(requests / passed)
    return rates


def _platform_figures(requests: int) -> Iterator[Figure]:
    with _ground.platform("--no-agent") as (running, client):
        fill(f"sqlite:///{running.data_dir}/hosts.db")
        control = running.find("control-plane")
        if control is None:
            raise RuntimeError("the control plane does not run")
        core = min(os.sched_getaffinity(0))
        for thread in control.threads():
            os.sched_setaffinity(thread.id, {core})
        port = httpx.URL(running.url).port or 80
        way = Way(port, client.headers["authorization"].removeprefix("Bearer "), [control], "")
        before = way.cpu_seconds()
        with pinned(-1):
            rates: Sequence[float] = uvloop.run(_rates(way, requests))
        spent = (way.cpu_seconds() - before) / (requests * ROUNDS)
    done = requests * ROUNDS
    yield Figure("hosts_page_gateway", round(median(rates), 1), "requests/s", done, LIMIT_RATE)
    yield Figure("hosts_page_gateway_cpu", round(spent * 1_000_000, 1), "us CPU/request", done)


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """`n` is requests a round; there are no peers here."""
    requests = n or DEFAULT_REQUESTS
    yield from _service_figures(min(requests, 1_000))
    yield from _platform_figures(requests)
