"""Background jobs on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libs.kit.queue import Jobs, Queue, task
from libs.kit.redis import Redis, connect
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually


class Reports:
    """The use cases that the jobs of the tests call."""

    def __init__(self) -> None:
        self.made: list[tuple[int, str]] = []
        self.ticks = 0
        self.failures = 0

    async def make(self, report_id: int, language: str) -> None:
        if self.failures:
            self.failures -= 1
            message = "not yet"
            raise ValueError(message)
        self.made.append((report_id, language))

    async def tick(self) -> None:
        self.ticks += 1


@task(retries=3, timeout=5)
async def make_report(reports: Reports, report_id: int, language: str = "en") -> None:
    await reports.make(report_id, language)


@task(periodic=1)
async def tick(reports: Reports) -> None:
    await reports.tick()


@asynccontextmanager
async def working(redis: Redis, reports: Reports) -> AsyncIterator[None]:
    jobs = Jobs(redis, [(job, {Reports: reports}) for job in (make_report, tick)])
    loop = asyncio.create_task(jobs.run())
    try:
        yield
        assert not loop.done()
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)


@pytest.fixture
def reports() -> Reports:
    return Reports()


async def test_a_job_runs_with_its_arguments(redis: Redis, reports: Reports) -> None:
    queue = Queue(redis)
    async with working(redis, reports):
        assert await queue.enqueue(make_report, 7)
        assert await queue.enqueue(make_report, 8, language="zh")
        await eventually(lambda: sorted(reports.made) == [(7, "en"), (8, "zh")])


async def test_the_same_job_waits_once_and_can_be_asked_for_again(
    redis: Redis, reports: Reports
) -> None:
    queue = Queue(redis)
    assert await queue.enqueue(make_report, 7)
    assert not await queue.enqueue(make_report, 7)
    async with working(redis, reports):
        await eventually(lambda: reports.made == [(7, "en")])
        await eventually(lambda: queue.enqueue(make_report, 7))
        await eventually(lambda: len(reports.made) == 2)


async def test_a_failed_job_is_tried_again(redis: Redis, reports: Reports) -> None:
    reports.failures = 1
    await Queue(redis).enqueue(make_report, 7)

    async with working(redis, reports):
        await eventually(lambda: reports.made == [(7, "en")])


async def test_periodic_work_runs_by_itself(redis: Redis, reports: Reports) -> None:
    async with working(redis, reports):
        await eventually(lambda: reports.ticks >= 2)


async def test_redis_down_does_not_fail_the_one_who_asks(tmp_path: Path) -> None:
    redis = connect(f"unix://{tmp_path}/nobody.sock")

    assert not await Queue(redis).enqueue(make_report, 7)


async def test_the_worker_survives_a_killed_server(
    reports: Reports, own_valkey: ValkeyServer
) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    async with working(redis, reports):
        await Queue(redis).enqueue(make_report, 1)
        await eventually(lambda: reports.made == [(1, "en")])
        own_valkey.kill()
        own_valkey.start()
        await eventually(lambda: Queue(redis).enqueue(make_report, 2))
        await eventually(lambda: reports.made == [(1, "en"), (2, "en")])
    await redis.aclose()


async def test_a_period_that_does_not_fit_is_refused(redis: Redis) -> None:
    @task(periodic=7)
    async def odd(reports: Reports) -> None: ...

    with pytest.raises(ValueError, match="divide"):
        Jobs(redis, [(odd, {Reports: Reports()})])


def test_a_job_names_its_use_cases() -> None:
    with pytest.raises(TypeError, match="use cases"):

        @task()
        async def nameless(reports) -> None:  # type: ignore[no-untyped-def]  # the point
            ...
