"""Watchers in the writer's own process: told what is new, they ask for little."""

from collections.abc import Callable

import pytest

from libs.kit.db import Database, Transaction
from tests.services.execution.realtime.watching import Watcher
from tests.support.courier import Agent, Message
from tests.support.execution import Rig
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

Read = Callable[[Transaction], object]


async def started(rig: Rig, *others: int) -> tuple[Agent, str, Message]:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1, *others)
    return agent, execution_id, await rig.courier.start(agent)


async def test_r21_new_output_comes_without_its_file(rig: Rig) -> None:
    """The writer tells those who stand at the end; only those who are behind read."""
    agent, execution_id, order = await started(rig)
    folder, away = rig.folder / "logs", rig.folder / "away"
    async with (
        Watcher(rig, "logs", execution_id) as watcher,
        Watcher(rig, "combined", execution_id, query="stream=stderr") as other,
    ):
        await rig.courier.output(agent, order, ("stdout", 0, 0, b"one\n"))
        events = [await watcher.next()]
        folder.rename(away)
        await rig.courier.output(agent, order, ("stdout", 1, 4, b"two\n"))
        events.append(await watcher.next())
        await rig.courier.output(agent, order, ("stderr", 0, 0, b"no\n"))
        events.append(await watcher.next())
        while (told := await other.next())["event"] != "log":
            pass
        away.rename(folder)
        async with Watcher(rig, "logs", execution_id) as late:
            again = [await late.next() for _ in range(3)]

    assert [event["data"]["text"] for event in events] == ["one\n", "two\n", "no\n"]  # type: ignore[index]
    assert [event["data"]["text"] for event in again] == ["one\n", "two\n", "no\n"]  # type: ignore[index]
    assert again[-1]["id"] == events[-1]["id"]
    assert told["data"]["text"] == "no\n"  # type: ignore[index]


async def test_r21_large_output_comes_as_it_was_stored(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    pieces = [bytes([97 + number]) * size for number, size in enumerate((5, 60_000, 5, 60_000, 5))]
    async with Watcher(rig, "logs", execution_id) as watcher:
        offset = 0
        for seq, piece in enumerate(pieces):
            await rig.courier.output(agent, order, ("stdout", seq, offset, piece))
            offset += len(piece)
            await rig.courier.expect(agent, "ack")
        await rig.courier.result(agent, order, stdout=b"".join(pieces))
        seen = [event["data"] async for event in watcher.all()]

    assert "".join(str(data["text"]) for data in seen[:-1]).encode() == b"".join(pieces)  # type: ignore[index]


async def test_who_watches_the_output_alone_looks_at_nothing_before_the_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.execution.realtime.service.POLL_SECONDS", 60.0)
    looks: list[str] = []
    read = Database.read

    async def counted(database: Database, asks: Read) -> object:
        looks.extend(name for name in [_name(asks)] if "_look" in name)
        return await read(database, asks)

    second = rig.agent(2)
    agent, execution_id, order = await started(rig, 2)
    async with Watcher(rig, "logs", execution_id) as watcher:
        await rig.courier.output(agent, order, ("stdout", 0, 0, b"one\n"))
        await watcher.next()
        with monkeypatch.context() as counting:
            counting.setattr(Database, "read", counted)
            await rig.courier.result(agent, order, stdout=b"one\n")
            await rig.courier.connect(second)
            last = await rig.courier.start(second)
            await eventually(lambda: _is_stored(rig, execution_id, "host-1"))
            before = list(looks)
        async with Watcher(rig, "status", execution_id) as late:
            states: set[str] = set()
            while not {"success", "running"} <= states:
                states |= {str(row["status"]) for row in _tasks(await late.next())}
        await rig.courier.result(second, last)
        end = await watcher.next()

    assert before == []
    assert end["event"] == "end"


async def _is_stored(rig: Rig, execution_id: str, host: str) -> bool:
    steps = (await rig.show(execution_id))["steps"]
    assert isinstance(steps, list)
    (task,) = [task for step in steps for task in step["tasks"] if task["host_name"] == host]
    return bool(task["log_status"] == "complete")


def _tasks(event: Message) -> list[Message]:
    data = event["data"]
    assert isinstance(data, dict)
    return list(data["tasks"])


def _name(asks: Read) -> str:
    """Which use case asks: the reader is a closure over it."""
    cells = getattr(asks, "__closure__", None) or ()
    return " ".join(getattr(cell.cell_contents, "__name__", "") for cell in cells)
