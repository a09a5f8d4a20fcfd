"""The API gateway and every service in one process: public on TCP, internal on a unix socket."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.app import create_gateway
from gateway.api.serving import server_options
from gateway.api.settings import GatewaySettings
from libs.contracts.audit import AuditClient
from libs.contracts.auth import AuthClient
from libs.kit import logging
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.client import InProcess
from libs.kit.redis import Redis, connect
from libs.kit.service import Runtime, entering, jobs_of
from libs.kit.settings import Settings
from services import registry
from services.embedded.refusing import with_usable_settings
from services.embedded.serving import Listening, internal_config, serve_until, stop_on_signals

_CONSOLE = Path(__file__).parents[2] / "frontend" / "dist"


@dataclass(frozen=True)
class Plan:
    """What the control plane is given: settings and two sockets that listen already."""

    settings: Settings
    public: socket.socket
    control: socket.socket


PROCESS_ID = "control-plane"
"""The folder's lock lets only one live: after a crash its leases and unread entries are its own."""


class ByHostName:
    """Takes `http://hosts/…` on the control socket to the service called hosts."""

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = {name.encode("ascii"): app for name, app in apps.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        named = next((value for key, value in scope["headers"] if key == b"host"), b"")
        app = self._apps.get(named.partition(b":")[0])
        if app is None:
            await send({"type": "http.response.start", "status": 421, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)


def preload() -> None:
    """Imports every service, so that all processes share those pages."""
    registry.load_all()


def run(plan: Plan) -> int:
    """Serves until SIGTERM; for a process of its own."""
    logging.configure(plan.settings.log_level)

    def body() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(plan))

    return with_usable_settings(body)


async def _serve(plan: Plan) -> None:
    """Order of the end: no new requests, then the worker, then loops and databases."""
    stop = stop_on_signals()
    settings = plan.settings
    network = InProcess()
    async with AsyncExitStack() as stack:
        redis = _connected(settings, stack, "worker")
        http = await stack.enter_async_context(httpx.AsyncClient(transport=network))
        runtime = Runtime(
            settings=settings,
            redis=redis,
            http=http,
            internal_tokens=InternalTokens.of(settings),
            access_tokens=AccessTokens.of(settings),
            process_id=PROCESS_ID,
        )
        apps = {
            name: service.create_app(replace(runtime, redis=_connected(settings, stack, name)))
            for name, service in registry.load_all().items()
        }
        network.apps.update(apps)
        await stack.enter_async_context(entering(apps.values()))
        worker = asyncio.create_task(jobs_of(apps.values(), redis).run(), name="worker")
        stack.push_async_callback(_ended, worker)
        await serve_until(
            [
                Listening(_public(apps, runtime), plan.public),
                Listening(internal_config(ByHostName(apps)), plan.control),
            ],
            stop,
        )


def _connected(settings: Settings, stack: AsyncExitStack, part: str) -> Redis:
    """A client for one part, as the user of that name, until the end."""
    redis = connect(settings.redis_url_of(part))
    stack.push_async_callback(redis.aclose)
    return redis


def _public(apps: Mapping[str, ASGIApp], runtime: Runtime) -> uvicorn.Config:
    settings = GatewaySettings()
    if settings.static_dir is None and _CONSOLE.is_dir():
        settings = settings.model_copy(update={"static_dir": _CONSOLE})
    gateway = create_gateway(
        settings,
        apps,
        AuthClient(runtime.http, runtime.internal_tokens, "gateway"),
        internal_tokens=runtime.internal_tokens,
        access_tokens=runtime.access_tokens,
        redis_url=runtime.settings.redis_url_of("gateway-api"),
        audit=AuditClient(runtime.http, runtime.internal_tokens, "gateway"),
    )
    return uvicorn.Config(gateway, log_config=None, **server_options(settings))


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
