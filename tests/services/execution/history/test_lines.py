"""Pages of lines: any line of a run or host, whatever the frames and segments it lies in."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from libs.kit.redis import Redis
from services.execution.app import service
from tests.support.courier import Agent, Message
from tests.support.database import Declared
from tests.support.execution import Rig, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

RECORDS = "/api/executor/execution-records"


Restart = Callable[[Rig], AbstractAsyncContextManager[Rig]]


@pytest.fixture
def url(database_url: Callable[[Declared], str]) -> str:
    """The one database of a test."""
    return database_url(service)


@pytest.fixture
def again(url: str, redis_url: str, tmp_path: Path) -> Restart:
    """Another process on the same database and files, which remembers nothing."""
    return lambda rig: running(url, redis_url, tmp_path, rig.neighbours)


@pytest.fixture
async def small(
    url: str,
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Rig]:
    """The service with the shortest segments that are allowed."""
    monkeypatch.setenv("OPSJOB_EXECUTION_LOG_SEGMENT_BYTES", str(256 * 1024))
    async with running(url, redis_url, tmp_path) as made:
        yield made


async def get(rig: Rig, path: str, **query: object) -> Message:
    answer = await rig.http.get(
        f"{RECORDS}/{path}",
        params=query,  # type: ignore[arg-type]  # plain values
        headers=rig.headers(),
    )
    assert answer.status_code == 200, answer.text
    content: Message = answer.json()["content"]
    return content


def rows(page: Message) -> list[Message]:
    found = page["lines"]
    assert isinstance(found, list)
    return found


class Printer:
    """An agent that prints in pieces, and remembers the lines in the order of their ends."""

    def __init__(
        self, rig: Rig, agent: Agent, order: Message, ended: list[tuple[int, str]]
    ) -> None:
        self._rig = rig
        self.agent = agent
        self.order = order
        self._ended = ended
        self._state: dict[str, list[int]] = {"stdout": [0, 0], "stderr": [0, 0]}
        self._open: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.printed: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    async def write(self, stream: str, data: bytes) -> None:
        """One chunk."""
        seq, offset = self._state[stream]
        await self._rig.courier.output(self.agent, self.order, (stream, seq, offset, data))
        self._state[stream] = [seq + 1, offset + len(data)]
        self.printed[stream] += data
        *ends, self._open[stream] = (self._open[stream] + data).split(b"\n")
        self._ended += [(self.agent.number, line.decode()) for line in ends]

    async def end(self) -> None:
        """The signed result."""
        await self._rig.courier.result(
            self.agent,
            self.order,
            stdout=self.printed["stdout"],
            stderr=self.printed["stderr"],
        )


async def printers(rig: Rig, count: int) -> tuple[str, list[Printer], list[tuple[int, str]]]:
    agents = [rig.agent(number) for number in range(1, count + 1)]
    for agent in agents:
        await rig.courier.connect(agent)
    execution_id = await rig.run(*range(1, count + 1))
    ended: list[tuple[int, str]] = []
    made = [Printer(rig, agent, await rig.courier.start(agent), ended) for agent in agents]
    return execution_id, made, ended


async def check(rig: Rig, execution_id: str, ended: list[tuple[int, str]], seed: int) -> None:
    """Pages at random places show exactly the lines that were printed."""
    chance = random.Random(seed)
    for host_id in (None, 1, 2):
        wanted = [text for host, text in ended if host_id in (None, host)]
        query: dict[str, object] = {} if host_id is None else {"host_id": host_id}
        for first in (1, len(wanted), *(chance.randint(1, len(wanted)) for _ in range(12))):
            page = await get(rig, f"{execution_id}/logs/lines", from_line=first, limit=40, **query)
            found = [row for row in rows(page) if not row["is_open"]]
            assert [row["text"] for row in found] == wanted[first - 1 : first + 39]
            assert [row["number"] for row in found] == list(range(first, first + len(found)))
            assert page["total"] == len(wanted)
            assert page["next_line"] == first + len(found)


async def print_at_random(made: list[Printer], seed: int, size: int) -> None:
    """Pieces that end anywhere, also inside lines, until so much is printed."""
    chance = random.Random(seed)
    written = number = 0
    while written < size:
        printer = chance.choice(made)
        stream = chance.choice(("stdout", "stdout", "stderr"))
        text = "".join(
            f"line {number + n} {'x' * chance.randint(0, 300)}\n"
            for n in range(chance.randint(0, 9))
        )
        text += "part of " * chance.randint(0, 2)
        number += 10
        if text:
            await printer.write(stream, text.encode())
            written += len(text)


async def stored(rig: Rig, execution_id: str, ended: list[tuple[int, str]]) -> None:
    """Wait until all that was printed can be read."""

    async def is_there() -> bool:
        page = await get(rig, f"{execution_id}/logs/lines", limit=1)
        return page["total"] == len(ended)

    await eventually(is_there)


async def print_much(rig: Rig, made: list[Printer], seed: int) -> None:
    """About 480 KB in eight commits."""
    for turn in range(8):
        async with rig.courier.together():
            await print_at_random(made, seed * 100 + turn, 60_000)


async def test_any_line_is_found_while_the_run_goes_on_and_over_many_segments(
    small: Rig, again: Restart
) -> None:
    execution_id, made, ended = await printers(small, 3)
    await print_much(small, made, 1)
    await stored(small, execution_id, ended)

    await check(small, execution_id, ended, 2)
    await print_much(small, made, 3)
    for printer in made:
        await printer.end()
    await small.until(execution_id, "success")
    await stored(small, execution_id, ended)

    await check(small, execution_id, ended, 4)
    segments = sorted((small.folder / "logs").rglob("*.log"))
    assert len(segments) > 2
    for beside in (small.folder / "logs").rglob("*.idx"):
        beside.unlink()
    async with again(small) as other:
        await check(other, execution_id, ended, 5)


async def test_a_last_line_without_an_end_is_shown_as_open(rig: Rig) -> None:
    execution_id, (printer,), _ = await printers(rig, 1)
    await printer.write("stdout", b"one\ntwo")
    await printer.write("stderr", b"three")
    await rig.courier.expect(printer.agent, "ack")

    async def both() -> list[Message] | None:
        found = rows(await get(rig, f"{execution_id}/logs/lines"))
        return found if len(found) == 3 else None

    found = await eventually(both)
    assert found is not None
    assert [(row["number"], row["text"], row["is_open"]) for row in found] == [
        (1, "one", False),
        (2, "two", True),
        (3, "three", True),
    ]
    await printer.write("stdout", b" and more\n")
    await printer.end()
    await rig.until(execution_id, "success")
    await rig.until_task(execution_id, log_status="complete")
    page = await get(rig, f"{execution_id}/logs/lines", from_line=2)
    assert [row["text"] for row in rows(page)] == ["two and more", "three"]
    assert page["complete"] is True


async def test_b113_a_line_of_megabytes_is_cut_for_reading_and_says_so(rig: Rig) -> None:
    execution_id, (printer,), _ = await printers(rig, 1)
    for _ in range(40):
        await printer.write("stdout", b"x" * 60_000)
    await printer.write("stdout", b"\nshort\n")
    await printer.end()
    await rig.until_task(execution_id, log_status="complete")

    page = await get(rig, f"{execution_id}/logs/lines")
    long, short = rows(page)
    assert len(str(long["text"])) + int(str(long["cut_bytes"])) == 2_400_000
    assert short["text"] == "short"
    (second,) = rows(await get(rig, f"{execution_id}/logs/lines", from_line=2))
    assert second["text"] == "short"


async def test_a_gap_inside_a_line_is_said_at_the_line(rig: Rig) -> None:
    execution_id, (printer,), _ = await printers(rig, 1)
    await printer.write("stdout", b"one\nbefore ")
    await rig.courier.gap(
        printer.agent,
        printer.order,
        stream="stdout",
        seq=1,
        offset=11,
        length=9,
        reason="disk_error",
    )
    await rig.courier.output(printer.agent, printer.order, ("stdout", 2, 20, b" after\nthree\n"))
    await rig.courier.result(printer.agent, printer.order, stdout=b"x" * 33)
    await rig.until_task(execution_id, log_status="gap")

    for first in (1, 2):
        found = rows(await get(rig, f"{execution_id}/logs/lines", from_line=first))
        line = found[2 - first]
        assert (line["text"], line["gap_bytes"], line["reason"]) == (
            "before  after",
            9,
            "disk_error",
        )


async def test_the_log_of_a_step_on_a_host_goes_on_behind_its_pointer(rig: Rig) -> None:
    execution_id, made, _ = await printers(rig, 2)
    for printer in made:
        await printer.write("stdout", b"a\nb\nc\n")
        await printer.end()
    shown = await rig.until(execution_id, "success")
    step_id = shown["steps"][0]["id"]  # type: ignore[index]
    path = f"{execution_id}/steps/{step_id}/hosts/2/logs"

    async def settled() -> bool:
        return bool((await get(rig, path))["finished"])

    await eventually(settled)
    first = await get(rig, path, limit=2)
    rest = await get(rig, path, limit=2, pointer=first["next_pointer"])

    assert (first["log_context"], first["next_pointer"], first["finished"]) == ("a\nb", 2, False)
    assert (rest["log_context"], rest["next_pointer"], rest["finished"]) == ("c", 3, True)
    assert rest["log_status"] == "complete"
    unknown = await rig.http.get(
        f"{RECORDS}/{execution_id}/steps/{step_id}/hosts/3/logs", headers=rig.headers()
    )
    assert unknown.status_code == 404


async def test_the_tail_begins_with_the_last_lines_and_goes_on_by_position(rig: Rig) -> None:
    execution_id, (printer,), _ = await printers(rig, 1)
    for number in range(50):
        await printer.write("stdout", f"line {number}\nmore {number}\n".encode())
    await rig.courier.expect(printer.agent, "ack")

    async def tail(lines: int) -> list[str] | None:
        page = await get(rig, f"{execution_id}/logs", tail=lines)
        text = "".join(chunk["text"] for chunk in page["chunks"])  # type: ignore[attr-defined]
        return text.splitlines() if text.endswith("more 49\n") else None

    assert await eventually(lambda: tail(3)) == ["more 48", "line 49", "more 49"]
    assert await eventually(lambda: tail(2)) == ["line 49", "more 49"]
    whole = await eventually(lambda: tail(1000))
    assert whole is not None
    assert len(whole) == 100


async def test_pages_by_position_show_one_host_alone(rig: Rig) -> None:
    execution_id, made, _ = await printers(rig, 3)
    for number in range(60):
        for printer in made:
            await printer.write("stdout", f"{printer.agent.number}:{number}\n".encode())
    for printer in made:
        await printer.end()
    await rig.until(execution_id, "success")
    text, position, complete = "", 0, False
    while not complete:
        page = await get(rig, f"{execution_id}/logs", position=position, host_id=2, limit_bytes=500)
        text += "".join(chunk["text"] for chunk in page["chunks"])  # type: ignore[attr-defined]
        position, complete = int(str(page["next_position"])), bool(page["complete"])

    assert text == "".join(f"2:{number}\n" for number in range(60))


@pytest.mark.parametrize(
    "query",
    ["from_line=0", "from_line=-1", "limit=0", "limit=100000", "tail=-1", "tail=1000000000"],
)
async def test_b102_numbers_out_of_range_are_refused(rig: Rig, query: str) -> None:
    execution_id = await rig.run(rig.agent().number)
    path = "logs" if "tail" in query else "logs/lines"

    answer = await rig.http.get(f"{RECORDS}/{execution_id}/{path}?{query}", headers=rig.headers())

    assert answer.status_code == 422


async def test_b100_lines_of_an_unknown_execution_are_not_found(rig: Rig) -> None:
    answer = await rig.http.get(f"{RECORDS}/nobody/logs/lines", headers=rig.headers())

    assert (answer.status_code, answer.json()["content"]["error"]) == (404, "execution_not_found")
