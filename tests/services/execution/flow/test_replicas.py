"""Two engines on one database: what is due happens once, whoever looks first."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from libs.contracts.execution import ExecutionFinished
from libs.kit.db import Transaction
from libs.kit.db.tables import outbox
from libs.kit.redis import Redis
from services.execution.app import service
from services.execution.flow.service import Flow
from services.execution.settings import ExecutionSettings
from tests.support.database import Declared
from tests.support.execution import Neighbours, Rig, running
from tests.support.runs import fleet, listed, offered, start, steps_of, tasks_of, work
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
async def both(
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Rig, Rig]]:
    """Two replicas of the service, which look for what is due all the time."""
    monkeypatch.setattr("services.execution.consumers.TICK_SECONDS", 0.05)
    monkeypatch.setenv("OPSJOB_EXECUTION_SWEEP_SECONDS", "0.05")
    url, neighbours = database_url(service), Neighbours()
    async with (
        running(url, redis_url, tmp_path, neighbours) as one,
        running(url, redis_url, tmp_path, neighbours) as two,
    ):
        yield one, two


async def test_r13_a_retry_that_is_due_begins_once(both: tuple[Rig, Rig]) -> None:
    rig, _ = both
    agents = await fleet(rig, 3)
    ids = [
        await rig.launch({"retries": 5, "retry_delay_seconds": 1}, target_host_ids=[1, 2, 3])
        for _ in range(3)
    ]
    attempts: list[object] = []
    for exit_code in (1, 0):
        for agent in agents:
            attempts += [(await work(rig, agent, exit_code=exit_code))["attempt"] for _ in ids]

    for execution_id in ids:
        shown = await rig.until(execution_id, "success", seconds=20)
        assert [task["attempt"] for task in tasks_of(shown)] == [2, 2, 2]
    assert Counter(attempts) == {1: 9, 2: 9}


async def test_batches_with_a_delay_follow_each_other_one_at_a_time(both: tuple[Rig, Rig]) -> None:
    rig, _ = both
    agents = await fleet(rig, 3)
    strategy = {"mode": "rolling", "batch_size": 1, "batch_delay_seconds": 1}
    execution_id = await rig.launch({}, target_host_ids=[1, 2, 3], strategy=strategy)

    for place, agent in enumerate(agents):
        order, epoch = await start(rig, agent)
        for later in agents[place + 1 :]:
            assert not await offered(rig, later)
        await rig.courier.result(agent, order, epoch=epoch)

    await rig.until(execution_id, "success")


async def test_looks_at_the_same_instant_decide_once(both: tuple[Rig, Rig]) -> None:
    """Ten engines advance an execution together: one decision, one end, one fact."""
    rig, other = both
    agents = await fleet(rig, 2)
    flow = Flow(ExecutionSettings())
    execution_id = await rig.launch({"name": "a"}, {"name": "b"}, target_host_ids=[1, 2])

    def advance(tx: Transaction) -> bool:
        return flow.advance(tx, execution_id)

    async def storm() -> None:
        replicas = [rig.app.state.database, other.app.state.database] * 5
        await asyncio.gather(*(database.write(advance) for database in replicas))

    for agent in [*agents, *agents]:
        await asyncio.gather(storm(), work(rig, agent), storm())

    shown = await rig.until(execution_id, "success")
    assert [len(listed(step["tasks"])) for step in steps_of(shown).values()] == [2, 2]
    assert {task["attempt"] for task in tasks_of(shown)} == {1}

    async def settled() -> bool:
        tasks = tasks_of(await rig.show(execution_id))
        return not any(task["log_status"] == "live" for task in tasks)

    await eventually(settled)
    before = await rig.show(execution_id)
    await storm()
    assert await rig.show(execution_id) == before
    facts = await rig.app.state.database.read(
        lambda tx: tx.execute(outbox.select().where(outbox.c.type == ExecutionFinished.type)).all()
    )
    assert len(facts) == 1
