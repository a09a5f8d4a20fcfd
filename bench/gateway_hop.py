"""What the API gateway costs: the same service direct, mounted behind it, and behind a socket.

`make bench ONLY=gateway_hop` prints requests a second and CPU time of the server for a small
answer and for a page of 50 rows, both behind the check of a token, and the time that a gateway in
a process of its own adds to one request. Servers share one core, the client has another where the
machine has two. The limits: mounted at most 10 % more, separate at most 0.4 ms more. All ways are
measured in many short turns, so that a busy neighbour disturbs all alike; the CPU time is the
steadier figure still.
"""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Annotated

import httpx
import msgspec
import psutil
import uvicorn
import uvloop
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr
from sqlalchemy import MetaData
from starlette.types import ASGIApp

from bench._load import Way, load, pin
from bench.report import Figure
from gateway.api.app import create_gateway
from gateway.api.remote import RemoteUpstream
from gateway.api.serving import server_options
from gateway.api.settings import GatewaySettings
from libs.contracts.auth import AuthClient, PrincipalInfo
from libs.kit.auth import AccessTokens, InternalTokens, Principal, require
from libs.kit.client import InProcess
from libs.kit.redis import connect
from libs.kit.service import Ready, Row, Runtime, Service
from libs.kit.settings import Settings

SECRET = SecretStr("bench-only-secret-0123456789-abcdefghijklmnop")
PATHS = {"small": "/api/hosts/small", "page": "/api/hosts/page"}
CONNECTIONS = 16
ROUNDS = 25
DEFAULT_REQUESTS = 400
LIMIT_SEPARATE_MS = 0.4
USER = PrincipalInfo(
    user_id=1,
    username="bench",
    roles=["viewer"],
    permissions=["hosts:read"],
    is_active=True,
    session_id="bench",
)


class Small(Row):
    """The smallest useful answer."""

    id: int
    name: str


class KnownUser(AuthClient):
    """An auth that knows one user; how fast auth answers is another benchmark's business."""

    async def principal_of_session(self, session_id: str) -> PrincipalInfo | None:
        return USER


def _routes() -> APIRouter:
    router = APIRouter()
    rows = [
        {
            "id": number,
            "name": f"host-{number:05}",
            "ip_address": f"10.0.{number // 250}.{number % 250}",
            "port": 22,
            "os_type": "linux",
            "description": "",
            "groups": [],
            "tags": ["bench"],
            "agent_status": "online",
            "agent_version": "0.1.0",
            "last_seen_at": "2026-01-01T00:00:00Z",
            "created_at": "2026-01-01T00:00:00Z",
            "metrics": None,
        }
        for number in range(50)
    ]

    @router.get("/api/hosts/small")
    async def small(by: Annotated[Principal, require("hosts:read")]) -> Small:
        return Small(id=by.id, name="small")

    @router.get("/api/hosts/page")
    async def page(by: Annotated[Principal, require("hosts:read")]) -> Ready:
        content = {"total": 10_000, "page": 1, "page_size": 50, "results": rows}
        return Ready(msgspec.json.encode(content))

    return router


def _service(folder: str) -> FastAPI:
    runtime = Runtime(
        settings=Settings(database_url=f"sqlite:///{folder}/{{service}}.db", secret=SECRET),
        redis=connect("redis://127.0.0.1:1/0"),
        http=httpx.AsyncClient(transport=InProcess()),
        internal_tokens=InternalTokens(SECRET),
        access_tokens=AccessTokens(SECRET),
    )
    service = Service(name="hosts", metadata=MetaData(), build=lambda *_: [], routers=(_routes(),))
    return service.create_app(runtime)


def _gateway(upstream: ASGIApp) -> ASGIApp:
    tokens = InternalTokens(SECRET)
    http = httpx.AsyncClient(transport=InProcess())
    return create_gateway(
        GatewaySettings(),
        {"hosts": upstream},
        KnownUser(http, tokens, "gateway-api"),
        internal_tokens=tokens,
        access_tokens=AccessTokens(SECRET),
    )


def _serve(kind: str, behind: str, folder: str, ready: Connection) -> None:
    """The body of a server process: says its port, then serves until it is stopped."""
    apps: dict[str, Callable[[], ASGIApp]] = {
        "direct": lambda: _service(folder),
        "mounted": lambda: _gateway(_service(folder)),
        "separate": lambda: _gateway(RemoteUpstream(behind, service="hosts")),
    }
    pin(0)
    config = uvicorn.Config(apps[kind](), log_level="error", **server_options(GatewaySettings()))
    if kind == "direct":
        config.lifespan = "off"  # no database is opened
        config.timeout_keep_alive = 75
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        ready.send(listening.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def _server(kind: str, folder: str, behind: str = "") -> Iterator[tuple[int, psutil.Process]]:
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(kind, behind, folder, sending), daemon=True)
    process.start()
    try:
        if not receiving.poll(60):
            raise RuntimeError(f"the server for {kind} did not start")
        yield receiving.recv(), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.join(10)


async def _measure_way(way: Way, name: str, path: str, requests: int) -> None:
    """One round of one way: alone for the latency, then together for the rate."""
    async with load(way, path, 1, max(50, requests // 8)) as (_, seconds):
        way.latency_ms.setdefault(name, []).append(median(seconds) * 1000)
    cpu = way.cpu_seconds()
    async with load(way, path, CONNECTIONS, requests) as (passed, _):
        way.rates.setdefault(name, []).append(requests / passed)
        spent = (way.cpu_seconds() - cpu) / requests
        way.cpu_us.setdefault(name, []).append(spent * 1_000_000)


async def _measure_all(ways: dict[str, Way], requests: int) -> None:
    for way in ways.values():
        for path in PATHS.values():
            async with load(way, path, CONNECTIONS, 300):
                pass  # warm
    for _ in range(ROUNDS):
        for name, path in PATHS.items():
            for way in ways.values():
                await _measure_way(way, name, path, requests)


def measure(n: int | None, peers: bool) -> Iterator[Figure]:
    """`n` is requests a round; there are no peers here."""
    requests = n or DEFAULT_REQUESTS
    internal = InternalTokens(SECRET).issue("hosts", USER.as_principal(), "gateway-api", ttl=3600)
    access = AccessTokens(SECRET).issue(USER.user_id, "bench", 3600)
    with (
        tempfile.TemporaryDirectory() as folder,
        _server("direct", str(Path(folder))) as (direct_port, direct),
        _server("mounted", str(Path(folder))) as (mounted_port, mounted),
        _server("separate", folder, f"http://127.0.0.1:{direct_port}") as (port, separate),
    ):
        ways = {
            "direct": Way(direct_port, internal, [direct], slash=""),
            "embedded": Way(mounted_port, access, [mounted]),
            "separate": Way(port, access, [separate, direct]),
        }
        before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        pin(-1)
        try:
            uvloop.run(_measure_all(ways, requests))
        finally:
            if before:
                os.sched_setaffinity(0, before)
    yield from _figures(ways, requests * ROUNDS)


def _figures(ways: dict[str, Way], n: int) -> Iterator[Figure]:
    direct = ways["direct"]
    for name in PATHS:
        rate, cpu = median(direct.rates[name]), median(direct.cpu_us[name])
        for kind, way in ways.items():
            reference = None if kind == "direct" else rate
            title = f"gateway_hop_{kind}_{name}"
            yield Figure(title, round(median(way.rates[name]), 1), "req/s", n, reference)
            own = round(median(way.cpu_us[name]), 1)
            yield Figure(f"{title}_cpu", own, "us/req", n, None if kind == "direct" else cpu)
        for kind in ("embedded", "separate"):
            added = [
                theirs - ours
                for theirs, ours in zip(
                    ways[kind].latency_ms[name], direct.latency_ms[name], strict=True
                )
            ]
            title = f"gateway_hop_{kind}_{name}_added"
            yield Figure(title, round(median(added), 4), "ms", n, LIMIT_SEPARATE_MS)
