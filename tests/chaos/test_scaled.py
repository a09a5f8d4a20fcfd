"""F14 and F55 on the scaled profile: a gateway stands still, every part comes anew in any order."""

import asyncio
import random
from collections.abc import AsyncIterator

import psutil
import pytest

from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.run import Site, site
from tests.chaos.world import Scaled
from tests.support.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
async def scaled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Two agent gateways, and an agent that begins at each."""
    folder = tmp_path_factory.mktemp("scaled")
    async with site(folder, db="postgres", seed=1, agents=2) as made:
        yield made


async def check(built: Site) -> None:
    await built.settle(patience=90)
    verdicts = judge(await gather(built))
    assert not [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]


async def test_f14_agents_leave_a_gateway_that_stands_still_and_its_old_sessions_count_no_more(
    scaled: Site,
) -> None:
    hosts, rng = tuple(sorted(scaled.hosts)), random.Random(14)
    during = await scaled.submit("talkative", hosts, rng)
    right = scaled.proxies[1].witness.kinds
    before = right["hello"]
    scaled.world.pause("left")
    try:
        await eventually(lambda: right["hello"] > before, timeout=60)
        moved = await scaled.submit("quick", hosts, rng)
    finally:
        scaled.world.resume_all()
    after = await scaled.submit("quick", hosts, rng)

    await check(scaled)
    assert [each.seen[-1] for each in (during, moved, after)] == ["success"] * 3


@pytest.mark.parametrize("order", [1, 2, 3])
async def test_f55_killed_altogether_and_started_in_any_order_it_converges(
    scaled: Site, order: int
) -> None:
    """Scripts run on meanwhile; what was acknowledged ends as it would have (R37)."""
    world = scaled.world
    assert isinstance(world, Scaled)
    hosts, rng = tuple(sorted(scaled.hosts)), random.Random(f"order {order}")
    operations = [await scaled.submit("talkative", hosts, rng) for _ in range(2)]
    parts = [*world.parts]
    rng.shuffle(parts)
    dead = [process for part in parts if (process := world.process(part)) is not None]
    for part in parts:
        world.kill(part)
    await asyncio.to_thread(psutil.wait_procs, dead, 10)

    for part in parts:
        await asyncio.to_thread(world.start_part, part)

    await scaled.wait_online()
    await check(scaled)
    assert [operation.seen[-1] for operation in operations] == ["success"] * 2
