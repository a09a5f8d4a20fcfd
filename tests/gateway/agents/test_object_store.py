"""Agents fetch and bring as before when the files of the platform lie in an object store."""

import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.kit.artifacts import store_of
from tests.gateway.agents.test_files import ask, fetch
from tests.support.file_port import FilePort, file_port
from tests.support.s3 import Objects, S3Line, wipe

CONTENT = os.urandom(3_000_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
async def port(tmp_path: Path, s3_bucket: Objects, s3_line: S3Line) -> AsyncIterator[FilePort]:
    """The port with its store in a bucket."""
    folder = tmp_path / "platform"
    store = store_of(folder, lambda: s3_bucket.settings(s3_line))
    async with file_port(folder, store) as made:
        yield made


async def test_an_agent_asks_again_until_the_content_has_come(
    port: FilePort, s3_line: S3Line, tmp_path: Path
) -> None:
    item = port.item(CONTENT, str(tmp_path / "arrived"))
    wipe(port.folder)
    s3_line.hold_after = 1_000_000

    status, headers, body = await ask(port.port, fetch(item.ticket, SHA))
    s3_line.flows.set()
    done = await port.push(item)

    assert (status, json.loads(body)["content"]["error"]) == (503, "content_coming")
    assert headers["retry-after"] == "1"
    assert done.code == 0, done.stderr
    assert (tmp_path / "arrived").read_bytes() == CONTENT


async def test_what_is_wrong_in_the_bucket_reaches_no_host(
    port: FilePort, s3_bucket: Objects, tmp_path: Path
) -> None:
    item = port.item(CONTENT, str(tmp_path / "arrived"))
    wipe(port.folder)
    s3_bucket.put(f"blobs/{SHA[:2]}/{SHA}", CONTENT[::-1])

    done = await port.push(item)

    assert done.reason == "source_missing"
    assert not (tmp_path / "arrived").exists()


async def test_what_an_agent_brings_lands_in_the_bucket(
    port: FilePort, s3_bucket: Objects, tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(CONTENT)

    done = await port.collect(str(tmp_path / "log"))

    assert done.code == 0, done.stderr
    (brought,) = port.librarian.entered
    assert s3_bucket.names() == [f"blobs/{brought.sha256[:2]}/{brought.sha256}"]
    assert CONTENT in s3_bucket.get(s3_bucket.names()[0])
