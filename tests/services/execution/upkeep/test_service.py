"""Output is packed after its execution, verified whenever it is read, and removed by rule."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from libs.kit.redis import Redis
from services.execution.app import service
from services.execution.downloads.service import Downloads
from services.execution.history.service import Which
from tests.support.courier import Message
from tests.support.database import Declared
from tests.support.execution import Rig, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

RECORDS = "/api/executor/execution-records"
TEXT = b"".join(b"%06d the quick brown fox\n" % number for number in range(8_000))


@pytest.fixture
async def rig(
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Rig]:
    """The service in a hurry: packs at once; `indirect` parameters are further settings."""
    settings = dict.fromkeys(("LOG_PACK_SECONDS", "LOG_REPLACED_SECONDS", "SWEEP_SECONDS"), "0.05")
    for name, value in (settings | getattr(request, "param", {})).items():
        monkeypatch.setenv(f"OPSJOB_EXECUTION_{name}", value)
    async with running(database_url(service), redis_url, tmp_path) as made:
        yield made


async def printed(rig: Rig, number: int = 1, text: bytes = TEXT) -> str:
    """An execution that has printed a text and ended, and all of it is stored."""
    agent = rig.agent(number)
    await rig.courier.connect(agent)
    execution_id = await rig.run(number)
    order = await rig.courier.start(agent)
    for seq, offset in enumerate(range(0, len(text), 50_000)):
        part = text[offset : offset + 50_000]
        await rig.courier.output(agent, order, ("stdout", seq, offset, part))
    await rig.courier.result(agent, order, stdout=text)
    await rig.until_stored(execution_id)
    return execution_id


def files(rig: Rig, suffix: str) -> list[Path]:
    """Files of the store; folders may vanish while they are looked through."""
    found = [
        Path(folder) / name for folder, _, names in os.walk(rig.folder / "logs") for name in names
    ]
    return sorted(path for path in found if path.name.endswith(suffix))


async def packed(rig: Rig, count: int = 1) -> list[Path]:
    """Wait until only packed files are left."""
    await eventually(
        lambda: len(files(rig, ".olz")) == count and not files(rig, ".log") + files(rig, ".idx")
    )
    return files(rig, ".olz")


async def read(rig: Rig, execution_id: str, path: str = "logs", **query: object) -> Message:
    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/{path}",
        params=query,  # type: ignore[arg-type]  # plain values
        headers=rig.headers(),
    )
    assert answer.status_code == 200, answer.text
    content: Message = answer.json()["content"]
    return content


async def chunks(rig: Rig, execution_id: str) -> list[Message]:
    found: list[Message] = []
    position, complete = 0, False
    while not complete:
        page = await read(rig, execution_id, position=position)
        found += page["chunks"]  # type: ignore[arg-type]
        position, complete = int(str(page["next_position"])), bool(page["complete"])
    return found


async def test_a_closed_log_is_packed_small_and_reads_the_same(rig: Rig) -> None:
    execution_id = await printed(rig)
    before = await chunks(rig, execution_id)

    (path,) = await packed(rig)

    assert path.stat().st_size < len(TEXT) / 4
    assert await chunks(rig, execution_id) == before
    assert "".join(str(chunk["text"]) for chunk in before).encode() == TEXT
    page = await read(rig, execution_id, "logs/lines", from_line=7_990, limit=5)
    assert [line["text"] for line in page["lines"]] == [  # type: ignore[attr-defined]
        f"{number:06d} the quick brown fox" for number in range(7_989, 7_994)
    ]
    assert page["total"] == 8_000


async def test_every_position_of_an_open_log_is_one_of_the_packed_log(rig: Rig) -> None:
    execution_id = await printed(rig)
    positions = [int(str(chunk["position"])) for chunk in await chunks(rig, execution_id)]
    await packed(rig)

    for place, position in enumerate(positions[:-1]):
        page = await read(rig, execution_id, position=position)
        first = page["chunks"][0]  # type: ignore[index]
        assert first["position"] == positions[place + 1]


async def test_output_after_packing_goes_into_a_new_segment(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.courier.gap(
        agent, order, stream="stdout", seq=0, offset=0, length=5, reason="spool_full"
    )
    await rig.courier.result(agent, order, stdout=b"x" * 5)
    await rig.until_task(execution_id, log_status="gap")
    await packed(rig)

    await rig.courier.output(agent, order, ("stdout", 1, 5, b"late\n"))

    await packed(rig, 2)
    assert [chunk["text"] for chunk in await chunks(rig, execution_id)] == ["", "late\n"]


@pytest.mark.parametrize("rig", [{"LOG_SEGMENT_BYTES": str(256 * 1024)}], indirect=True)
async def test_packing_a_full_segment_leaves_the_newest_one_in_use(rig: Rig) -> None:
    """Else each packed segment would begin another, and that one another."""
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    part, size = b"x" * 60_000, 0
    for seq in range(6):
        await rig.courier.output(agent, order, ("stdout", seq, size, part))
        await rig.courier.expect(agent, "ack")  # one commit each: four fill the first segment
        size += len(part)
    await eventually(lambda: stored_bytes(rig, execution_id, size))
    await eventually(lambda: len(segments(rig)) == len(files(rig, ".olz")) + 1)
    before = segments(rig)

    for seq in range(6, 12):
        await rig.courier.output(agent, order, ("stdout", seq, size, b"more\n"))
        size += 5
        wanted = size
        await eventually(lambda wanted=wanted: stored_bytes(rig, execution_id, wanted))  # type: ignore[misc]  # defaults bind the loop's value

    shown = await chunks_of_a_running_one(rig, execution_id)
    assert "".join(str(chunk["text"]) for chunk in shown) == "x" * 360_000 + "more\n" * 6
    assert len(before) >= 2
    assert segments(rig) == before


def segments(rig: Rig) -> set[str]:
    """The segments, packed or not."""
    return {path.name.split(".")[0] for path in files(rig, "")}


async def stored_bytes(rig: Rig, execution_id: str, wanted: int) -> bool:
    """Whether so much of the only task's output is stored."""
    return bool((await rig.task(execution_id))["stdout_bytes"] == wanted)


async def chunks_of_a_running_one(rig: Rig, execution_id: str) -> list[Message]:
    """Everything that is stored by now."""
    found: list[Message] = []
    position = 0
    while page := (content := await read(rig, execution_id, position=position))["chunks"]:
        found += page  # type: ignore[arg-type]  # JSON
        position = int(str(content["next_position"]))
    return found


async def test_who_reads_slowly_gets_the_rest_although_the_file_was_replaced(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    text = TEXT * 10
    for seq, offset in enumerate(range(0, len(text), 50_000)):
        part = text[offset : offset + 50_000]
        await rig.courier.output(agent, order, ("stdout", seq, offset, part))
    await eventually(lambda: stored(rig, execution_id, text))
    downloads = rig.app.state.provided[Downloads]
    pieces = await downloads.open(execution_id, Which(), "txt")
    got = await anext(pieces)

    await rig.courier.result(agent, order, stdout=text)
    await packed(rig)
    got += b"".join([piece async for piece in pieces])

    assert got == text


async def stored(rig: Rig, execution_id: str, text: bytes) -> bool:
    """Whether all of a text can be read."""
    page = await read(rig, execution_id, "logs/lines", limit=1)
    return page["total"] == text.count(b"\n")


async def test_a_damaged_block_is_a_named_gap_and_the_rest_is_shown(rig: Rig) -> None:
    execution_id = await printed(rig)
    (path,) = await packed(rig)
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 0xFF]) + whole[101:])

    after = await chunks(rig, execution_id)

    path.write_bytes(whole)
    before = await chunks(rig, execution_id)  # not sooner: a sound block may be remembered
    lost = [chunk for chunk in after if chunk["reason"] == "log_damaged"]
    assert lost
    assert {chunk["host"] for chunk in lost} == {"host-1"}
    assert [c["position"] for c in after] == [c["position"] for c in before]
    sizes = {c["offset"]: len(str(c["text"])) for c in before}
    assert all(chunk["gap_bytes"] == sizes[chunk["offset"]] for chunk in lost)
    rest = [chunk for chunk in after if chunk["reason"] is None]
    assert rest
    assert all(chunk in before for chunk in rest)


async def test_a_file_that_somebody_replaced_is_not_believed(rig: Rig) -> None:
    first = await printed(rig, 1)
    second = await printed(rig, 2, TEXT.replace(b"quick", b"QUICK"))
    await packed(rig, 2)
    one, other = (next((rig.folder / "logs").rglob(f"{name}/*.olz")) for name in (first, second))
    one.write_bytes(other.read_bytes())

    (chunk,) = await chunks(rig, first)

    assert chunk["reason"] == "log_damaged"


async def test_a_raw_log_with_flipped_bits_is_never_packed_as_if_it_were_whole(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    execution_id = await rig.run(1)
    order = await rig.courier.start(agent)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"one\n"))
    await rig.courier.expect(agent, "ack")
    (path,) = files(rig, ".log")
    data = bytearray(path.read_bytes())
    data[-2] ^= 0xFF
    path.write_bytes(data)

    await rig.courier.result(agent, order, stdout=b"one\n")
    await rig.until(execution_id, "success")

    async def said() -> bool:
        found = await chunks(rig, execution_id)
        return [chunk["reason"] for chunk in found] == ["log_damaged"]

    await eventually(said)
    assert not files(rig, ".olz")


@pytest.mark.parametrize("rig", [{"LOG_KEEP_BYTES": "1"}], indirect=True)
async def test_output_beyond_the_limit_is_removed_and_the_record_says_so(rig: Rig) -> None:
    execution_id = await printed(rig)

    await rig.until_task(execution_id, log_status="expired")

    await eventually(lambda: not files(rig, ""))
    (chunk,) = await chunks(rig, execution_id)
    assert chunk["reason"] == "log_expired"
    shown = await rig.show(execution_id)
    assert shown["status"] == "success"
    page = await read(rig, execution_id, "logs/lines")
    assert (page["lines"], page["complete"]) == ([], True)


async def test_nothing_is_removed_before_its_time(rig: Rig) -> None:
    execution_id = await printed(rig)
    await packed(rig)

    digest = hashlib.sha256(
        "".join(str(chunk["text"]) for chunk in await chunks(rig, execution_id)).encode()
    )

    assert digest.digest() == hashlib.sha256(TEXT).digest()
