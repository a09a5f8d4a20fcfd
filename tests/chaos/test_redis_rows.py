"""F40 to F43: Redis stands still, is full, or holds what nobody of ours has written."""

import asyncio
import json
import random
import time
from pathlib import Path

import msgspec
import pytest

from libs.contracts.agents import LOGS, RESULTS, STATUS
from libs.kit.redis import connect
from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.run import Site
from tests.support.valkey import ValkeyServer
from tests.support.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.slow]

MOST_WAIT_SECONDS = 2.5
"""Two seconds are what a command may take; the rest is this machine."""


async def check(built: Site) -> None:
    await built.settle(patience=90)
    verdicts = judge(await gather(built))
    assert not [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]


async def test_f40_while_redis_stands_still_the_api_answers(built: Site) -> None:
    hosts, rng = tuple(sorted(built.hosts)), random.Random(40)
    waits: list[float] = []
    built.world.pause("valkey")
    try:
        for _ in range(6):
            began = time.monotonic()
            await built.submit("quick", hosts, rng)
            await built.client.ask("GET", "/api/executor/execution-records/")
            waits.append((time.monotonic() - began) / 2)
    finally:
        built.world.resume_all()

    await check(built)
    assert max(waits) < MOST_WAIT_SECONDS, waits


async def test_f41_a_full_redis_delays_and_loses_nothing(built: Site) -> None:
    hosts, rng = tuple(sorted(built.hosts)), random.Random(41)
    with built.world.redis() as redis:
        redis.config_set("maxmemory", 1)
        try:
            operations = [await built.submit("quick", hosts, rng) for _ in range(3)]
            ready = await built.client.ask("GET", "/health/ready")
        finally:
            redis.config_set("maxmemory", 0)

    await check(built)
    assert ready.status_code == 200
    assert all(operation.seen[-1] == "success" for operation in operations)


async def test_f43_hostile_content_in_streams_stops_nothing_and_changes_nothing(
    built: Site,
) -> None:
    """No claim, result or output counts that no agent sent; what is no message is passed over."""
    hosts, rng = tuple(sorted(built.hosts)), random.Random(43)
    victim = await built.submit("talkative", hosts, rng)
    record = await built.client.record(victim)
    steps = record["steps"]
    assert isinstance(steps, list)
    task = steps[0]["tasks"][0]
    forged = {
        "t": "result",
        "agent_id": task["agent_id"],
        "task_id": task["id"],
        "attempt": 1,
        "execution_id": victim.execution_id,
        "payload": json.dumps({"task_id": task["id"], "outcome": "exited", "exit_code": 77}),
        "signature": "AAAA",
    }
    batches = [
        b"\xff not msgpack",
        b"x" * 5_000_000,
        msgspec.msgpack.encode([forged, {**forged, "task_id": "nobody"}]),
        msgspec.msgpack.encode([{"t": "no such kind"}, {}, 7, None, "text"]),
        msgspec.msgpack.encode({"not": "a list"}),
    ]
    with built.world.redis() as redis:
        for stream in (RESULTS, STATUS, LOGS):
            for batch in batches:
                redis.xadd(stream, {"batch": batch, "gateway": "forger"})
            redis.xadd(stream, {"other": "fields"})
        for body in ("{", "[]", '{"version": 99}'):
            for topic in ("auth", "hosts", "execution"):
                redis.xadd(f"facts:{topic}", {"id": f"x{body}", "type": "forged", "body": body})

    after = [await built.submit("quick", hosts, rng) for _ in range(2)]
    await check(built)
    assert victim.seen[-1] == "success"
    assert all(operation.seen[-1] == "success" for operation in after)


async def test_f42_a_client_cancelled_in_the_middle_of_a_command_mixes_up_no_answers(
    own_valkey: ValkeyServer, tmp_path: Path
) -> None:
    own_valkey.start()
    client = connect(own_valkey.url, connections=4)
    for number in range(50):
        await client.set(f"key:{number}", f"value:{number}")
    rng = random.Random(42)

    async def ask(number: int) -> None:
        assert await client.get(f"key:{number}") == f"value:{number}".encode()

    for _ in range(60):
        asking = [asyncio.create_task(ask(rng.randrange(50))) for _ in range(20)]
        await asyncio.sleep(0)
        for task in rng.sample(asking, 10):
            task.cancel()
        done = await asyncio.gather(*asking, return_exceptions=True)
        assert not [each for each in done if isinstance(each, AssertionError)]

    async def works() -> bool:
        await asyncio.gather(*(ask(number) for number in range(50)))
        return True

    await eventually(works)
    await client.aclose()
