"""R18, R20, R29: whatever order and repetition the streams bring, the end is the same."""

from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.courier import Agent, Message
from tests.support.execution import Rig
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

several = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
numbers = count(1)
chunk_lists = st.lists(st.binary(min_size=1, max_size=12).map(lambda raw: raw.hex()), max_size=6)


async def offered(rig: Rig) -> tuple[Agent, str, Message]:
    number = next(numbers)
    agent = rig.agent(number)
    await rig.courier.connect(agent)
    execution_id = await rig.run(number)
    order = (await rig.courier.expect(agent, "offer"))["order"]
    assert isinstance(order, dict)
    return agent, execution_id, order


def placed(stream: str, texts: list[str]) -> list[tuple[str, int, int, bytes]]:
    """Chunks with their seq and offset."""
    offset, found = 0, []
    for seq, text in enumerate(texts):
        found.append((stream, seq, offset, text.encode()))
        offset += len(text)
    return found


@several
@given(st.integers(0, 2**32), chunk_lists, chunk_lists)
async def test_r18_r20_output_in_any_order_and_repetition_is_the_same_output(
    rig: Rig, seed: int, stdout: list[str], stderr: list[str]
) -> None:
    agent, execution_id, order = await offered(rig)
    await rig.courier.say(agent, "claim", order)
    await rig.courier.expect(agent, "grant")  # no result counts before it
    chunks = [*placed("stdout", stdout), *placed("stderr", stderr)]
    shuffled = [*chunks, *chunks, None]
    Random(seed).shuffle(shuffled)

    async def result() -> None:
        texts = {"stdout": "".join(stdout).encode(), "stderr": "".join(stderr).encode()}
        await rig.courier.result(agent, order, **texts)  # type: ignore[arg-type]  # two of its names

    for chunk in shuffled:
        if chunk is None:
            await result()
        else:
            await rig.courier.output(agent, order, chunk)
    await rig.courier.output(agent, order, *chunks)  # an agent repeats from the last floor

    await rig.until_task(execution_id, status="success", log_status="complete")
    answer = await rig.http.get(
        f"/api/executor/execution-records/{execution_id}/logs", headers=rig.headers()
    )
    page = answer.json()["content"]["chunks"]
    for stream, texts in (("stdout", stdout), ("stderr", stderr)):
        found = "".join(chunk["text"] for chunk in page if chunk["stream"] == stream)
        assert found == "".join(texts)
        assert not [chunk for chunk in page if chunk["gap_bytes"]]


@several
@given(st.permutations(["claim", "started", "result", "beat"] * 2))
async def test_r29_reports_in_any_order_and_repetition_end_the_same(
    rig: Rig, kinds: list[str]
) -> None:
    agent, execution_id, order = await offered(rig)

    async def say(kind: str) -> None:
        if kind == "beat":
            await rig.courier.connect(agent, again=True)
        elif kind == "result":
            await rig.courier.result(agent, order, exit_code=3)
        else:
            more = {"epoch": 1, "pid": 9} if kind == "started" else {}
            await rig.courier.say(agent, kind, order, **more)

    async def is_granted() -> bool:
        return (await rig.task(execution_id))["status"] in ("claimed", "running", "failed")

    for kind in [*kinds, "claim"]:
        await say(kind)
    await eventually(is_granted)
    for kind in ("started", "result"):  # an agent repeats what has no answer
        await say(kind)

    shown = await rig.until(execution_id, "failed")
    task = await rig.task(execution_id)
    assert shown["counts"] == {"failed": 1}
    assert (task["exit_code"], task["attempt"], task["late_outcome"]) == (3, 1, None)
    grants = await rig.courier.seen(agent, "grant")
    assert {grant["epoch"] for grant in grants} == {1}
    await rig.courier.expect(agent, "result_ack")
