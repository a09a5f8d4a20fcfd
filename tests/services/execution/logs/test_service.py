"""Output is stored exactly, acknowledged only when durable, and its completeness is proven."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, text

from libs.kit.db import Database, Transaction
from libs.kit.db.tables import leases
from libs.kit.errors import Unavailable
from libs.kit.redis import Redis
from services.execution.app import service
from services.execution.logs import service as logs
from services.execution.segments.domain import frames
from tests.support.courier import Agent, Message
from tests.support.database import Declared
from tests.support.execution import Neighbours, Rig, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def started(rig: Rig) -> tuple[Agent, str, Message]:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    return agent, execution_id, await rig.courier.start(agent)


async def read(rig: Rig, execution_id: str, **query: object) -> Message:
    answer = await rig.http.get(
        f"/api/executor/execution-records/{execution_id}/logs",
        params=query,  # type: ignore[arg-type]  # plain values
        headers=rig.headers(),
    )
    assert answer.status_code == 200, answer.text
    content: Message = answer.json()["content"]
    return content


def text_of(page: Message, stream: str = "stdout") -> str:
    chunks = page["chunks"]
    assert isinstance(chunks, list)
    return "".join(chunk["text"] for chunk in chunks if chunk["stream"] == stream)


async def test_r18_output_is_complete_when_length_and_hash_match(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)

    await rig.courier.output(agent, order, ("stdout", 0, 0, b"one\n"), ("stderr", 0, 0, b"no\n"))
    await rig.courier.output(agent, order, ("stdout", 1, 4, b"two\n"))
    await rig.courier.result(agent, order, stdout=b"one\ntwo\n", stderr=b"no\n")

    await rig.until_task(execution_id, log_status="complete")
    page = await read(rig, execution_id)
    assert text_of(page) == "one\ntwo\n"
    assert text_of(page, "stderr") == "no\n"
    assert page["complete"] is True


async def test_r18_output_with_another_hash_is_never_called_complete(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)

    await rig.courier.output(agent, order, ("stdout", 0, 0, b"fake\n"))
    await rig.courier.result(agent, order, stdout=b"real\n")

    await rig.until_task(execution_id, log_status="gap")


async def test_r20_a_repeated_chunk_changes_nothing(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)

    for _ in range(3):
        await rig.courier.output(agent, order, ("stdout", 0, 0, b"once\n"))
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"evil\n"))
    await rig.courier.result(agent, order, stdout=b"once\n")

    await rig.until_task(execution_id, log_status="complete")
    assert text_of(await read(rig, execution_id)) == "once\n"


@pytest.mark.parametrize(
    ("seq", "offset"), [(1, 0), (2, 9), (0, 5), (1, 4)], ids=[f"B090-{n}" for n in range(4)]
)
async def test_a_chunk_out_of_order_is_asked_for_again(rig: Rig, seq: int, offset: int) -> None:
    agent, execution_id, order = await started(rig)

    await rig.courier.output(agent, order, ("stdout", seq, offset, b"late\n"))
    want = await rig.courier.expect(agent, "want")
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"first\n"))
    await rig.courier.expect(agent, "ack")

    assert (want["seq"], want["offset"]) == (0, 0)
    assert text_of(await read(rig, execution_id)) == "first\n"


async def test_s10_output_for_the_task_of_another_agent_is_dropped(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    thief = rig.agent(2)

    await rig.courier.output(thief, order, ("stdout", 0, 0, b"forged\n"))
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"real\n"))
    await rig.courier.expect(agent, "ack")

    assert text_of(await read(rig, execution_id)) == "real\n"


async def test_r19_the_floor_is_told_only_for_bytes_that_are_on_the_disk(rig: Rig) -> None:
    agent, _, order = await started(rig)

    await rig.courier.output(agent, order, ("stdout", 0, 0, b"durable\n"))
    ack = await rig.courier.expect(agent, "ack")

    files = list((rig.folder / "logs").rglob("*.log"))
    assert (ack["seq"], ack["offset"]) == (1, 8)
    assert any(b"durable\n" in path.read_bytes() for path in files)


async def test_r19_a_full_disk_acknowledges_nothing_and_heals(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    logs = rig.folder / "logs"
    logs.write_bytes(b"a file where the folder should be")

    await rig.courier.output(agent, order, ("stdout", 0, 0, b"kept\n"))
    await rig.courier.result(agent, order, stdout=b"kept\n")
    await rig.until(execution_id, "success")
    assert not await rig.courier.seen(agent, "ack")
    logs.unlink()

    await rig.courier.expect(agent, "ack", seconds=20)
    await rig.until_task(execution_id, log_status="complete")


async def test_r18_what_the_agent_could_not_keep_is_an_explicit_gap(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)

    await rig.courier.output(agent, order, ("stdout", 0, 0, b"head"))
    await rig.courier.gap(
        agent, order, stream="stdout", seq=1, offset=4, length=900, reason="spool_full"
    )
    await rig.courier.output(agent, order, ("stdout", 2, 904, b"tail"))
    await rig.courier.result(agent, order, stdout=b"x" * 908)

    await rig.until_task(execution_id, log_status="gap")
    chunks = (await read(rig, execution_id))["chunks"]
    assert isinstance(chunks, list)
    assert [(c["offset"], c["text"], c["gap_bytes"]) for c in chunks] == [
        (0, "head", 0),
        (4, "", 900),
        (904, "tail", 0),
    ]


async def test_hashes_are_recovered_after_a_restart(
    database_url: Callable[[Declared], str], redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    url, neighbours = database_url(service), Neighbours()
    first, second = os.urandom(5000), b"and the rest\n"
    async with running(url, redis_url, tmp_path, neighbours) as rig:
        agent, execution_id, order = await started(rig)
        await rig.courier.output(agent, order, ("stdout", 0, 0, first))
        await rig.courier.expect(agent, "ack")

    async with running(url, redis_url, tmp_path, neighbours) as rig:
        await rig.courier.output(agent, order, ("stdout", 1, len(first), second))
        await rig.courier.result(agent, order, stdout=first + second)

        await rig.until_task(execution_id, log_status="complete")
        stored = b"".join(sorted_bytes(rig.folder))
    assert hashlib.sha256(first + second).digest() == hashlib.sha256(stored).digest()


def sorted_bytes(folder: Path) -> list[bytes]:
    """The payloads of all segments in their order."""

    paths = sorted((folder / "logs").rglob("*.log"))
    return [frame.data for path in paths for _, frame in frames(path.read_bytes())]


async def test_pages_go_on_exactly_where_the_last_one_ended(rig: Rig) -> None:
    agent, execution_id, order = await started(rig)
    lines = [f"line {number}\n".encode() for number in range(200)]
    offset = 0
    for seq, line in enumerate(lines):
        await rig.courier.output(agent, order, ("stdout", seq, offset, line))
        offset += len(line)
    await rig.courier.result(agent, order, stdout=b"".join(lines))
    await rig.until_task(execution_id, log_status="complete")

    text, position, complete, pages = "", 0, False, 0
    while not complete:
        page = await read(rig, execution_id, position=position, limit_bytes=1000)
        text += text_of(page)
        position, complete = int(str(page["next_position"])), bool(page["complete"])
        pages += 1

    assert text.encode() == b"".join(lines)
    assert pages > 5


@pytest.mark.parametrize("position", [1, 10**15])
async def test_b102_a_position_that_was_never_given_is_refused(rig: Rig, position: int) -> None:
    agent, execution_id, order = await started(rig)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"hello\n"))
    await rig.courier.expect(agent, "ack")

    answer = await rig.http.get(
        f"/api/executor/execution-records/{execution_id}/logs?position={position}",
        headers=rig.headers(),
    )

    assert answer.status_code == 422
    assert answer.json()["content"]["error"] == "log_position_invalid"


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def test_r18_a_commit_without_an_answer_is_outlasted_before_output_is_stored_again(
    rig: Rig,
    open_database: Callable[[Declared], Awaitable[Database]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db = await open_database(service)
    if db.dialect == "sqlite":
        pytest.skip("SQLite has one writer, which knows how each commit ended")
    agent, execution_id, order = await started(rig)
    epoch = await db.read(lambda tx: tx.scalar(select(leases.c.epoch).filter_by(name=logs.LEASE)))
    assert epoch is not None

    def open_for_long(tx: Transaction) -> None:
        tx.fenced(logs.LEASE, epoch)
        tx.execute(text("SELECT pg_advisory_xact_lock(18)"))

    def fail_once(point: str) -> str:
        if point == "logs.after_commit":
            monkeypatch.undo()
            raise Unavailable
        return ""

    other = await asyncpg.connect(db.url.replace("+asyncpg", ""))
    try:
        await other.execute("SELECT pg_advisory_lock(18)")
        in_doubt = asyncio.create_task(db.write(open_for_long))
        await eventually(lambda: _is(other, 1))
        monkeypatch.setattr(logs, "fault", fail_once)

        await rig.courier.output(agent, order, ("stdout", 0, 0, b"once\n"))

        await eventually(lambda: _is(other, 2))
        assert not await rig.courier.seen(agent, "ack")
    finally:
        await other.close()
    await in_doubt
    await rig.courier.expect(agent, "ack")
    await rig.courier.result(agent, order, stdout=b"once\n")
    await rig.until_task(execution_id, log_status="complete")
    assert text_of(await read(rig, execution_id)) == "once\n"


async def _is(other: asyncpg.Connection, waiting: int) -> bool:
    return bool(await other.fetchval(WAITING) == waiting)
