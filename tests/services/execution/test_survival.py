"""What was acknowledged outlives restarts of the service and everything that Redis forgets."""

from collections.abc import Callable
from pathlib import Path

import pytest

from libs.kit.redis import Redis
from services.execution.app import service
from tests.support.database import Declared
from tests.support.execution import Neighbours, Rig, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def test_r26_r27_work_goes_on_after_redis_forgot_everything(rig: Rig, redis: Redis) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.until_task(execution_id, status="running")

    await redis.flushall()
    await rig.courier.connect(agent, again=True)

    async def accepted() -> bool:
        await rig.courier.result(agent, order)
        return (await rig.show(execution_id))["status"] == "success"

    await eventually(accepted, timeout=20)


async def test_r2_what_was_acknowledged_survives_a_restart(
    database_url: Callable[[Declared], str], redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    url, neighbours = database_url(service), Neighbours()
    async with running(url, redis_url, tmp_path, neighbours) as rig:
        agent = rig.agent()
        execution_id = await rig.run(1)

    async with running(url, redis_url, tmp_path, neighbours) as rig:
        await rig.courier.connect(agent)
        order = await rig.courier.start(agent)
        await rig.courier.result(agent, order)

        await rig.until(execution_id, "success")


async def test_redis_down_never_fails_a_submit(
    database_url: Callable[[Declared], str], tmp_path: Path
) -> None:
    nowhere = f"unix://{tmp_path}/nobody.sock"
    async with running(database_url(service), nowhere, tmp_path) as rig:
        rig.agent()

        answer = await rig.post([1])

        assert answer.status_code == 201
