"""F1, F2, F4 to F6, F70 and their kin: the platform dies or fails at a named point, once.

And F44, F45, F50, F51: its database or its disk fails for a moment. Whatever it is: the request
that was under way gets one execution under its key, everything ends as it would have, within 30 s,
and each script started once.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from functools import partial

import pytest

from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.run import Site
from tests.support.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.slow]

MOST_DELAY_SECONDS = 30.0
POINTS = {
    "F1 accept.before_commit": "exit",
    "F2 accept.after_commit": "exit",
    "F4 outbox.before_publish": "exit",
    "F5 outbox.after_publish": "exit",
    "F6 claim.after_cas": "exit",
    "F70 result.before_commit": "raise",
    "offer.after_mark": "exit",
    "result.after_commit": "exit",
    "batch.before_ack": "exit",
    "logs.after_append": "exit",
    "logs.after_commit": "exit",
    "downlink.send": "drop",
}


@pytest.mark.parametrize("point", POINTS)
async def test_a_failure_at_this_point_is_only_a_delay(built: Site, point: str) -> None:
    name, rng = point.split()[-1], random.Random(point)
    hosts = tuple(sorted(built.hosts))
    built.world.faults.arm(name, POINTS[point])
    began = time.monotonic()

    operations = await asyncio.gather(
        *(built.submit(kind, hosts, rng) for kind in ("quick", "failing"))
    )
    for operation in operations:
        built.watch(operation)
    await built.settle(patience=60)

    took = time.monotonic() - began
    await asyncio.to_thread(built.world.faults.wait_fired, name)
    verdicts = judge(await gather(built))
    problems = [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]
    assert not problems
    assert took < MOST_DELAY_SECONDS
    assert len({operation.execution_id for operation in operations}) == len(operations)


async def run_and_check(
    built: Site, seed: str, hurt: Callable[[], Coroutine[object, object, None]]
) -> None:
    """Scripts are asked for while the fault lasts; all of them run once, to their own end."""
    hosts, rng = tuple(sorted(built.hosts)), random.Random(seed)
    before = await built.submit("talkative", hosts, rng)
    fault = asyncio.create_task(hurt())
    during = await built.submit("quick", hosts, rng)
    await fault
    await built.settle(patience=60)

    verdicts = judge(await gather(built))
    assert not [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]
    assert [each.seen[-1] for each in (before, during)] == ["success"] * 2


async def test_a_database_that_fails_for_a_moment_is_only_a_delay(built: Site) -> None:
    """F44, F45, F50: on PostgreSQL also a crash, from which it recovers by its log."""
    for way in built.world.database_faults:
        await run_and_check(built, way, partial(built.world.hurt_database, way, 0.5))


async def test_f51_a_full_disk_acknowledges_nothing_and_heals(built: Site) -> None:
    """R42: every write below the data folder fails, also those of databases, logs and Redis."""
    if built.world.liar is None:
        pytest.skip("no C compiler: the disk cannot be made to lie")

    async def fill() -> None:
        refused = built.history.refused_rounds
        built.world.fill_disk()
        try:
            await eventually(lambda: built.history.refused_rounds > refused, timeout=20)
        finally:
            built.world.end_lies()

    await run_and_check(built, "full", fill)
