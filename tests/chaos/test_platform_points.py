"""F1, F2, F4 to F6, F70 and their kin: the platform dies or fails at a named point, once.

Whatever the point: the request that was under way gets one execution under its key, everything
ends as it would have, within 30 s, and each script started once.
"""

import asyncio
import random
import time

import pytest

from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.run import Site

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
