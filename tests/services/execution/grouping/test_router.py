"""Groups: who said the same, whatever their names, colours and blanks; and how others differ."""

import pytest

from tests.support.courier import Message
from tests.support.execution import Rig

pytestmark = pytest.mark.anyio

RECORDS = "/api/executor/execution-records"


async def said(rig: Rig, *texts: bytes) -> str:
    """An execution whose hosts said this."""
    agents = [rig.agent(number + 1) for number in range(len(texts))]
    for agent in agents:
        await rig.courier.connect(agent)
    execution_id = await rig.run(*range(1, len(texts) + 1))
    for agent, text in zip(agents, texts, strict=True):
        order = await rig.courier.start(agent)
        half = len(text) // 2
        await rig.courier.output(
            agent, order, ("stdout", 0, 0, text[:half]), ("stdout", 1, half, text[half:])
        )
        await rig.courier.result(agent, order, stdout=text)
    await rig.until_stored(execution_id)
    return execution_id


async def groups(rig: Rig, execution_id: str, **query: object) -> list[tuple[int, list[int]]]:
    page = await get(rig, f"{execution_id}/output_groups", **query)
    found = page["groups"]
    assert isinstance(found, list)
    return [(group["count"], [host["host_id"] for host in group["hosts"]]) for group in found]


async def shown(rig: Rig, execution_id: str) -> list[Message]:
    found = (await get(rig, f"{execution_id}/output_groups"))["groups"]
    assert isinstance(found, list)
    return found


async def get(rig: Rig, path: str, **query: object) -> Message:
    answer = await rig.http.get(
        f"{RECORDS}/{path}",
        params=query,  # type: ignore[arg-type]  # plain values
        headers=rig.headers(),
    )
    assert answer.status_code == 200, answer.text
    content: Message = answer.json()["content"]
    return content


async def test_hosts_that_say_the_same_are_one_group_the_majority_first(rig: Rig) -> None:
    execution_id = await said(
        rig, b"other\n", b"ok\nfine\n", b"ok  \nfine", b"\x1b[32mok\x1b[0m\r\nfine\n"
    )

    assert await groups(rig, execution_id) == [(3, [2, 3, 4]), (1, [1])]


async def test_a_hosts_own_name_and_address_make_no_difference_unless_wanted(rig: Rig) -> None:
    execution_id = await said(
        rig,
        b"host-1 at 127.0.1.1 is up\n",
        b"host-2 at 127.0.1.2 is up\n",
        b"host-2 at 127.0.1.3 is up\n",
    )

    assert await groups(rig, execution_id) == [(2, [1, 2]), (1, [3])]
    assert await groups(rig, execution_id, mask_host=False) == [(1, [1]), (1, [2]), (1, [3])]


async def test_times_make_no_difference_when_that_is_wanted(rig: Rig) -> None:
    execution_id = await said(
        rig, b"2026-11-22T10:00:01Z done 08:15:59\n", b"2026-11-23 11:30:00.25 done 23:00:00\n"
    )

    assert await groups(rig, execution_id) == [(1, [1]), (1, [2])]
    assert await groups(rig, execution_id, mask_times=True) == [(2, [1, 2])]


async def test_a_group_is_compared_with_the_majority(rig: Rig) -> None:
    execution_id = await said(rig, b"a\nb\nc\n", b"a\nb\nc\n", b"a\nB\nc\n")
    majority, other = await shown(rig, execution_id)

    diff = await get(rig, f"{execution_id}/output_groups/diff", b=other["hash"])

    assert diff["a"] == majority["hash"]
    assert diff["lines"][2:] == ["@@ -1,4 +1,4 @@", " a", "-b", "+B", " c", " "]  # type: ignore[index]
    assert majority["sample"] == "a\nb\nc\n"


async def test_two_long_outputs_are_compared_within_limits(rig: Rig) -> None:
    one = b"".join(b"%d\n" % number for number in range(9_000))
    execution_id = await said(rig, one, one.replace(b"7\n", b"x\n"))
    first, second = await shown(rig, execution_id)

    diff = await get(rig, f"{execution_id}/output_groups/diff", a=first["hash"], b=second["hash"])

    assert diff["is_cut"] is True
    assert len(diff["lines"]) <= 1_000  # type: ignore[arg-type]


async def test_an_unknown_group_is_not_found(rig: Rig) -> None:
    execution_id = await said(rig, b"a\n")

    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/output_groups/diff?b={'0' * 64}", headers=rig.headers()
    )

    assert (answer.status_code, answer.json()["content"]["error"]) == (
        404,
        "output_group_not_found",
    )
