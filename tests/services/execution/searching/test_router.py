"""Search: every match once, in order, with its line number and place, in bounded time."""

import pytest

from tests.support.courier import Message
from tests.support.execution import Rig

pytestmark = pytest.mark.anyio

RECORDS = "/api/executor/execution-records"


async def printed(rig: Rig, *texts: bytes, chunk: int = 1000) -> str:
    """An execution whose hosts printed these texts, in pieces cut anywhere."""
    agents = [rig.agent(number + 1) for number in range(len(texts))]
    for agent in agents:
        await rig.courier.connect(agent)
    execution_id = await rig.run(*range(1, len(texts) + 1))
    for agent, text in zip(agents, texts, strict=True):
        order = await rig.courier.start(agent)
        async with rig.courier.together():
            for seq, offset in enumerate(range(0, len(text), chunk)):
                part = text[offset : offset + chunk]
                await rig.courier.output(agent, order, ("stdout", seq, offset, part))
        await rig.courier.result(agent, order, stdout=text)
    await rig.until_stored(execution_id)
    return execution_id


async def find(rig: Rig, execution_id: str, **query: object) -> Message:
    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/logs/search",
        params=query,  # type: ignore[arg-type]  # plain values
        headers=rig.headers(),
    )
    assert answer.status_code == 200, answer.text
    content: Message = answer.json()["content"]
    return content


async def all_matches(rig: Rig, execution_id: str, **query: object) -> list[Message]:
    found: list[Message] = []
    cursor: object = 0
    while cursor is not None:
        page = await find(rig, execution_id, cursor=cursor, **query)
        found += page["matches"]  # type: ignore[arg-type]
        cursor = page["next_cursor"]
    return found


async def test_every_match_is_found_once_also_in_lines_that_frames_cut(rig: Rig) -> None:
    lines = [f"line {n} {'needle' if n % 7 == 0 else 'hay'} {n * 37}" for n in range(3000)]
    text = "".join(f"{line}\n" for line in lines).encode()
    execution_id = await printed(rig, text, chunk=333)

    found = await all_matches(rig, execution_id, q="needle", limit=100)

    assert [(match["number"], match["text"]) for match in found] == [
        (n + 1, line) for n, line in enumerate(lines) if "needle" in line
    ]
    first = str(found[5]["text"])
    begin, end = found[5]["highlights"][0]  # type: ignore[index]
    assert first[begin:end] == "needle"


async def test_a_search_crosses_hosts_or_keeps_to_one(rig: Rig) -> None:
    execution_id = await printed(rig, b"alpha\nboth\n", b"both\nbeta\n")

    everywhere = await all_matches(rig, execution_id, q="both")
    only = await all_matches(rig, execution_id, q="both", host_id=2)

    assert sorted((match["host"], match["text"]) for match in everywhere) == [
        ("host-1", "both"),
        ("host-2", "both"),
    ]
    assert [(match["host"], match["number"]) for match in only] == [("host-2", 1)]
    assert await all_matches(rig, execution_id, q="both", stream="stderr") == []


async def test_patterns_match_within_lines_only(rig: Rig) -> None:
    execution_id = await printed(rig, b"error 17\nok\nwarn 4\nERROR 99 error 5\n")

    async def seen(q: str, **more: object) -> list[object]:
        return [m["number"] for m in await all_matches(rig, execution_id, q=q, **more)]

    assert await seen(r"^error \d+$", regex=True) == [1]
    assert await seen(r"error \d+", regex=True) == [1, 4]
    assert await seen(r"error \d+", regex=True, ignore_case=True) == [1, 4]
    assert await seen("ERROR", ignore_case=True) == [1, 4]
    assert await seen(r"17\s+ok", regex=True) == []
    assert await seen(r"7[^x]*o", regex=True) == []
    assert await seen(r"\d+") == []
    (match,) = await all_matches(rig, execution_id, q="5")
    assert match["highlights"] == [[15, 16]]


async def test_colours_do_not_hide_text_and_characters_count_for_places(rig: Rig) -> None:
    execution_id = await printed(rig, "主机 \x1b[31mER\x1b[0mROR 好\n".encode())

    (match,) = await all_matches(rig, execution_id, q="ERROR")

    assert match["text"] == "主机 ERROR 好"
    assert match["highlights"] == [[3, 8]]


async def test_of_a_long_line_a_window_is_shown(rig: Rig) -> None:
    text = b"x" * 9_000 + b"needle" + b"y" * 3_000 + b"\n"
    execution_id = await printed(rig, text, chunk=60_000)

    (match,) = await all_matches(rig, execution_id, q="needle")

    shown = str(match["text"])
    begin, end = match["highlights"][0]  # type: ignore[index]
    assert shown[begin:end] == "needle"
    assert len(shown) <= 4096
    assert int(str(match["skipped_bytes"])) + begin == 9_000


async def test_a_last_line_without_an_end_is_searched_too(rig: Rig) -> None:
    execution_id = await printed(rig, b"one\nneedle")

    (match,) = await all_matches(rig, execution_id, q="needle")

    assert (match["number"], match["is_open"]) == (2, True)


@pytest.mark.parametrize(
    ("q", "lines"),
    [("(a+)+$", []), ("(a|aa)+b", []), ("(.*)*x", []), ("(a?){100}a{100}", [1])],
    ids=[f"B102-{n}" for n in range(4)],
)
async def test_no_pattern_takes_longer_than_its_text(rig: Rig, q: str, lines: list[int]) -> None:
    """One that is tried again and again from every place would not be over in this life."""
    execution_id = await printed(rig, b"a" * 15_000 + b"!\n", chunk=60_000)

    found = await all_matches(rig, execution_id, q=q, regex=True)

    assert [match["number"] for match in found] == lines


@pytest.mark.parametrize("q", ["(", "[z-a]", "(?=a)", r"\1", "a{1000}{1000}"])
async def test_a_pattern_that_is_none_is_refused(rig: Rig, q: str) -> None:
    execution_id = await rig.run(rig.agent().number)

    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/logs/search",
        params={"q": q, "regex": "true"},
        headers=rig.headers(),
    )

    assert answer.status_code == 422
    assert answer.json()["content"]["error"] == "search_pattern_invalid"


async def test_b102_a_pattern_of_ten_kilobytes_is_refused(rig: Rig) -> None:
    execution_id = await rig.run(rig.agent().number)

    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/logs/search?q={'a' * 6000}", headers=rig.headers()
    )

    assert answer.status_code == 422
