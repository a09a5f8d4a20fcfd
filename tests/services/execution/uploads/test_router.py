"""Uploads through the service's door: pieces, resume, checksums, limits (F60, B103, B105, S51)."""

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import Message

from services.execution.files.service import Files
from services.execution.settings import ExecutionSettings
from tests.support.execution import Rig, operator

UPLOADS = "/api/files/uploads"
CONTENT = os.urandom(300_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
OTHER = operator(8)


async def start(rig: Rig, **changes: Any) -> httpx.Response:
    body = {"name": "app.tar", "size": len(CONTENT), "sha256": SHA, **changes}
    return await rig.http.post(UPLOADS, json=body, headers=rig.headers())


async def begun(rig: Rig, **changes: Any) -> str:
    answer = await start(rig, **changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["content"]["upload_id"])


async def send(rig: Rig, upload_id: str, begin: int, piece: bytes, **more: str) -> httpx.Response:
    return await rig.http.put(
        f"{UPLOADS}/{upload_id}",
        content=piece,
        headers=rig.headers(more={"content-type": "application/octet-stream", **more}),
        params={"offset": begin},
    )


async def complete(rig: Rig, upload_id: str) -> httpx.Response:
    return await rig.http.post(f"{UPLOADS}/{upload_id}/complete", headers=rig.headers())


async def offset_of(rig: Rig, upload_id: str) -> int:
    answer = await rig.http.get(f"{UPLOADS}/{upload_id}", headers=rig.headers())
    return int(answer.json()["content"]["offset"])


def code(answer: httpx.Response) -> str:
    return str(answer.json()["content"]["error"])


async def test_a_file_comes_in_pieces_and_is_kept(rig: Rig) -> None:
    upload_id = await begun(rig)
    for begin in range(0, len(CONTENT), 100_000):
        assert (await send(rig, upload_id, begin, CONTENT[begin : begin + 100_000])).is_success

    answer = await complete(rig, upload_id)

    assert answer.status_code == 201
    file = answer.json()["content"]
    assert (file["sha256"], file["size"], file["name"]) == (SHA, len(CONTENT), "app.tar")
    content = await rig.http.get(f"/api/files/{file['id']}/content", headers=rig.headers())
    assert content.content == CONTENT
    assert not list((rig.folder / "artifacts" / "drafts").iterdir())


@pytest.mark.parametrize("seed", range(5))
async def test_pieces_of_any_size_make_the_same_file(rig: Rig, seed: int) -> None:
    chance = random.Random(seed)
    upload_id = await begun(rig)
    begin = 0
    while begin < len(CONTENT):
        end = begin + chance.choice([1, 17, 4096, 65_536, 120_000])
        answer = await send(rig, upload_id, begin, CONTENT[begin:end])
        begin = answer.json()["content"]["offset"]

    assert (await complete(rig, upload_id)).status_code == 201


async def test_an_empty_file_can_be_uploaded(rig: Rig) -> None:
    upload_id = await begun(rig, size=0, sha256=hashlib.sha256(b"").hexdigest())

    assert (await complete(rig, upload_id)).status_code == 201


async def test_a_range_may_state_the_place(rig: Rig) -> None:
    upload_id = await begun(rig)
    headers = rig.headers(more={"content-range": f"bytes 0-99/{len(CONTENT)}"})

    answer = await rig.http.put(f"{UPLOADS}/{upload_id}", content=CONTENT[:100], headers=headers)

    assert answer.json()["content"]["offset"] == 100


@pytest.mark.parametrize(
    "header", ["bytes 0-10", "0-99", "bytes 99-0/5", "items 0-1/2", "bytes 0-999/*"]
)
async def test_a_range_that_does_not_fit_is_refused(rig: Rig, header: str) -> None:
    upload_id = await begun(rig)
    headers = rig.headers(more={"content-range": header})

    answer = await rig.http.put(f"{UPLOADS}/{upload_id}", content=CONTENT[:100], headers=headers)

    assert (answer.status_code, code(answer)) == (422, "upload_piece_invalid")
    assert await offset_of(rig, upload_id) == 0


@pytest.mark.parametrize("begin", [0, 99_999, 100_001, 10**15])
async def test_resuming_at_a_wrong_offset_is_refused_with_the_right_one(
    rig: Rig, begin: int
) -> None:
    """B105: wrong, overlapping, beyond the end."""
    upload_id = await begun(rig)
    await send(rig, upload_id, 0, CONTENT[:100_000])

    answer = await send(rig, upload_id, begin, b"x" * 10)

    assert (answer.status_code, code(answer)) == (409, "upload_offset_wrong")
    assert answer.json()["content"]["details"] == {"offset": 100_000}


async def test_more_than_was_announced_is_refused(rig: Rig) -> None:
    """B105: declared one thing, sends another."""
    upload_id = await begun(rig, size=1000)

    answer = await send(rig, upload_id, 0, CONTENT)

    assert (answer.status_code, code(answer)) == (422, "upload_piece_invalid")
    assert await offset_of(rig, upload_id) <= 1000


async def test_an_upload_that_is_not_complete_cannot_be_completed(rig: Rig) -> None:
    upload_id = await begun(rig)
    await send(rig, upload_id, 0, CONTENT[:-1])

    answer = await complete(rig, upload_id)

    assert (answer.status_code, code(answer)) == (409, "upload_incomplete")
    assert answer.json()["content"]["details"] == {
        "offset": len(CONTENT) - 1,
        "size": len(CONTENT),
    }


async def test_a_wrong_checksum_throws_the_upload_away(rig: Rig) -> None:
    """F60: checksum mismatch refused."""
    upload_id = await begun(rig, sha256="0" * 64)
    await send(rig, upload_id, 0, CONTENT)

    answer = await complete(rig, upload_id)

    assert (answer.status_code, code(answer)) == (422, "checksum_mismatch")
    assert (await complete(rig, upload_id)).status_code == 404
    assert not list((rig.folder / "artifacts" / "drafts").iterdir())
    assert not list((rig.folder / "artifacts").glob("blobs/*/*"))


async def test_completing_twice_gives_the_same_file(rig: Rig) -> None:
    upload_id = await begun(rig)
    await send(rig, upload_id, 0, CONTENT)

    first, second = await complete(rig, upload_id), await complete(rig, upload_id)

    assert first.json()["content"]["id"] == second.json()["content"]["id"]


async def test_completing_at_the_same_moment_gives_one_file(rig: Rig) -> None:
    upload_id = await begun(rig)
    await send(rig, upload_id, 0, CONTENT)

    answers = await asyncio.gather(*(complete(rig, upload_id) for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    listed = await rig.http.get("/api/files", headers=rig.headers())
    assert listed.json()["content"]["total"] == 1


async def test_nobody_else_can_touch_an_upload(rig: Rig) -> None:
    """F60: owner-bound."""
    upload_id = await begun(rig)
    place, headers = f"{UPLOADS}/{upload_id}", rig.headers(OTHER)

    answers = [
        await rig.http.get(place, headers=headers),
        await rig.http.put(place, content=b"x", headers=headers, params={"offset": 0}),
        await rig.http.post(f"{place}/complete", headers=headers),
        await rig.http.delete(place, headers=headers),
    ]

    assert [code(answer) for answer in answers] == ["upload_not_found"] * 4
    assert await offset_of(rig, upload_id) == 0


async def test_two_clients_of_one_upload_cannot_mix_their_bytes(rig: Rig) -> None:
    """F60: two clients, same upload id; one of them gets through, the other is told."""
    upload_id = await begun(rig)

    async def slowly() -> AsyncIterator[bytes]:
        for begin in range(0, len(CONTENT), 10_000):
            yield CONTENT[begin : begin + 10_000]
            await asyncio.sleep(0)

    def one() -> Any:
        return rig.http.put(
            f"{UPLOADS}/{upload_id}",
            content=slowly(),
            headers=rig.headers(),
            params={"offset": 0},
        )

    answers = await asyncio.gather(one(), one(), one())

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert (await complete(rig, upload_id)).status_code == 201


async def test_what_came_before_a_client_went_away_stays(rig: Rig) -> None:
    """F60: aborted at 99 %, resumed there."""
    upload_id = await begun(rig)

    headers = [(name.lower(), value) for name, value in rig.headers().items()]
    messages: list[Message] = [
        {"type": "http.request", "body": CONTENT[:290_000], "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def answer(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "PUT",
        "path": f"{UPLOADS}/{upload_id}",
        "raw_path": f"{UPLOADS}/{upload_id}".encode(),
        "query_string": b"offset=0",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    await rig.app(scope, receive, answer)

    offset = await offset_of(rig, upload_id)
    assert offset == 290_000
    assert (await send(rig, upload_id, offset, CONTENT[offset:])).is_success
    assert (await complete(rig, upload_id)).status_code == 201


async def test_content_of_ones_own_needs_no_second_upload(rig: Rig) -> None:
    upload_id = await begun(rig)
    await send(rig, upload_id, 0, CONTENT)
    await complete(rig, upload_id)

    again = (await start(rig, name="copy.tar")).json()["content"]
    other = await rig.http.post(
        UPLOADS,
        json={"name": "x", "size": len(CONTENT), "sha256": SHA},
        headers=rig.headers(OTHER),
    )

    assert again["file"]["name"] == "copy.tar"
    assert again["offset"] == len(CONTENT)
    assert other.json()["content"]["file"] is None  # what others have is nobody's business
    assert len(list((rig.folder / "artifacts").glob("blobs/*/*"))) == 1


async def test_a_cancelled_upload_leaves_nothing(rig: Rig) -> None:
    upload_id = await begun(rig)
    await send(rig, upload_id, 0, CONTENT[:1000])

    answer = await rig.http.delete(f"{UPLOADS}/{upload_id}", headers=rig.headers())

    assert answer.status_code == 204
    assert (await complete(rig, upload_id)).status_code == 404
    assert not list((rig.folder / "artifacts" / "drafts").iterdir())


async def test_an_upload_that_stands_still_is_removed(rig: Rig) -> None:
    """B105: temp removed within ten minutes."""
    still, moving = await begun(rig), await begun(rig, name="other")
    await send(rig, still, 0, CONTENT[:1000])
    await send(rig, moving, 0, CONTENT[:1000])
    draft = rig.folder / "artifacts" / "drafts" / still
    os.utime(draft, (1, 1))
    files: Files = rig.app.state.provided[Files]

    await files.sweep()

    assert not draft.exists()
    assert (await send(rig, still, 1000, b"x")).status_code in (404, 409)
    assert (await send(rig, moving, 1000, CONTENT[1000:2000])).is_success
    assert ExecutionSettings().file_upload_seconds + 30 <= 600


@pytest.mark.parametrize(
    "name",
    [
        "../x", "..\\x", "/etc/cron.d/x", "C:\\x", "\\\\srv\\x", "x/../../y", "..", ".", "",
        "...", " ", "x ", "a\x00b", "a\nb", "a\x1bb", "-rf", "n" * 256, "n" * 5000, "\u202egpj.exe",
        "a\u200bb", "\ud800",
    ],
)  # fmt: skip
async def test_names_that_could_be_paths_are_refused(rig: Rig, name: str) -> None:
    """B103: nothing of it is ever used as a path on the server anyway."""
    body = f'{{"name": {ascii_json(name)}, "size": 1, "sha256": "{SHA}"}}'

    answer = await rig.http.post(
        UPLOADS, content=body, headers=rig.headers(more={"content-type": "application/json"})
    )

    assert answer.status_code == 422


def ascii_json(text: str) -> str:
    return '"' + "".join(f"\\u{ord(letter):04x}" for letter in text) + '"'


@pytest.mark.parametrize(
    "name", ["CON", "aux.txt", "x:stream", ".bashrc", "%2e%2e%2fx", "日志.txt"]
)
async def test_odd_names_are_only_shown(rig: Rig, name: str) -> None:
    upload_id = await begun(rig, name=name, size=5, sha256=hashlib.sha256(b"12345").hexdigest())
    await send(rig, upload_id, 0, b"12345")
    await complete(rig, upload_id)

    answer = await rig.http.get(f"/api/files/{upload_id}", headers=rig.headers())

    assert answer.json()["content"]["name"] == name
    stored = [path.name for path in (rig.folder / "artifacts").rglob("*") if path.is_file()]
    assert stored == [hashlib.sha256(b"12345").hexdigest()]


@pytest.mark.parametrize(
    "changes",
    [
        {"size": -1}, {"size": 1.5}, {"size": "1"}, {"size": 2**60}, {"sha256": SHA.upper()},
        {"sha256": "abc"}, {"sha256": None}, {"sha256": "md5:" + "0" * 32}, {"extra": 1},
    ],
)  # fmt: skip
async def test_announcements_that_make_no_sense_are_refused(
    rig: Rig, changes: dict[str, Any]
) -> None:
    assert (await start(rig, **changes)).status_code == 422


async def test_ten_gigabytes_too_many_are_refused_before_a_byte_comes(rig: Rig) -> None:
    answer = await start(rig, size=ExecutionSettings().file_max_bytes + 1)

    assert (answer.status_code, code(answer)) == (413, "file_too_large")


async def test_a_quota_counts_files_and_uploads(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    files: Files = rig.app.state.provided[Files]
    monkeypatch.setattr(files._settings, "file_quota_bytes", 700_000)
    upload_id = await begun(rig)
    await send(rig, upload_id, 0, CONTENT)
    await complete(rig, upload_id)
    await begun(rig, sha256="1" * 64)

    refused = await start(rig, sha256="2" * 64)

    assert (refused.status_code, code(refused)) == (409, "file_quota_exceeded")
    assert refused.json()["content"]["details"]["used"] == 2 * len(CONTENT)
    usage = await rig.http.get("/api/files/usage", headers=rig.headers())
    assert usage.json()["content"]["used_bytes"] == 2 * len(CONTENT)
    other = await rig.http.post(
        UPLOADS, json={"name": "x", "size": 5, "sha256": SHA}, headers=rig.headers(OTHER)
    )
    assert other.status_code == 201


async def test_only_so_many_uploads_of_one_person(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: Files = rig.app.state.provided[Files]
    monkeypatch.setattr(files._settings, "file_uploads_per_user", 2)
    for number in range(2):
        await begun(rig, sha256=f"{number}" * 64)

    refused = await start(rig, sha256="9" * 64)

    assert (refused.status_code, code(refused)) == (429, "uploads_too_many")


async def test_viewers_cannot_upload(rig: Rig) -> None:
    viewer = operator(9, "executions:read")

    answer = await rig.http.post(
        UPLOADS, json={"name": "x", "size": 5, "sha256": SHA}, headers=rig.headers(viewer)
    )

    assert answer.status_code == 403
