"""Output that moved to an object store reads as before; what is wrong there is said."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from libs.kit.redis import Redis
from services.execution.app import service
from tests.services.execution.upkeep.test_service import RECORDS, TEXT, chunks, files, printed, read
from tests.support.database import Declared
from tests.support.execution import Rig, running
from tests.support.s3 import Objects, S3Line, wipe
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

HURRY = {
    "LOG_PACK_SECONDS": "0.05",
    "LOG_REPLACED_SECONDS": "0.05",
    "LOG_ARCHIVE_DAYS": "0",
    "SWEEP_SECONDS": "0.05",
}


@pytest.fixture
async def rig(
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    s3_bucket: Objects,
    s3_line: S3Line,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Rig]:
    """The service in a hurry: packs and moves at once; parameters are further settings."""
    for name, value in (HURRY | getattr(request, "param", {})).items():
        monkeypatch.setenv(f"OPSJOB_EXECUTION_{name}", value)
    for name, value in s3_bucket.environment(s3_line).items():
        monkeypatch.setenv(name, value)
    async with running(database_url(service), redis_url, tmp_path) as made:
        yield made


async def archived(rig: Rig, bucket: Objects) -> str:
    """Wait until all of the output lies in the bucket, and nothing of it on the disk."""
    await eventually(lambda: not files(rig, ""), timeout=30)
    wipe(rig.folder / "archive")
    (name,) = await asyncio.to_thread(bucket.names)
    return name


async def test_every_way_of_reading_finds_what_has_moved(rig: Rig, s3_bucket: Objects) -> None:
    execution_id = await printed(rig)
    before = await chunks(rig, execution_id)

    name = await archived(rig, s3_bucket)

    assert name.startswith("logs/")
    assert await chunks(rig, execution_id) == before
    assert len(list((rig.folder / "archive").iterdir())) == 1
    wipe(rig.folder / "archive")
    page = await read(rig, execution_id, "logs/lines", from_line=7_999, limit=5)
    assert page["total"] == 8_000
    assert [line["text"] for line in page["lines"]] == [  # type: ignore[attr-defined]  # JSON
        f"{number:06d} the quick brown fox" for number in (7_998, 7_999)
    ]
    found = await read(rig, execution_id, "logs/search", q="007999 the")
    assert len(found["matches"]) == 1  # type: ignore[arg-type]  # JSON


async def test_a_download_of_what_has_moved_is_complete(rig: Rig, s3_bucket: Objects) -> None:
    execution_id = await printed(rig)
    await archived(rig, s3_bucket)

    answer = await rig.http.get(
        f"{RECORDS}/{execution_id}/logs/download", headers=rig.headers(), params={"format": "txt"}
    )

    assert answer.content == TEXT


async def test_while_the_store_is_away_nothing_is_called_damaged(
    rig: Rig, s3_bucket: Objects, s3_line: S3Line
) -> None:
    execution_id = await printed(rig)
    await archived(rig, s3_bucket)
    s3_line.is_refusing = True

    answer = await rig.http.get(f"{RECORDS}/{execution_id}/logs/lines", headers=rig.headers())

    assert answer.status_code == 503
    assert answer.json()["content"]["error"] == "object_store_unavailable"
    s3_line.is_refusing = False

    async def is_back() -> bool:
        answer = await rig.http.get(f"{RECORDS}/{execution_id}/logs/lines", headers=rig.headers())
        return answer.status_code == 200 and answer.json()["content"]["total"] == 8_000

    await eventually(is_back)


async def test_output_waits_on_the_disk_while_the_store_is_away(
    rig: Rig, s3_bucket: Objects, s3_line: S3Line
) -> None:
    s3_line.is_refusing = True
    execution_id = await printed(rig)
    await eventually(lambda: files(rig, ".olz") and not files(rig, ".log"))
    assert "".join(str(c["text"]) for c in await chunks(rig, execution_id)).encode() == TEXT

    s3_line.is_refusing = False

    await archived(rig, s3_bucket)
    assert "".join(str(c["text"]) for c in await chunks(rig, execution_id)).encode() == TEXT


@pytest.mark.parametrize("is_lost", [True, False], ids=["missing", "wrong"])
async def test_an_object_that_is_not_what_was_kept_is_a_named_gap(
    rig: Rig, s3_bucket: Objects, is_lost: bool
) -> None:
    execution_id = await printed(rig)
    name = await archived(rig, s3_bucket)
    if is_lost:
        s3_bucket.delete(name)
    else:
        data = bytearray(s3_bucket.get(name))
        data[100] ^= 0xFF
        s3_bucket.put(name, bytes(data))

    found = await chunks(rig, execution_id)

    assert "log_damaged" in {chunk["reason"] for chunk in found}
    assert {chunk["reason"] for chunk in found} <= {"log_damaged", None}


@pytest.mark.parametrize("rig", [{"LOG_KEEP_BYTES": "40000"}], indirect=True)
async def test_retention_removes_what_has_moved(rig: Rig, s3_bucket: Objects) -> None:
    first = await printed(rig, 1)
    await archived(rig, s3_bucket)

    await printed(rig, 2, TEXT.replace(b"quick", b"QUICK"))

    async def is_gone() -> bool:
        return not [name for name in await asyncio.to_thread(s3_bucket.names) if first in name]

    await eventually(is_gone, timeout=30)
    (chunk,) = await chunks(rig, first)
    assert chunk["reason"] == "log_expired"
