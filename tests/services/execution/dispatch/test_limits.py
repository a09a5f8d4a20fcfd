"""Limits of hosts, users and executions, and the order of the queue, through the doors."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from libs.kit.db import Transaction
from libs.kit.redis import Redis
from services.execution.app import service
from services.execution.downlink.service import Downlink
from services.execution.models import Task
from tests.support.courier import Agent, Message
from tests.support.database import Declared
from tests.support.execution import Neighbours, Rig, operator, running
from tests.support.runs import fleet, offered, start, tasks_of, waits, work
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

Limits = Callable[..., None]


class Witness:
    """Looks at all tasks again and again, each time at one instant; keeps the largest numbers."""

    def __init__(self, rig: Rig) -> None:
        self._db = rig.app.state.database
        self.most: Counter[str] = Counter()
        self.looks = 0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.most |= await self._db.read(self._look)
            self.looks += 1

    def _look(self, tx: Transaction) -> Counter[str]:
        rows = tx.execute(
            select(Task.agent_id, Task.user_id, Task.execution_id).where(
                Task.status.in_(["offered", "claimed", "running"])
            )
        ).all()
        names = ("host", "user", "execution")
        counts = [Counter(row[place] for row in rows) for place in range(3)]
        return Counter({n: max(c.values(), default=0) for n, c in zip(names, counts, strict=True)})


@asynccontextmanager
async def watching(rig: Rig) -> AsyncIterator[Witness]:
    """Somebody looks for the whole block, at least once at its end."""
    witness = Witness(rig)
    looking = asyncio.create_task(witness.watch())
    try:
        yield witness
        before = witness.looks
        await eventually(lambda: witness.looks > before)
    finally:
        looking.cancel()


async def drain(rig: Rig, agents: list[Agent], total: int) -> None:
    """Let the agents work off so many tasks; an agent takes all that it was offered."""
    left = total
    async with asyncio.timeout(60):
        while left:
            for agent in agents:
                orders = [await start(rig, agent) for _ in await offered(rig, agent)]
                for order, epoch in orders:
                    await rig.courier.result(agent, order, epoch=epoch)
                left -= len(orders)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """Sets limits of a service that is started afterwards."""
    monkeypatch.setenv("OPSJOB_EXECUTION_SWEEP_SECONDS", "0.05")

    def choose(**values: int) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"OPSJOB_EXECUTION_TASKS_PER_{name.upper()}", str(value))

    return choose


@pytest.mark.parametrize("replicas", [1, 2])
async def test_r17_no_limit_is_passed_at_any_instant(
    limits: Limits,
    replicas: int,
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
) -> None:
    limits(host=2, user=5, execution=3)
    url, neighbours = database_url(service), Neighbours()
    async with (
        running(url, redis_url, tmp_path, neighbours) as rig,
        running(url, redis_url, tmp_path, neighbours) if replicas == 2 else _nobody(),
        watching(rig) as witness,
    ):
        agents = await fleet(rig, 4)
        ids = [await rig.run(1, 2, 3, 4, by=operator(7 + n % 2)) for n in range(6)]

        await drain(rig, agents, 24)

        for execution_id in ids:
            await rig.until(execution_id, "success", seconds=30)
    most = witness.most
    assert most["host"] == 2
    assert 2 <= most["execution"] <= 3 <= most["user"] <= 5


@asynccontextmanager
async def _nobody() -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize(
    ("limit", "code"),
    [("host", "host_limit"), ("user", "user_limit"), ("execution", "execution_limit")],
)
async def test_what_a_limit_keeps_back_says_so_and_comes_when_there_is_room(
    limits: Limits,
    limit: str,
    code: str,
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
) -> None:
    limits(**{limit: 1})
    async with running(database_url(service), redis_url, tmp_path) as rig:
        (agent,) = await fleet(rig, 1)
        await rig.launch({}, target_host_ids=[1])
        order, epoch = await start(rig, agent)
        if limit == "execution":
            await fleet(rig, 2)
            second = await rig.launch({}, target_host_ids=[1, 2])
        else:
            second = await rig.launch({}, target_host_ids=[1])

        async def kept_back() -> bool:
            return code in {waits(task) for task in tasks_of(await rig.show(second))}

        await eventually(kept_back)
        await rig.courier.result(agent, order, epoch=epoch)
        if limit != "execution":
            await work(rig, agent)
            await rig.until(second, "success")


async def test_a_free_place_goes_to_the_most_urgent_though_others_were_looked_at_before(
    limits: Limits,
    monkeypatch: pytest.MonkeyPatch,
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
) -> None:
    limits(user=2)
    find, looking, going_on = Downlink.gateways, Counter[str](), asyncio.Event()
    going_on.set()

    async def held(downlink: Downlink, agent_ids: Iterable[str]) -> dict[str, str]:
        wanted = set(agent_ids)
        if wanted:
            looking["looks"] += not going_on.is_set()
            await going_on.wait()
        return await find(downlink, wanted)

    monkeypatch.setattr(Downlink, "gateways", held)
    async with running(database_url(service), redis_url, tmp_path) as rig:
        agents = await fleet(rig, 2)
        first = await rig.run(1, 2)
        busy = [(agent, await start(rig, agent)) for agent in agents]
        going_on.clear()
        await rig.launch({}, target_host_ids=[1, 2], priority=5)
        await eventually(lambda: looking["looks"] == 2)  # once as it is stored, once by dispatch
        urgent = await rig.launch({}, target_host_ids=[1, 2], priority=1)
        for agent, (order, epoch) in busy:
            await rig.courier.result(agent, order, epoch=epoch)
        await rig.until(first, "success")
        going_on.set()

        orders = [(await start(rig, agent))[0] for agent in agents]

        assert [order["execution_id"] for order in orders] == [urgent, urgent]


async def test_urgent_executions_go_first_and_late_ones_last(
    limits: Limits,
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
) -> None:
    limits(user=2)
    async with running(database_url(service), redis_url, tmp_path) as rig:
        agents = await fleet(rig, 2)
        await rig.run(1, 2)
        busy = [(agent, await start(rig, agent)) for agent in agents]
        names = {}
        for name, priority in (("late", 9), ("large", 5), ("small", 5), ("urgent", 1)):
            names[await rig.launch({}, target_host_ids=[1, 2], priority=priority)] = name
        for agent, (order, epoch) in busy:
            await rig.courier.result(agent, order, epoch=epoch)

        came: list[list[str]] = []
        for _ in range(4):
            held: list[tuple[Agent, tuple[Message, object]]] = []
            while len(held) < 2:
                for agent in agents:
                    if await offered(rig, agent):
                        held.append((agent, await start(rig, agent)))
            came.append([names[str(order["execution_id"])] for _, (order, _) in held])
            for agent, (order, epoch) in held:
                await rig.courier.result(agent, order, epoch=epoch)

        assert came[0] == ["urgent", "urgent"]
        assert sorted([*came[1], *came[2]]) == ["large", "large", "small", "small"]
        assert came[3] == ["late", "late"]
