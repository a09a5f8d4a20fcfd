"""The scaled profile: one service, gateway or worker as a process of its own."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import httpx
import setproctitle
import uvicorn
import uvloop
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from gateway.agents import app as agent_gateway
from gateway.agents.settings import AgentGatewaySettings
from gateway.api.app import create_gateway
from gateway.api.remote import RemoteUpstream
from gateway.api.serving import server_options
from gateway.api.settings import GatewaySettings
from libs.contracts.audit import AuditClient
from libs.contracts.auth import AuthClient, FirstAdmin
from libs.kit import logging
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.client import remote_transport
from libs.kit.errors import AppError
from libs.kit.queue import Jobs
from libs.kit.redis import connect
from libs.kit.service import Assembly, Runtime, entering
from libs.kit.settings import Settings
from libs.kit.tls import TlsFiles
from services import registry
from services.embedded import migrations, signer
from services.embedded.listening import listen
from services.embedded.options import StartRefused
from services.embedded.refusing import KEYS_MISSING, unusable, without_keys
from services.embedded.serving import Listening, internal_config, serve_until, stop_on_signals
from services.execution.settings import SignerSettings

GATEWAYS = ("gateway-api", "gateway-agents")
SIGNER = "signer"
PORT = 8000
AGENT_PORT = 8001

AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def serve(name: str, host: str, port: int | None) -> int:
    """Runs one part until SIGTERM. Raises StartRefused with one line."""
    if name not in (*registry.SERVICES, *GATEWAYS, SIGNER):
        known = ", ".join((*registry.SERVICES, *GATEWAYS, SIGNER))
        raise StartRefused(f"There is no part called {name}; there are {known}.")
    settings = _common()
    setproctitle.setproctitle(f"opsjob: {name}")
    logging.configure(settings.log_level)
    if name == SIGNER:
        return _sign(settings)
    if name == "gateway-agents":
        own = _from_environment(AgentGatewaySettings)
        agent_port = AGENT_PORT if port is None else port
        agent_gateway.serve(settings, own, listener=listen(host, agent_port, "--port"))
        return 0
    make = _gateway_config if name == "gateway-api" else _service_config(name)
    listener = listen(host, PORT if port is None else port, "--port")

    async def body() -> None:
        stop = stop_on_signals()
        async with _runtime(settings, name) as runtime, AsyncExitStack() as stack:
            config = await make(runtime, stack)
            await serve_until([Listening(config, listener)], stop)

    return _run(body)


def _sign(settings: Settings) -> int:
    """The signer, on the socket that execution knows; makes its keys at the first start."""
    _from_environment(SignerSettings)
    path = settings.signer_socket
    if path is None:
        raise StartRefused("OPSJOB_SIGNER_SOCKET says where the signer listens; it is not set.")
    os.umask(0o077)
    signer.make_keys(settings)
    return signer.run(settings, signer.listen_for_users(path))


def work() -> int:
    """Runs background jobs of every service until SIGTERM. Raises StartRefused."""
    settings = _common()
    setproctitle.setproctitle("opsjob: worker")
    logging.configure(settings.log_level)

    async def body() -> None:
        stop = stop_on_signals()
        async with _runtime(settings, "worker") as runtime, AsyncExitStack() as stack:
            bindings = []
            for service in registry.load_all().values():
                assembly = Assembly(service, runtime)
                await assembly.database.open()
                stack.push_async_callback(assembly.database.close)
                bindings += assembly.bindings()
            jobs = asyncio.create_task(Jobs(runtime.redis, bindings).run(), name="jobs")
            told = asyncio.create_task(stop.wait(), name="stop")
            await asyncio.wait({jobs, told}, return_when=asyncio.FIRST_COMPLETED)
            for task in (jobs, told):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    return _run(body)


def migrate(name: str) -> int:
    """Migrates one service's database, or all. Raises StartRefused."""
    if name and name not in registry.SERVICES:
        raise StartRefused(f"There is no service called {name}.")
    settings = _from_environment(Settings)
    try:
        code = migrations.upgrade(settings, [name] if name else registry.SERVICES)
    except OSError as error:
        raise StartRefused(f"The database does not answer: {error}") from None
    if code:
        raise StartRefused("The databases cannot be migrated by this version.")
    return 0


def first_admin(name: str) -> FirstAdmin:
    """Makes the first administrator of running services; works once. Raises StartRefused."""
    settings = _common()

    async def make() -> FirstAdmin:
        async with httpx.AsyncClient(transport=remote_transport(settings)) as http:
            auth = AuthClient(http, InternalTokens.of(settings), "supervisor")
            return await auth.create_first_admin(name)

    try:
        return asyncio.run(make())
    except AppError as refused:
        raise StartRefused(str(refused)) from None


@asynccontextmanager
async def _runtime(settings: Settings, part: str) -> AsyncIterator[Runtime]:
    redis = connect(settings.redis_url_of(part))
    try:
        async with httpx.AsyncClient(transport=remote_transport(settings)) as http:
            yield Runtime(
                settings=settings,
                redis=redis,
                http=http,
                internal_tokens=InternalTokens.of(settings),
                access_tokens=AccessTokens.of(settings),
            )
    finally:
        await redis.aclose()


Make = Callable[[Runtime, AsyncExitStack], Coroutine[None, None, uvicorn.Config]]


def _service_config(name: str) -> Make:
    async def make(runtime: Runtime, stack: AsyncExitStack) -> uvicorn.Config:
        app = registry.load(name).create_app(runtime)
        await stack.enter_async_context(entering([app]))
        return internal_config(app, TlsFiles.of(runtime.settings))

    return make


async def _gateway_config(runtime: Runtime, stack: AsyncExitStack) -> uvicorn.Config:
    settings = _from_environment(GatewaySettings)
    files = TlsFiles.of(runtime.settings)
    tls = None if files is None else files.to_ask()
    upstreams = {
        name: RemoteUpstream(runtime.settings.service_url_of(name), service=name, tls=tls)
        for name in registry.SERVICES
    }
    gateway = create_gateway(
        settings,
        upstreams,
        AuthClient(runtime.http, runtime.internal_tokens, "gateway"),
        internal_tokens=runtime.internal_tokens,
        access_tokens=runtime.access_tokens,
        redis_url=runtime.settings.redis_url_of("gateway-api"),
        audit=AuditClient(runtime.http, runtime.internal_tokens, "gateway"),
    )
    return uvicorn.Config(gateway, log_config=None, **server_options(settings))


def _run(body: Callable[[], Coroutine[None, None, None]]) -> int:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(body())
    except ValidationError as error:
        raise StartRefused(unusable(error, f"{error.title}: ")) from None
    except KEYS_MISSING as error:
        raise StartRefused(without_keys(error)) from None
    return 0


def _common() -> Settings:
    """What all parts share, with certificates that can be used."""
    settings = _from_environment(Settings)
    files = TlsFiles.of(settings)
    try:
        if files is not None:
            files.to_ask()
    except OSError as error:
        raise StartRefused(f"The OPSJOB_TLS_… files cannot be used: {error}.") from None
    return settings


def _from_environment(kind: type[AnySettings]) -> AnySettings:
    try:
        return kind()
    except ValidationError as error:
        raise StartRefused(unusable(error, kind.model_config.get("env_prefix", ""))) from None
