"""A service declared once, and what the composition makes of it: database, loops, app."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute
from sqlalchemy import MetaData

from libs.kit import migrate
from libs.kit.auth import AccessTokens, InternalTokens
from libs.kit.bus import Consumers, Relay, Subscriptions
from libs.kit.db import Database
from libs.kit.errors import Unavailable
from libs.kit.events import Event
from libs.kit.ids import new_id
from libs.kit.logging import get_logger
from libs.kit.metrics import exposition
from libs.kit.queue import Jobs, Task
from libs.kit.redis import Redis, reachable
from libs.kit.refusals import Refusal, Refusals
from libs.kit.resealing import Resealing, SealedColumn
from libs.kit.seal import KeyRing, Seal
from libs.kit.service.accounting import RefusalsTold
from libs.kit.service.answers import Door, answer_errors, describe
from libs.kit.service.routes import Ready, made_routes
from libs.kit.settings import Settings

T = TypeVar("T")

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
STOP_SECONDS: Final = 10.0
SERVICES_FOLDER: Final = Path(__file__).parents[3] / "services"

log = get_logger(__name__)


def end_process(error: BaseException) -> None:
    """A loop died: say so and end the process in order, so that whoever watches it restarts it."""
    log.critical("A loop of the service died; ending the process.", exc_info=error)
    os.kill(os.getpid(), signal.SIGTERM)


@dataclass(frozen=True)
class Runtime:
    """What the composition gives to every service of the process."""

    settings: Settings
    redis: Redis
    http: httpx.AsyncClient
    internal_tokens: InternalTokens
    access_tokens: AccessTokens
    process_id: str = field(default_factory=new_id)
    fatal: Callable[[BaseException], None] = end_process

    @cached_property
    def keys(self) -> KeyRing:
        """What values in databases are sealed with; raises KeyFileUnusable."""
        return KeyRing.of(self.settings)

    def seal(self, purpose: str) -> Seal:
        """Seals values of one service; no other opens them."""
        return Seal(self.keys, purpose)


@dataclass(frozen=True)
class Service:
    """Everything that a service plugs in.

    ``build`` makes the use-case objects, once per process. ``loops`` are types among them with
    ``async def run(self) -> None``; a loop that raises takes the process down. ``sealed`` are the
    columns whose values the service's seal made: they can be moved to another key, and a start
    without one of their keys is refused.
    """

    name: str
    metadata: MetaData
    build: Callable[[Database, Runtime], Sequence[object]]
    routers: tuple[APIRouter, ...] = ()
    consumers: Subscriptions | None = None
    tasks: tuple[Task[Any], ...] = ()
    loops: tuple[type, ...] = ()
    sealed: tuple[SealedColumn, ...] = ()
    refused: Callable[[Refusal, int], Event] | None = None
    """The fact that accounts for what the routes refused, given how often; see kit.refusals."""
    max_body_bytes: int = MAX_BODY_BYTES

    @property
    def migrations(self) -> Path:
        """The folder of the service's migrations."""
        return SERVICES_FOLDER / self.name / "migrations"

    @cached_property
    def routes(self) -> Sequence[APIRoute]:
        """The routes of every app of this service: made once, because making them takes long.

        Raises TypeError when one states no policy.
        """
        return made_routes(self.routers, max_body_bytes=self.max_body_bytes)

    def create_app(self, runtime: Runtime) -> FastAPI:
        """The service as an ASGI app; raises when a route states no policy."""
        return create_app(self, runtime)


class Assembly:
    """A service's database and use cases, built but not yet open; shared by app and worker."""

    def __init__(self, service: Service, runtime: Runtime) -> None:
        self.service = service
        self.runtime = runtime
        settings = runtime.settings
        self.database = Database(
            settings.database_url_of(service.name),
            name=service.name,
            pool_size=settings.database_pool_size,
        )
        self.refusals = Refusals()
        built = service.build(self.database, runtime)
        self.provided: Mapping[type, object] = {type(item): item for item in built}

    def bindings(self) -> list[tuple[Task[Any], Mapping[type, object]]]:
        """The service's background jobs with what they need; for `queue.Jobs`."""
        return [(task, self.provided) for task in self.service.tasks]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open the database, run relay, consumers and loops; stop them in reverse order.

        Raises SealingKeyMissing when something in the database could not be opened any more.
        """
        await self.database.open()
        await self._check_keys()
        tasks = [
            asyncio.create_task(self._watched(loop), name=f"{self.service.name}: {name}")
            for name, loop in self._loops()
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=STOP_SECONDS)
            await self.database.close()

    async def _check_keys(self) -> None:
        if not self.service.sealed:
            return
        seal = self.runtime.seal(self.service.name)
        try:
            await Resealing(self.database, seal, self.service.sealed).check()
        except BaseException:
            await self.database.close()
            raise

    async def _watched(self, loop: Coroutine[object, None, None]) -> None:
        try:
            await loop
        except Exception as error:
            self.runtime.fatal(error)

    def _loops(self) -> list[tuple[str, Coroutine[object, None, None]]]:
        name, process = self.service.name, self.runtime.process_id
        relay = Relay(self.database, self.runtime.redis, service=name, holder=process)
        loops = [("relay", relay.run())]
        if self.service.consumers is not None and len(self.service.consumers):
            consumers = Consumers(
                self.database,
                self.runtime.redis,
                self.service.consumers,
                self.provided,
                service=name,
                consumer=process,
            )
            loops.append(("consumers", consumers.run()))
        if self.service.refused is not None:
            told = RefusalsTold(self.database, self.refusals, self.service.refused)
            loops.append(("refusals", told.run()))
        for kind in self.service.loops:
            run: Callable[[], Coroutine[object, None, None]] = getattr(self.provided[kind], "run")  # noqa: B009  the type says only that it is some class
            loops.append((kind.__name__, run()))
        return loops


def create_app(service: Service, runtime: Runtime) -> FastAPI:
    """The service as an ASGI app, with its database opened and its loops run by the lifespan."""
    assembly = Assembly(service, runtime)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with assembly.running():
            yield

    app = FastAPI(
        title=f"OPS Job {service.name}",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.runtime = runtime
    app.state.service_name = service.name
    app.state.internal_tokens = runtime.internal_tokens
    app.state.access_tokens = runtime.access_tokens
    app.state.assembly = assembly
    app.state.provided = assembly.provided
    app.state.database = assembly.database
    app.state.refusals = assembly.refusals
    answer_errors(app)
    app.router.routes.extend(service.routes)
    _install_health(app, assembly)
    describe(app)
    app.add_middleware(Door, service=service.name)
    return app


def _install_health(app: FastAPI, assembly: Assembly) -> None:
    """Routes for orchestrators; the gateway's map leads to none of them."""

    async def live(_request: Request) -> Ready:
        return Ready(b'{"status":"ok"}')

    async def ready(_request: Request) -> Ready:
        migrated = await migrate.up_to_date(assembly.database, assembly.service.migrations)
        if not migrated:
            raise Unavailable(
                "The database is not migrated yet.", zh="数据库尚未完成迁移。", database="behind"
            )
        redis = "ok" if await reachable(assembly.runtime.redis) else "down"
        return Ready(f'{{"database":"ok","migrations":"ok","redis":"{redis}"}}'.encode())

    async def metrics(_request: Request) -> Ready:
        kind, body = exposition()
        return Ready.plain(body, kind)

    for path, answer in (("live", live), ("ready", ready)):
        app.router.add_route(f"/health/{path}", answer, methods=["GET"])
    app.router.add_route("/metrics", metrics, methods=["GET"])


@asynccontextmanager
async def entering(apps: Iterable[FastAPI]) -> AsyncIterator[None]:
    """Run the lifespans of apps that are mounted or composed; a parent does not do that itself."""
    async with AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield


def jobs_of(apps: Iterable[FastAPI], redis: Redis) -> Jobs:
    """The job worker for the services of these apps."""
    bindings = [binding for app in apps for binding in app.state.assembly.bindings()]
    return Jobs(redis, bindings)


def provided(cls: type[T]) -> Any:
    """The use-case object of the service: ``Annotated[Hosts, provided(Hosts)]``."""

    async def find(request: Request) -> T:
        found: T = request.app.state.provided[cls]
        return found

    return Depends(find)
