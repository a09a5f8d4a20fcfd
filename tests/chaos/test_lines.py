"""F16 to F20: lines that are half-open, flap, drop, crawl, repeat, shuffle, break and lie."""

import asyncio
import random
import time

import pytest

from tests.chaos.checker import judge
from tests.chaos.evidence import gather
from tests.chaos.history import Operation
from tests.chaos.proxy import Toxics
from tests.chaos.run import Site
from tests.support.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.long]

HURT_SECONDS = 6.0
BAD = {
    "F18 a fifth of all messages dropped": Toxics(drop=0.2),
    "F19 every message twice, shuffled within 20": Toxics(duplicate=1.0, window=20),
    "F19 old messages come again": Toxics(replay=0.5),
    "F20 in slices of one byte": Toxics(slice_bytes=1),
    "F20 broken in the middle of messages": Toxics(cut=0.02),
}


def heal(built: Site) -> None:
    for proxy in built.proxies:
        proxy.heal()


def mangle(built: Site, up: Toxics, down: Toxics) -> None:
    for proxy in built.proxies:
        proxy.mangle(up, down)


async def run_all(built: Site, seed: str, kinds: tuple[str, ...]) -> list[Operation]:
    hosts, rng = tuple(sorted(built.hosts)), random.Random(seed)
    return list(await asyncio.gather(*(built.submit(kind, hosts, rng) for kind in kinds)))


async def check(built: Site) -> None:
    """Everything that was ever asked of this platform has ended as it must."""
    await built.settle(patience=90)
    verdicts = judge(await gather(built))
    assert not [f"{v.name}: {problem}" for v in verdicts for problem in v.problems]


@pytest.mark.parametrize("line", BAD)
async def test_a_bad_line_changes_no_result_and_no_byte(built: Site, line: str) -> None:
    mangle(built, BAD[line], BAD[line])
    try:
        await run_all(built, line, ("quick", "talkative", "failing", "binary"))
        await built.settle(patience=HURT_SECONDS)
    finally:
        heal(built)

    await check(built)
    assert any(proxy.witness.deeds for proxy in built.proxies) or BAD[line].slice_bytes


async def test_f17_a_line_that_flaps_is_used_whenever_it_is_up(built: Site) -> None:
    """Up and down each second; the output moves on, and reconnecting is no storm."""
    sessions = sum(proxy.witness.kinds["hello"] for proxy in built.proxies)
    (operation,) = await run_all(built, "flap", ("talkative",))
    began = time.monotonic()
    for _ in range(3):
        for proxy in built.proxies:
            proxy.is_refusing = True
            proxy.cut_all()
        await asyncio.sleep(1.0)
        for proxy in built.proxies:
            proxy.is_refusing = False
        await asyncio.sleep(1.0)
    took = time.monotonic() - began

    await check(built)
    again = sum(proxy.witness.kinds["hello"] for proxy in built.proxies) - sessions
    assert again <= took / 0.5 * len(built.agents)
    assert operation.seen[-1] == "success"


async def test_f16_a_half_open_line_is_noticed_by_both_and_replaced(built: Site) -> None:
    """Nothing passes and no FIN comes: three heartbeats later the agent is elsewhere or back."""
    hellos = sum(proxy.witness.kinds["hello"] for proxy in built.proxies)
    for proxy in built.proxies:
        proxy.freeze()
    try:
        operations = await run_all(built, "half", ("quick",))

        async def unreachable() -> bool:
            answer = await built.client.ask("GET", "/api/hosts/", params={"page_size": 200})
            rows = answer.json()["content"]["results"]
            return all(row["agent_status"] != "online" for row in rows)

        await eventually(unreachable, timeout=30)
    finally:
        heal(built)
    await eventually(
        lambda: sum(proxy.witness.kinds["hello"] for proxy in built.proxies) > hellos, timeout=60
    )

    await check(built)
    assert all(operation.seen[-1] == "success" for operation in operations)


async def test_f18_a_slow_line_full_of_output_starves_no_heartbeat(built: Site) -> None:
    """64 KiB/s for megabytes of output: nobody looks absent, and all of it arrives later."""
    slow = Toxics(bytes_per_second=64 * 1024)
    mangle(built, slow, slow)
    states: set[str] = set()
    try:
        await run_all(built, "slow line", ("large", "large"))
        for _ in range(12):
            answer = await built.client.ask("GET", "/api/hosts/", params={"page_size": 200})
            states |= {row["agent_status"] for row in answer.json()["content"]["results"]}
            await asyncio.sleep(0.5)
    finally:
        heal(built)

    await check(built)
    assert states == {"online"}


async def test_a_line_that_lies_is_never_believed(built: Site) -> None:
    """A changed byte ends the session, or the signature or the hash of the output tells."""
    hosts, rng = tuple(sorted(built.hosts)), random.Random("lies")
    mangle(built, Toxics(spoil=0.03), Toxics())
    try:
        operations = [await built.submit("talkative", hosts, rng)]
        await built.settle(patience=HURT_SECONDS)
    finally:
        heal(built)
    await built.settle(patience=90)
    evidence = await gather(built)

    asked = {operation.execution_id for operation in operations}
    tasks = [task for task in evidence.tasks.values() if task["execution_id"] in asked]
    assert tasks
    for task in tasks:
        stream = (str(task["id"]), 1, "stdout")
        found = evidence.stored[str(task["execution_id"])]
        wanted = next(o for o in operations if o.execution_id == task["execution_id"]).plan.stdout
        is_exact = found.streams[stream] == wanted and not found.gaps[stream]
        assert task["status"] == "success"
        assert is_exact or task["log_status"] == "gap", "a changed byte in a log called complete"
    built.history.operations[:] = [o for o in built.history.operations if o not in operations]
