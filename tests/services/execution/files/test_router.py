"""The library through the service's door: whose files, safe headers, what is in use or swept."""

import hashlib
import io
import os
import tarfile
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from libs.contracts.execution import CollectedFile
from libs.kit import clock
from libs.kit.artifacts import Drafts
from libs.kit.auth import Principal
from services.execution.files.service import Files
from tests.support.execution import Rig, operator

CONTENT = os.urandom(50_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
OTHER = operator(8)
ADMIN = operator(1, "*")


async def uploaded(
    rig: Rig, name: str = "app.tar", content: bytes = CONTENT, by: Principal | None = None
) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    started = await rig.http.post(
        "/api/files/uploads",
        json={"name": name, "size": len(content), "sha256": sha256},
        headers=rig.headers(by),
    )
    upload = started.json()["content"]
    place = f"/api/files/uploads/{upload['upload_id']}"
    if upload["file"] is None:
        await rig.http.put(place, content=content, headers=rig.headers(by), params={"offset": 0})
        done = await rig.http.post(f"{place}/complete", headers=rig.headers(by))
        assert done.status_code == 201, done.text
    return str(upload["upload_id"])


async def ask(rig: Rig, path: str, by: Principal | None = None, **headers: str) -> httpx.Response:
    return await rig.http.get(path, headers=rig.headers(by, headers))


def stored(rig: Rig) -> list[str]:
    return sorted(path.name for path in (rig.folder / "artifacts").glob("blobs/*/*"))


async def test_files_are_listed_for_their_owner(rig: Rig) -> None:
    mine = await uploaded(rig)
    theirs = await uploaded(rig, name="theirs", by=OTHER)

    def ids(answer: httpx.Response) -> set[str]:
        return {row["id"] for row in answer.json()["content"]["results"]}

    assert ids(await ask(rig, "/api/files")) == {mine}
    assert ids(await ask(rig, "/api/files", OTHER)) == {theirs}
    assert ids(await ask(rig, "/api/files", ADMIN)) == {mine, theirs}
    assert ids(await ask(rig, "/api/files?search=the", ADMIN)) == {theirs}
    assert ids(await ask(rig, "/api/files?kind=collected", ADMIN)) == set()


@pytest.mark.parametrize("path", ["", "/content"])
async def test_files_of_others_do_not_exist(rig: Rig, path: str) -> None:
    mine = await uploaded(rig)

    answer = await ask(rig, f"/api/files/{mine}{path}", OTHER)

    assert answer.status_code == 404
    assert answer.json()["content"]["error"] == "file_not_found"
    gone = await rig.http.delete(f"/api/files/{mine}", headers=rig.headers(OTHER))
    assert gone.status_code == 404
    assert stored(rig) == [SHA]


async def test_a_download_is_never_shown_by_a_browser(rig: Rig) -> None:
    """S50."""
    file_id = await uploaded(rig, name='日志 "x"; évil.html')

    answer = await ask(rig, f"/api/files/{file_id}/content")

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == (
        'attachment; filename="____x____vil.html"; '
        "filename*=UTF-8''%E6%97%A5%E5%BF%97%20%22x%22%3B%20%C3%A9vil.html"
    )
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_part_can_be_downloaded(rig: Rig) -> None:
    file_id = await uploaded(rig)

    part = await ask(rig, f"/api/files/{file_id}/content", Range="bytes=100-199")
    rest = await ask(rig, f"/api/files/{file_id}/content", Range="bytes=49990-")
    none = await ask(rig, f"/api/files/{file_id}/content", Range="bytes=50000-")

    assert (part.status_code, part.content) == (206, CONTENT[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(CONTENT)}"
    assert (rest.status_code, rest.content) == (206, CONTENT[49_990:])
    assert (none.status_code, none.json()["content"]["error"]) == (416, "range_not_satisfiable")


async def test_content_goes_with_its_last_file(rig: Rig) -> None:
    first, second = await uploaded(rig), await uploaded(rig, by=OTHER)
    files: Files = rig.app.state.provided[Files]
    later = clock.now() + timedelta(minutes=11)

    await rig.http.delete(f"/api/files/{first}", headers=rig.headers())
    with time_machine.travel(later, tick=False):
        await files.sweep()
    assert stored(rig) == [SHA]
    answer = await rig.http.delete(f"/api/files/{second}", headers=rig.headers(OTHER))
    assert answer.status_code == 204
    await files.sweep()
    assert stored(rig) == [SHA]  # somebody may upload the same again in a moment
    with time_machine.travel(later, tick=False):
        await files.sweep()

    assert stored(rig) == []
    assert (await uploaded(rig)) is not None
    assert stored(rig) == [SHA]


async def collected(rig: Rig, number: int, archive: bytes) -> tuple[str, CollectedFile]:
    """A collect task of a new agent, and what its gateway would tell."""
    agent = rig.agent(number)
    answer = await rig.http.post(
        "/api/executor/execution-records",
        json={
            "steps": [{"name": "fetch", "kind": "collect", "file": {"paths": ["/var/log/*"]}}],
            "target_host_ids": [number],
        },
        headers=rig.headers(),
    )
    assert answer.status_code == 201, answer.text
    execution_id = str(answer.json()["content"]["execution_id"])
    listed = await ask(rig, f"/api/executor/execution-records/{execution_id}/tasks")
    task = listed.json()["content"]["results"][0]
    told = CollectedFile(
        task_id=task["id"],
        attempt=1,
        agent_id=agent.id,
        sha256=hashlib.sha256(archive).hexdigest(),
        size=len(archive),
        file_count=1,
        is_new=True,
    )
    files: Files = rig.app.state.provided[Files]
    drafts = Drafts(rig.folder / "by-gateway")
    with drafts.append_at("one", 0) as draft:
        draft.write(archive)
    files.store.keep(drafts.path("one"), told.sha256)
    drafts.discard("one")
    return execution_id, told


async def tell(rig: Rig, told: CollectedFile, **changes: Any) -> httpx.Response:
    token = rig.tokens.issue("execution/internal", Principal.of_service("agent-gateway"), "x")
    return await rig.http.post(
        "/internal/execution/collected",
        json=told.model_copy(update=changes).model_dump(),
        headers={"Authorization": f"Bearer {token}"},
    )


def archive_of(*names: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mode = 3, 0o4755
            archive.addfile(member, io.BytesIO(b"abc"))
    return content.getvalue()


async def test_what_an_agent_brought_is_in_the_library_once(rig: Rig) -> None:
    execution_id, told = await collected(rig, 1, archive_of("var/log/x"))

    first, again = await tell(rig, told), await tell(rig, told, is_new=False)

    assert first.status_code == 200, first.text
    assert first.json()["content"] == again.json()["content"]
    listed = await ask(rig, f"/api/files?execution_id={execution_id}")
    (file,) = listed.json()["content"]["results"]
    assert (file["kind"], file["host_id"], file["user_id"]) == ("collected", 1, 7)
    assert file["expires_at"] is not None


@pytest.mark.parametrize(
    "changes",
    [{"agent_id": "agent-of-others"}, {"attempt": 2}, {"task_id": "no-such"}, {"is_new": False}],
)
async def test_only_its_own_agent_brings_something_for_a_task(
    rig: Rig, changes: dict[str, Any]
) -> None:
    _, told = await collected(rig, 1, archive_of("var/log/x"))

    answer = await tell(rig, told, **changes)

    assert answer.json()["content"]["error"] == "file_task_not_found"
    assert (await ask(rig, "/api/files", ADMIN)).json()["content"]["total"] == 0


async def test_the_archive_of_a_run_has_a_folder_for_each_host(rig: Rig) -> None:
    execution_id, told = await collected(rig, 1, archive_of("var/log/x", "var/log/y"))
    await tell(rig, told)

    answer = await ask(rig, f"/api/executor/execution-records/{execution_id}/collected")

    assert answer.status_code == 200
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = {member.name: member for member in archive}
        folder = min(names, key=len)
        assert set(names) == {folder, f"{folder}/var/log/x", f"{folder}/var/log/y"}
        found = archive.extractfile(names[f"{folder}/var/log/x"])
        assert found is not None
        assert found.read() == b"abc"
        assert names[f"{folder}/var/log/x"].mode == 0o755


async def test_names_of_an_evil_host_do_no_harm(rig: Rig) -> None:
    """C7: what an agent packed is never believed."""
    bad = ("../../etc/x", "/etc/shadow", "a/../../b", "x\\..\\y")
    execution_id, told = await collected(rig, 1, archive_of(*bad))
    await tell(rig, told)

    answer = await ask(rig, f"/api/executor/execution-records/{execution_id}/collected")

    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        for member in archive:
            assert ".." not in member.name.split("/")
            assert not member.name.startswith("/")


async def test_a_run_that_collected_nothing_has_no_archive(rig: Rig) -> None:
    execution_id, _ = await collected(rig, 1, b"")

    answer = await ask(rig, f"/api/executor/execution-records/{execution_id}/collected")
    missing = await ask(rig, "/api/executor/execution-records/nothing/collected")

    assert answer.json()["content"]["error"] == "nothing_collected"
    assert missing.json()["content"]["error"] == "execution_not_found"


async def test_a_file_that_a_run_sends_cannot_be_deleted_yet(rig: Rig) -> None:
    rig.agent(1)
    file_id = await uploaded(rig)
    answer = await rig.http.post(
        "/api/executor/execution-records",
        json={
            "steps": [
                {
                    "name": "send",
                    "kind": "push",
                    "file": {"sources": [{"artifact_id": file_id}], "remote_path": "/opt/x"},
                }
            ],
            "target_host_ids": [1],
        },
        headers=rig.headers(),
    )
    execution_id = answer.json()["content"]["execution_id"]

    refused = await rig.http.delete(f"/api/files/{file_id}", headers=rig.headers())
    await rig.http.post(
        f"/api/executor/execution-records/{execution_id}/cancel", headers=rig.headers()
    )
    allowed = await rig.http.delete(f"/api/files/{file_id}", headers=rig.headers())

    assert (refused.status_code, refused.json()["content"]["error"]) == (409, "file_in_use")
    assert allowed.status_code == 204
