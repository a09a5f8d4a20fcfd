"""Downloads: the very bytes, streams apart, safe names, nothing silently missing."""

import io
import zipfile

import httpx
import pytest

from tests.support.courier import Agent, Message
from tests.support.execution import Rig

pytestmark = pytest.mark.anyio

RECORDS = "/api/executor/execution-records"
NASTY = b"\x1b[31mred\x1b[0m \xff\x00 data: x\n\n"


async def started(rig: Rig, count: int) -> tuple[str, list[tuple[Agent, Message]]]:
    agents = [rig.agent(number) for number in range(1, count + 1)]
    for agent in agents:
        await rig.courier.connect(agent)
    execution_id = await rig.run(*range(1, count + 1), name="../../etc/passwd")
    return execution_id, [(agent, await rig.courier.start(agent)) for agent in agents]


async def two_hosts(rig: Rig) -> str:
    execution_id, pairs = await started(rig, 2)
    for agent, order in pairs:
        out, err = NASTY + b"%d" % agent.number, b"no\n"
        await rig.courier.output(agent, order, ("stdout", 0, 0, out), ("stderr", 0, 0, err))
        await rig.courier.result(agent, order, stdout=out, stderr=err)
    await rig.until_stored(execution_id)
    return execution_id


async def get(rig: Rig, execution_id: str, query: str) -> httpx.Response:
    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/logs/download?{query}", headers=rig.headers()
    )
    assert answer.status_code == 200, answer.text
    return answer


async def test_one_stream_of_one_host_is_what_it_wrote(rig: Rig) -> None:
    execution_id = await two_hosts(rig)

    answer = await get(rig, execution_id, "host_id=2&stream=stdout")

    assert answer.content == NASTY + b"2"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="execution-')
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_several_hosts_in_one_text_are_told_apart(rig: Rig) -> None:
    execution_id = await two_hosts(rig)

    text = (await get(rig, execution_id, "")).content

    titles = [line for line in text.split(b"\n") if line.startswith(b"=====")]
    assert [title.split(b" / ")[-2:] for title in titles] == [
        [b"host-1", b"stdout ====="],
        [b"host-1", b"stderr ====="],
        [b"host-2", b"stdout ====="],
        [b"host-2", b"stderr ====="],
    ]
    assert text.count(NASTY) == 2


async def test_an_archive_holds_each_stream_under_a_safe_name(rig: Rig) -> None:
    execution_id = await two_hosts(rig)

    answer = await get(rig, execution_id, "format=zip")

    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert [name.split("/")[1:] for name in names] == [
        ["host-1-1", "stdout.log"],
        ["host-1-1", "stderr.log"],
        ["host-2-2", "stdout.log"],
        ["host-2-2", "stderr.log"],
    ]
    assert all(".." not in name and not name.startswith("/") for name in names)
    assert archive.read(names[2]) == NASTY + b"2"


async def test_r18_missing_bytes_are_said_in_the_file(rig: Rig) -> None:
    execution_id, ((agent, order),) = await started(rig, 1)
    await rig.courier.output(agent, order, ("stdout", 0, 0, b"head"))
    await rig.courier.gap(
        agent, order, stream="stdout", seq=1, offset=4, length=900, reason="spool_full"
    )
    await rig.courier.output(agent, order, ("stdout", 2, 904, b"tail"))
    await rig.courier.result(agent, order, stdout=b"x" * 908)
    await rig.until_task(execution_id, log_status="gap")

    answer = await get(rig, execution_id, "")

    assert answer.content == b"head\n[opsjob: 900 bytes are missing here: spool_full]\ntail"


async def test_a_download_of_nothing_is_empty(rig: Rig) -> None:
    execution_id = await rig.run(rig.agent().number)

    assert (await get(rig, execution_id, "")).content == b""
    empty = await get(rig, execution_id, "format=zip")
    assert zipfile.ZipFile(io.BytesIO(empty.content)).namelist() == []


async def test_b100_a_download_of_an_unknown_execution_is_not_found(rig: Rig) -> None:
    answer = await rig.http.get(f"{RECORDS}/nobody/logs/download", headers=rig.headers())

    assert (answer.status_code, answer.json()["content"]["error"]) == (404, "execution_not_found")
