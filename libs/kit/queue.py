"""Short background jobs through arq: declared at the task, enqueued by type, lost harmlessly.

A job is the second half of a row: the row says what has to be done, the job only makes it happen
soon. So enqueueing never fails a request, and sweepers enqueue again what Redis has lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, get_type_hints

from arq.connections import ArqRedis
from arq.cron import CronJob, cron
from arq.worker import Function, Retry, Worker, func

from libs.kit.logging import get_logger
from libs.kit.redis import TROUBLE, Redis

P = ParamSpec("P")
U = TypeVar("U")

QUEUE: Final = "opsjob:jobs"
KEEP_RESULT: Final = timedelta(seconds=1)  # a kept result would block the same job id again
PAUSE_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 5.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Task(Generic[P]):
    """A background job: a use-case class, a function that calls it, and its limits."""

    name: str
    use_cases: type
    call: Callable[..., Awaitable[object]]
    retries: int
    timeout: float
    periodic: float | None


def task(
    *, retries: int = 3, timeout: float = 60, periodic: float | None = None
) -> Callable[[Callable[Concatenate[Any, P], Awaitable[object]]], Task[P]]:
    """Declare ``async def name(use_cases: UseCases, some_id)``; its arguments are ids.

    It runs at most ``retries`` times and ``timeout`` seconds each. ``periodic`` seconds between
    runs (5, 10, 15, 20, 30, or whole minutes that divide an hour) make it periodic; then it takes
    the use cases only. It may run twice; write it so that twice equals once.
    """

    def declare(call: Callable[Concatenate[Any, P], Awaitable[object]]) -> Task[P]:
        name = getattr(call, "__name__", "")
        hints = [kind for key, kind in get_type_hints(call).items() if key != "return"]
        if not hints:
            message = f"the task {name} must name its use cases as its first parameter's type"
            raise TypeError(message)
        module = getattr(call, "__module__", "")
        return Task(f"{module}.{name}", hints[0], call, retries, timeout, periodic)

    return declare


class Queue:
    """Where jobs are put."""

    def __init__(self, redis: Redis) -> None:
        self._arq = ArqRedis(connection_pool=redis.connection_pool, default_queue_name=QUEUE)

    async def enqueue(self, job: Task[P], /, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Ask for a run soon; False when Redis did not take it (the row's sweeper will ask again).

        The same job with the same arguments is not queued twice while it waits.
        """
        named: dict[str, Any] = dict(kwargs)
        identity = ":".join([job.name, *map(str, args), *(f"{k}={v}" for k, v in named.items())])
        try:
            queued = await self._arq.enqueue_job(job.name, *args, _job_id=identity, **named)
        except TROUBLE as error:
            log.warning("A job could not be queued.", task=job.name, reason=str(error)[:200])
            return False
        return queued is not None


Binding = tuple[Task[Any], Mapping[type, object]]
"""A task and the use-case objects of its service."""


class Jobs:
    """Runs jobs in this process: as a loop beside others, or alone as ``opsjob worker``."""

    def __init__(self, redis: Redis, bindings: Iterable[Binding], *, at_once: int = 10) -> None:
        self._redis = redis
        self._at_once = at_once
        self._functions: list[Function] = []
        self._periodic: list[CronJob] = []
        for job, provided in bindings:
            run = _runner(job, provided[job.use_cases])
            if job.periodic is None:
                self._functions.append(
                    func(
                        run,  # type: ignore[arg-type]  # arq's protocol is a plain function's
                        name=job.name,
                        max_tries=job.retries,
                        timeout=job.timeout,
                        keep_result=0,
                    )
                )
            else:
                self._periodic.append(_every(job, run))

    async def run(self) -> None:
        """Work for ever; a Redis that goes away is waited for."""
        if not self._functions and not self._periodic:
            return
        while True:
            worker = self._worker()
            try:
                await worker.async_run()
            except TROUBLE as error:
                log.warning("The job worker waits for Redis.", reason=str(error)[:200])
            finally:
                await self._stop(worker)
            await asyncio.sleep(PAUSE_SECONDS)

    def _worker(self) -> Worker:
        return Worker(
            functions=self._functions,
            cron_jobs=self._periodic,
            redis_pool=ArqRedis(
                connection_pool=self._redis.connection_pool, default_queue_name=QUEUE
            ),
            queue_name=QUEUE,
            handle_signals=False,
            max_jobs=self._at_once,
            poll_delay=0.5,
            keep_result=0,
            log_results=False,
            health_check_interval=60,
            ctx={},
        )

    async def _stop(self, worker: Worker) -> None:
        """Let running jobs come to their end for a moment; the rest is tried again later."""
        running = list(worker.tasks.values())
        if running:
            await asyncio.wait(running, timeout=GRACE_SECONDS)
        for job in running:
            job.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _runner(job: Task[Any], use_cases: object) -> Callable[..., Awaitable[object]]:
    async def run(ctx: Mapping[str, object], *args: object, **kwargs: object) -> object:
        try:
            return await job.call(use_cases, *args, **kwargs)
        except Exception as error:
            tries = ctx.get("job_try", 1)
            number = tries if isinstance(tries, int) else 1
            log.warning("A job failed.", task=job.name, attempt=number, exc_info=error)
            if number >= job.retries:
                raise
            raise Retry(defer=min(60, 2**number)) from error

    run.__qualname__ = job.name
    return run


def _every(job: Task[Any], run: Callable[..., Awaitable[object]]) -> CronJob:
    seconds = int(job.periodic or 0)
    if 0 < seconds < 60 and 60 % seconds == 0:
        moments: dict[str, set[int]] = {"second": set(range(0, 60, seconds))}
    elif seconds > 0 and seconds % 60 == 0 and 3600 % seconds == 0:
        moments = {"minute": set(range(0, 60, seconds // 60)), "second": {0}}
    else:
        message = f"{job.name}: {job.periodic} seconds do not divide a minute or an hour"
        raise ValueError(message)
    return cron(
        run,  # type: ignore[arg-type]  # arq's protocol wants __qualname__, which `run` has
        name=f"cron:{job.name}",
        timeout=job.timeout,
        max_tries=1,
        keep_result=0,
        **moments,  # type: ignore[arg-type]  # the two keys above
    )
