"""The library over an object store, through the service's door: nothing changes but the place."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from libs.kit.redis import Redis
from services.execution.app import service
from services.execution.files.service import Files
from tests.support.database import Declared
from tests.support.execution import Rig, running
from tests.support.s3 import Objects, S3Line, wipe
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

CONTENT = os.urandom(400_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
NAME = f"blobs/{SHA[:2]}/{SHA}"


@pytest.fixture
async def rig(
    database_url: Callable[[Declared], str],
    redis: Redis,
    redis_url: str,
    tmp_path: Path,
    s3_bucket: Objects,
    s3_line: S3Line,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Rig]:
    """The service with its files in a bucket."""
    for name, value in s3_bucket.environment(s3_line).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OPSJOB_EXECUTION_FILE_UNUSED_SECONDS", "0")
    async with running(database_url(service), redis_url, tmp_path) as made:
        yield made


async def sent(rig: Rig) -> str:
    """An upload of which all pieces are there; where it is completed."""
    started = await rig.http.post(
        "/api/files/uploads",
        json={"name": "app.tar", "size": len(CONTENT), "sha256": SHA},
        headers=rig.headers(),
    )
    place = f"/api/files/uploads/{started.json()['content']['upload_id']}"
    await rig.http.put(place, content=CONTENT, headers=rig.headers(), params={"offset": 0})
    return place


async def complete(rig: Rig, place: str) -> httpx.Response:
    return await rig.http.post(f"{place}/complete", headers=rig.headers())


async def download(rig: Rig, place: str, **headers: str) -> httpx.Response:
    path = place.replace("/uploads", "") + "/content"
    return await rig.http.get(path, headers=rig.headers(None, headers))


async def test_an_upload_lands_in_the_bucket_and_comes_back_whole_or_in_ranges(
    rig: Rig, s3_bucket: Objects
) -> None:
    place = await sent(rig)
    assert (await complete(rig, place)).status_code == 201
    assert s3_bucket.get(NAME) == CONTENT
    wipe(rig.folder / "artifacts")

    assert (await download(rig, place)).content == CONTENT
    part = await download(rig, place, range="bytes=399990-")
    assert (part.status_code, part.content) == (206, CONTENT[-10:])

    gone = await rig.http.delete(place.replace("/uploads", ""), headers=rig.headers())
    assert gone.status_code == 204
    await rig.app.state.provided[Files].sweep()
    assert s3_bucket.names() == []


async def test_while_the_store_is_away_an_upload_waits_complete_and_loses_nothing(
    rig: Rig, s3_bucket: Objects, s3_line: S3Line
) -> None:
    place = await sent(rig)
    s3_line.is_refusing = True

    refused = await complete(rig, place)

    assert refused.status_code == 503
    assert refused.json()["content"]["error"] == "object_store_unavailable"
    assert refused.headers["retry-after"]
    state = (await rig.http.get(place, headers=rig.headers())).json()["content"]
    assert (state["offset"], state["file"]) == (len(CONTENT), None)
    assert s3_bucket.names() == []
    s3_line.is_refusing = False

    async def is_done() -> bool:
        return (await complete(rig, place)).status_code == 201

    await eventually(is_done)
    assert (await download(rig, place)).content == CONTENT


async def test_wrong_and_missing_content_is_said_by_a_code_of_its_own(
    rig: Rig, s3_bucket: Objects, s3_line: S3Line
) -> None:
    place = await sent(rig)
    assert (await complete(rig, place)).status_code == 201
    wipe(rig.folder / "artifacts")

    s3_line.is_refusing = True
    away = await download(rig, place)
    s3_line.is_refusing = False
    s3_bucket.put(NAME, CONTENT[::-1])

    async def is_damaged() -> bool:
        answer = await download(rig, place)
        return (answer.status_code, answer.json()["content"]["error"]) == (404, "content_damaged")

    await eventually(is_damaged)
    assert (away.status_code, away.json()["content"]["error"]) == (503, "object_store_unavailable")
