"""Moving files at once by a form that brings them along."""

import hashlib
import json
import random
from typing import Any

import httpx
import pytest

from tests.support.courier import Agent
from tests.support.execution import Rig

Message = dict[str, Any]
TRANSFER = "/api/quick/transfer_file"


async def offered(rig: Rig, agent: Agent) -> Message:
    """The next order of an agent."""
    offer: Message = dict(await rig.courier.expect(agent, "offer"))
    order: Message = offer["order"]
    return order


def error(answer: httpx.Response) -> str:
    return str(answer.json()["content"]["error"])


async def form(
    rig: Rig, files: list[tuple[str, tuple[str, bytes]]], key: str = "", **fields: str
) -> httpx.Response:
    data = {"remote_path": "/opt/", "target_host_ids": "[1]", **fields}
    more = {"Idempotency-Key": key} if key else {}
    return await rig.http.post(TRANSFER, data=data, files=files, headers=rig.headers(more=more))


async def library(rig: Rig) -> list[Message]:
    answer = await rig.http.get("/api/files", headers=rig.headers())
    found: list[Message] = answer.json()["content"]["results"]
    return found


async def test_a_form_brings_its_files_along(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)

    answer = await form(rig, [("a", ("one", b"1" * 300_000)), ("b", ("two", b"2"))])

    assert answer.status_code == 201, answer.text
    order = await offered(rig, agent)
    items = {item["path"]: item["sha256"] for item in order["files"]["items"]}
    assert items == {
        "/opt/one": hashlib.sha256(b"1" * 300_000).hexdigest(),
        "/opt/two": hashlib.sha256(b"2").hexdigest(),
    }


async def test_sources_name_the_parts_of_a_form(rig: Rig) -> None:
    agent = rig.agent()
    await rig.courier.connect(agent)
    sources = [{"type": "local", "file_field": "a", "remote_path": "/etc/app.conf"}]

    answer = await form(rig, [("a", ("one", b"1"))], sources=json.dumps(sources))

    assert answer.status_code == 201, answer.text
    order = await offered(rig, agent)
    assert [item["path"] for item in order["files"]["items"]] == ["/etc/app.conf"]


@pytest.mark.parametrize(
    "fields",
    [
        {"remote_path": "relative"},
        {"target_host_ids": "[99]"},
        {"target_host_ids": "1, 2"},
        {"sources": '[{"type": "local", "file_field": "missing"}]'},
        {"nonsense": "1"},
    ],
)
async def test_a_form_that_is_refused_leaves_no_file(rig: Rig, fields: dict[str, str]) -> None:
    rig.agent()

    answer = await form(rig, [("a", ("one", b"1"))], **fields)

    assert 400 <= answer.status_code < 500
    assert await library(rig) == []


@pytest.mark.parametrize("name", ["../x", "a/b", "..", "", "..\\..\\..", "x\x1b"])
async def test_names_of_parts_are_never_paths(rig: Rig, name: str) -> None:
    rig.agent()

    answer = await form(rig, [("a", (name, b"1"))])

    assert 400 <= answer.status_code < 500
    assert await library(rig) == []


async def test_a_repeated_form_sends_nothing_new(rig: Rig) -> None:
    rig.agent()

    first = await form(rig, [("a", ("one", b"1"))], key="k1")
    again = await form(rig, [("a", ("one", b"1"))], key="k1")
    other = await form(rig, [("a", ("one", b"2"))], key="k1")

    assert (first.status_code, again.status_code) == (201, 200)
    assert error(other) == "idempotency_key_reused"
    assert len(await library(rig)) == 1


def part(name: str, content: bytes, file: str | None = None) -> bytes:
    place = f'form-data; name="{name}"' + (f'; filename="{file}"' if file is not None else "")
    return f"--B\r\nContent-Disposition: {place}\r\n\r\n".encode() + content + b"\r\n"


GOOD = part("remote_path", b"/opt/x") + part("target_host_ids", b"[1]")
END = b"--B--\r\n"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"".join(part(f"f{n}", b"") for n in range(300)) + END, "boundary=B"),
        (b'--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n' + END, "boundary=B"),
        (GOOD + part("remote_path", b"/etc") + END, "boundary=B"),
        (GOOD + part("a", b"1", "a"), "boundary=B"),
        (GOOD + END, "boundary=" + "b" * 1000),
        (GOOD + END, ""),
        (b"x" * 3_000_000 + GOOD + END, "boundary=B"),
        (part("a", b"", "y" * 2_000_000) + END, "boundary=B"),
        (GOOD + part("name", b"n" * 2_000_000) + END, "boundary=B"),
        (GOOD + part("name", b"\xff\xfe") + END, "boundary=B"),
        (b"", "boundary=B"),
    ],
    ids=[
        "many parts", "no name", "one name twice", "no end", "long boundary", "no boundary",
        "preamble", "long header", "long field", "no UTF-8", "empty",
    ],
)  # fmt: skip
async def test_broken_forms_are_refused(rig: Rig, body: bytes, kind: str) -> None:
    """B104."""
    rig.agent()

    answer = await rig.http.post(
        TRANSFER,
        content=body,
        headers=rig.headers(more={"content-type": f"multipart/form-data; {kind}"}),
    )

    assert 400 <= answer.status_code < 500
    assert await library(rig) == []


@pytest.mark.parametrize("seed", range(5))
async def test_a_boundary_inside_a_file_is_content(rig: Rig, seed: int) -> None:
    rig.agent()
    chance = random.Random(seed)
    content = b"".join(
        chance.choice([b"--B", b"\r\n", b"--", b"\r\n--", b"\r\n--A", b"x" * 70_000])
        for _ in range(50)
    ).replace(b"\r\n--B", b"\r\n--b")

    answer = await rig.http.post(
        TRANSFER,
        content=GOOD + part("a", content, "file") + END,
        headers=rig.headers(more={"content-type": "multipart/form-data; boundary=B"}),
    )

    assert answer.status_code == 201, answer.text
    (file,) = await library(rig)
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
