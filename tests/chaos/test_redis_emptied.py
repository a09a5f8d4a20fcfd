"""Redis is emptied in every way while 300 tasks run: same results, no restart, no long delay."""

import asyncio
import random
import time
from pathlib import Path

import pytest

from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.nemesis import empty_redis
from tests.chaos.run import Site, site
from tests.support.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.slow]

TASKS, HOSTS = 300, 3
MOST_DELAY_SECONDS = 30.0


async def submit_all(built: Site) -> None:
    """A hundred executions on three hosts, each with output and a result of its own."""
    rng = random.Random(3)
    hosts = tuple(sorted(built.hosts))
    gate = asyncio.Semaphore(8)

    async def one(kind: str) -> None:
        async with gate:
            await built.submit(kind, hosts, rng)

    kinds = ["failing" if number % 10 == 0 else "quick" for number in range(TASKS // HOSTS)]
    await asyncio.gather(*(one(kind) for kind in kinds))


async def ended(built: Site) -> int:
    """How many tasks have ended by now."""
    open_ones = "('pending', 'queued', 'offered', 'claimed', 'running')"
    query = f"SELECT count(*) FROM tasks WHERE status NOT IN {open_ones}"  # noqa: S608
    ((count,),) = await built.world.rows("execution", query)
    return int(str(count))


async def test_r26_r27_redis_emptied_in_every_way_changes_no_result(
    tmp_path: Path, db_kind: str
) -> None:
    async with site(tmp_path / "site", db=db_kind, seed=1, agents=HOSTS) as built:
        parts = [part for part in built.world.parts if part != "valkey"]
        pids = {part: built.world.process(part) for part in parts}
        submitting = asyncio.create_task(submit_all(built))
        for number, way in enumerate(["flushall", "groups", "streams", "wiped"], start=1):
            wanted = number * TASKS // 6

            async def reached(wanted: int = wanted) -> bool:
                return await ended(built) >= wanted

            await eventually(reached, timeout=60)
            if way == "wiped":
                await asyncio.to_thread(built.world.kill_valkey, wiped=True)
                await asyncio.to_thread(built.world.revive)
            else:
                await asyncio.to_thread(empty_redis, built.world, way)
        last_fault = time.monotonic()
        await submitting
        await built.settle()
        took = time.monotonic() - last_fault
        verdicts = judge(await gather(built))
        unchanged = {part: built.world.process(part) for part in parts} == pids

    problems = [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]
    assert not problems
    assert unchanged, "a process was restarted"
    assert len(built.history.acknowledged) == TASKS // HOSTS
    assert took <= MOST_DELAY_SECONDS
