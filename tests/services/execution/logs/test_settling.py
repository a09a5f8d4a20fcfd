"""An output is called complete by the commit that completes it, be it a result's or its own."""

from collections.abc import Callable

import pytest

from libs.kit.db import Database, Transaction
from tests.services.execution.realtime.watching import Watcher
from tests.support.courier import Agent, Message
from tests.support.execution import Rig

pytestmark = pytest.mark.anyio

Work = Callable[[Transaction], object]


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The use cases that have written."""
    names: list[str] = []
    write = Database.write

    async def noted(database: Database, work: Work) -> object:
        cells = getattr(work, "__closure__", None) or ()
        names.extend(getattr(cell.cell_contents, "__name__", "") for cell in cells)
        return await write(database, work)

    monkeypatch.setattr(Database, "write", noted)
    return names


async def started(rig: Rig) -> tuple[Agent, str, Message]:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    return agent, execution_id, await rig.courier.start(agent)


@pytest.mark.parametrize("text", [b"said\n", b""], ids=["output", "silence"])
async def test_r18_a_result_whose_output_is_stored_says_that_it_is_complete(
    rig: Rig, commits: list[str], text: bytes
) -> None:
    agent, execution_id, order = await started(rig)
    async with Watcher(rig, "status", execution_id) as watcher:
        if text:
            await rig.courier.output(agent, order, ("stdout", 0, 0, text))
            await rig.courier.expect(agent, "ack")
        await rig.courier.result(agent, order, stdout=text)
        seen = [_standing(event) async for event in watcher.all()]

    assert ("success", "live") not in seen
    assert ("success", "complete") in seen
    assert "_settled" not in commits


async def test_r18_output_that_comes_after_its_result_says_itself_that_it_is_complete(
    rig: Rig, commits: list[str]
) -> None:
    agent, execution_id, order = await started(rig)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"one\n"))
    await rig.courier.result(agent, order, stdout=b"one\ntwo\n", stderr=b"three\n")
    await rig.until_task(execution_id, status="success", log_status="live")
    await rig.courier.output(agent, order, ("stdout", 1, 4, b"two\n"))
    await rig.courier.expect(agent, "ack")
    await rig.until_task(execution_id, log_status="live")

    await rig.courier.output(agent, order, ("stderr", 0, 0, b"three\n"))
    await rig.until_task(execution_id, log_status="complete")
    await rig.courier.output(agent, order, ("stderr", 0, 0, b"three\n"))
    await rig.courier.output(agent, order, ("stderr", 1, 6, b""))
    await rig.courier.expect(agent, "ack")

    assert "_settled" not in commits


async def test_r18_an_output_with_another_hash_is_not_completed_by_its_result(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"fake\n"))
    await rig.courier.expect(agent, "ack")

    await rig.courier.result(agent, order, stdout=b"real\n")

    await rig.until_task(execution_id, log_status="gap")


def _standing(event: Message) -> tuple[str, str]:
    data = event["data"]
    assert isinstance(data, dict)
    tasks = data.get("tasks") or [{"status": "", "log_status": ""}]
    return str(tasks[0]["status"]), str(tasks[0]["log_status"])
