"""Live streams: everything once and in order, resumed exactly, ended clearly."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from libs.kit.db import Database
from libs.kit.errors import Unavailable
from libs.kit.redis import Redis
from services.execution.app import service
from tests.services.execution.realtime.watching import Watcher
from tests.support.courier import Agent, Message
from tests.support.database import Declared
from tests.support.execution import Neighbours, Rig, operator, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def started(rig: Rig) -> tuple[Agent, str, Message]:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    return agent, execution_id, await rig.courier.start(agent)


async def test_r21_a_watcher_sees_output_live_and_then_the_end(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    async with Watcher(rig, "logs", execution_id) as watcher:
        await rig.courier.output(agent, order, ("stdout", 0, 0, b"one\n"))
        first = await watcher.next()
        await rig.courier.output(agent, order, ("stderr", 0, 0, b"two\n"))
        second = await watcher.next()
        await rig.courier.result(agent, order, stdout=b"one\n", stderr=b"two\n")
        last = await watcher.next()

    assert first["event"] == "log"
    assert first["data"] == {
        "host": "host-1",
        "host_id": 1,
        "step_id": (await rig.task(execution_id))["step_id"],
        "task_id": order["task_id"],
        "attempt": 1,
        "stream": "stdout",
        "seq": 0,
        "offset": 0,
        "text": "one\n",
    }
    assert second["data"] == first["data"] | {"stream": "stderr", "text": "two\n"}
    assert (last["event"], last["data"]) == ("end", {"status": "success"})


async def test_r21_every_id_resumes_exactly_behind_its_event(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    for seq in range(15):
        await rig.courier.output(agent, order, ("stdout", seq, seq * 5, b"line\n"))
        await rig.courier.output(agent, order, ("stderr", seq, seq * 4, b"err\n"))
    await rig.courier.result(agent, order, stdout=b"line\n" * 15, stderr=b"err\n" * 15)
    await rig.until_task(execution_id, log_status="complete")
    async with Watcher(rig, "logs", execution_id) as watcher:
        whole = [event async for event in watcher.all()]

    for cut in range(0, len(whole), 7):
        async with Watcher(
            rig, "logs", execution_id, **{"Last-Event-ID": str(whole[cut]["id"])}
        ) as again:
            rest = [event async for event in again.all()]
        assert rest == whole[cut + 1 :] or whole[cut]["event"] == "end"
    assert [event["data"]["seq"] for event in whole[:-1:2]] == list(range(15))  # type: ignore[index]


async def test_small_pieces_of_one_stream_come_as_one_event(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    lines = [f"line {number}\n".encode() for number in range(300)]
    offset = 0
    for seq, line in enumerate(lines):
        await rig.courier.output(agent, order, ("stdout", seq, offset, line))
        offset += len(line)
    await rig.courier.result(agent, order, stdout=b"".join(lines))
    await rig.until_task(execution_id, log_status="complete")

    async with Watcher(rig, "logs", execution_id) as watcher:
        whole = [event async for event in watcher.all()]

    assert "".join(event["data"].get("text", "") for event in whole) == b"".join(lines).decode()  # type: ignore[attr-defined]
    assert len(whole) == 2


async def test_a_stream_shows_only_the_host_the_step_and_the_stream_that_is_wanted(
    rig: Rig,
) -> None:
    agents = [rig.agent(number) for number in (1, 2)]
    for agent in agents:
        await rig.courier.connect(agent)
    execution_id = await rig.run(1, 2)
    for agent in agents:
        order = await rig.courier.start(agent)
        text = f"out of {agent.number}\n".encode()
        await rig.courier.output(agent, order, ("stdout", 0, 0, text), ("stderr", 0, 0, b"e\n"))
        await rig.courier.result(agent, order, stdout=text, stderr=b"e\n")
    shown = await rig.until(execution_id, "success")
    step_id = shown["steps"][0]["id"]  # type: ignore[index]

    async def seen(query: str) -> list[tuple[int, str]]:
        async with Watcher(rig, "logs", execution_id, query=query) as watcher:
            data = [event["data"] async for event in watcher.all()]
        return sorted((d["host_id"], d["text"]) for d in data[:-1])  # type: ignore[index]

    assert await seen("host_id=2&stream=stdout") == [(2, "out of 2\n")]
    assert await seen("host_id=1") == [(1, "e\n"), (1, "out of 1\n")]
    assert len(await seen(f"step_id={step_id}")) == 4
    assert await seen("step_id=another") == []


async def test_states_and_output_come_together_and_resume(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"hello\n"))
    await rig.courier.result(agent, order, stdout=b"hello\n")
    await rig.until_task(execution_id, log_status="complete")

    async with Watcher(rig, "combined", execution_id) as watcher:
        whole = [event async for event in watcher.all()]
    async with Watcher(
        rig, "combined", execution_id, **{"Last-Event-ID": str(whole[0]["id"])}
    ) as again:
        rest = [event async for event in again.all()]

    assert [event["event"] for event in whole] == ["log", "status", "end"]
    status = whole[1]["data"]
    assert isinstance(status, dict)
    assert status["execution"]["status"] == "success"
    assert [task["status"] for task in status["tasks"]] == ["success"]
    assert rest == whole[1:]


async def test_a_status_stream_tells_each_change(rig: Rig) -> None:
    agent = rig.agent()
    execution_id = await rig.run(1)
    seen = []
    async with Watcher(rig, "status", execution_id) as watcher:
        seen.append(await watcher.next())
        await rig.courier.connect(agent)
        order = await rig.courier.start(agent)
        await rig.courier.result(agent, order)
        seen += [event async for event in watcher.all()]

    states = [event["data"]["execution"]["status"] for event in seen[:-1]]  # type: ignore[index]
    versions = [int(str(event["id"])) for event in seen]
    assert states[0] == "pending"
    assert states[-1] == "success"
    assert versions == sorted(versions)
    assert seen[-1]["event"] == "end"


async def test_a_gap_is_an_event_of_its_own(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    await rig.courier.gap(
        agent, order, stream="stdout", seq=0, offset=0, length=70, reason="spool_full"
    )
    async with Watcher(rig, "logs", execution_id) as watcher:
        event = await watcher.next()

    assert event["event"] == "gap"
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["length"], data["reason"], data["host"]) == (70, "spool_full", "host-1")


@pytest.mark.parametrize("event_id", ["1", "999999"], ids=["B099-inside", "B099-beyond"])
async def test_an_id_that_was_never_given_starts_over(rig: Rig, event_id: str) -> None:
    agent, execution_id, order = await started(rig)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"hello\n"))
    await rig.courier.expect(agent, "ack")

    async with Watcher(rig, "logs", execution_id, **{"Last-Event-ID": event_id}) as watcher:
        first, second = await watcher.next(), await watcher.next()

    assert first["event"] == "reset"
    assert second["data"]["text"] == "hello\n"  # type: ignore[index]


@pytest.mark.parametrize("event_id", ["-1", "abc", "1-2", "1" * 40])
async def test_b099_an_id_that_is_none_is_refused(rig: Rig, event_id: str) -> None:
    execution_id = await rig.run(rig.agent().number)

    answer = await rig.http.get(
        f"/api/realtime/sse/logs/{execution_id}",
        headers=rig.headers(more={"Last-Event-ID": event_id}),
    )

    assert (answer.status_code, answer.json()["content"]["error"]) == (400, "event_id_invalid")


@pytest.mark.parametrize("kind", ["logs", "status", "combined"])
async def test_b100_an_unknown_execution_has_no_stream(rig: Rig, kind: str) -> None:
    answer = await rig.http.get(f"/api/realtime/sse/{kind}/nobody", headers=rig.headers())

    assert (answer.status_code, answer.json()["content"]["error"]) == (404, "execution_not_found")


async def test_watching_needs_the_right_to_read(rig: Rig) -> None:
    execution_id = await rig.run(rig.agent().number)

    answer: httpx.Response = await rig.http.get(
        f"/api/realtime/sse/logs/{execution_id}", headers=rig.headers(operator(3, "hosts:read"))
    )

    assert answer.status_code == 404
    assert answer.json()["content"]["error"] == "execution_not_found"


async def test_invalid_utf8_and_control_bytes_break_nothing(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    nasty = b"\xff\x00\x1b]0;title\x07data: x\n\nevent: end\n\n"

    await rig.courier.output(agent, order, ("stdout", 0, 0, nasty))
    await rig.courier.result(agent, order, stdout=nasty)
    async with Watcher(rig, "logs", execution_id) as watcher:
        events = [event async for event in watcher.all()]

    assert [event["event"] for event in events] == ["log", "end"]
    data = events[0]["data"]
    assert isinstance(data, dict)
    assert data["lossy"] is True
    assert data["text"] == nasty.decode("utf-8", "replace")


async def test_a_quiet_stream_gives_signs_of_life(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.execution.realtime.service.PING_SECONDS", 0.05)
    execution_id = await rig.run(rig.agent().number)

    async with Watcher(rig, "logs", execution_id) as watcher:
        comments = await eventually(lambda: watcher.raw.count(b": still here\n\n") >= 3)

    assert comments


async def test_r21_watchers_of_another_replica_see_everything_too(
    database_url: Callable[[Declared], str], redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    url, neighbours = database_url(service), Neighbours()
    async with (
        running(url, redis_url, tmp_path, neighbours) as first,
        running(url, redis_url, tmp_path, neighbours) as second,
    ):
        agent, execution_id, order = await started(first)
        async with (
            Watcher(first, "combined", execution_id) as one,
            Watcher(second, "combined", execution_id) as other,
        ):
            for seq in range(20):
                await first.courier.output(agent, order, ("stdout", seq, seq * 5, b"line\n"))
            await first.courier.result(agent, order, stdout=b"line\n" * 20)
            seen = [[event async for event in watcher.all()] for watcher in (one, other)]

    for events in seen:
        text = "".join(str(e["data"].get("text", "")) for e in events)  # type: ignore[attr-defined]
        assert text == "line\n" * 20
        assert events[-1]["data"] == {"status": "success"}


async def test_output_of_a_later_attempt_is_stored_beside_that_of_the_first(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1, retries=1)
    order = await rig.courier.start(agent)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"first\n"))
    await rig.courier.result(agent, order, stdout=b"first\n", exit_code=1)
    offer: Message = {}
    while offer.get("attempt") != 2:  # the first may have been offered more than once
        found = (await rig.courier.expect(agent, "offer"))["order"]
        assert isinstance(found, dict)
        offer = found
    await rig.courier.say(agent, "claim", offer)
    again = offer | {"epoch": (await rig.courier.expect(agent, "grant"))["epoch"]}
    words = {"pid": 9, "started_at": "2026-01-01T00:00:00Z"}
    await rig.courier.say(agent, "started", offer, epoch=again["epoch"], **words)
    await rig.courier.output(agent, again, ("stdout", 0, 0, b"second\n"))
    await rig.courier.result(agent, again, stdout=b"second\n")
    await rig.until(execution_id, "success")
    await rig.until_task(execution_id, log_status="complete")

    async with Watcher(rig, "logs", execution_id) as watcher:
        data = [event["data"] async for event in watcher.all()]

    assert again["attempt"] == 2
    assert [(d["attempt"], d["text"]) for d in data[:-1]] == [  # type: ignore[index]
        (1, "first\n"),
        (2, "second\n"),
    ]


async def test_a_database_that_is_away_for_a_moment_ends_neither_service_nor_stream(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at a watched execution is repeated; once it ended the whole service."""
    agent, execution_id, order = await started(rig)
    async with Watcher(rig, "logs", execution_id) as watcher:
        await rig.courier.output(agent, order, ("stdout", 0, 0, b"before\n"))
        first = await watcher.next()
        refused: list[object] = []
        with monkeypatch.context() as away:

            async def refuse(_database: Database, read: object) -> None:
                refused.append(read)
                raise Unavailable

            away.setattr(Database, "read", refuse)
            await eventually(lambda: any("_look" in _names(each) for each in refused))
        await rig.courier.output(agent, order, ("stdout", 1, 7, b"after\n"))
        await rig.courier.result(agent, order, stdout=b"before\nafter\n")
        events = [event async for event in watcher.all()]

    texts = [str(event["data"].get("text", "")) for event in (first, *events)]  # type: ignore[attr-defined]
    assert "".join(texts) == "before\nafter\n"


def _names(read: object) -> str:
    """Which use case asks: the reader is a closure over it."""
    cells = getattr(read, "__closure__", None) or ()
    return " ".join(getattr(cell.cell_contents, "__name__", "") for cell in cells)
