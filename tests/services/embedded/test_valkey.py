"""Which server is taken, and which data it may open."""

import json
from pathlib import Path

import pytest

from services.embedded import valkey
from services.embedded.options import StartRefused


def server(path: Path, says: str) -> Path:
    """A program that calls itself some version of a server."""
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_wheel_brings_a_server_that_is_new_enough() -> None:
    assert valkey.server_version(valkey.find_binary()) >= (9, 1, 0)


def test_versions_of_valkey_and_redis_are_read(tmp_path: Path) -> None:
    redis = server(tmp_path / "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=libc")

    assert valkey.server_version(redis) == (7, 0, 15)


def test_another_program_is_refused(tmp_path: Path) -> None:
    other = server(tmp_path / "other", "hello")

    with pytest.raises(StartRefused, match="does not look like"):
        valkey.server_version(other)


def test_a_newer_server_may_take_over_and_an_older_may_not(tmp_path: Path) -> None:
    record = tmp_path / "server.json"
    old = server(tmp_path / "old", "Server v=8.1.2 sha=0")
    new = server(tmp_path / "new", "Server v=9.1.2 sha=0")

    valkey.refuse_downgrade(record, old)
    valkey.refuse_downgrade(record, new)

    assert json.loads(record.read_text())["version"] == "9.1.2"
    with pytest.raises(StartRefused, match="older server"):
        valkey.refuse_downgrade(record, old)
    assert json.loads(record.read_text())["version"] == "9.1.2"


@pytest.mark.parametrize("content", ["", "{}", '{"version": "x"}', "[]"])
def test_a_damaged_record_is_refused(tmp_path: Path, content: str) -> None:
    record = tmp_path / "server.json"
    record.write_text(content)

    with pytest.raises(StartRefused, match="damaged"):
        valkey.refuse_downgrade(record, server(tmp_path / "s", "Server v=9.1.2 sha=0"))
