"""Which checksum a host holds a file against, where the order says two."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import file_port as file_ports
from tests.support.file_port import FilePort, file_port

LARGE = os.urandom(3_000_000)


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[FilePort]:
    (tmp_path / "platform").mkdir()
    async with file_port(tmp_path / "platform") as made:
        yield made


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of the host."""
    folder = tmp_path / "host"
    folder.mkdir()
    return folder


async def test_the_quicker_checksum_decides_where_it_is_known(port: FilePort, host: Path) -> None:
    item = port.item(LARGE, f"{host}/app")

    done = await port.push(item, blake3={item.sha256: "0" * 64})

    assert done.reason == "checksum_mismatch"
    assert os.listdir(host) == []


async def test_a_host_without_blake3_checks_the_other(
    port: FilePort, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *python, start, paths = file_ports.PROGRAM
    without = start.replace("import agent", "sys.modules['blake3'] = None; import agent", 1)
    monkeypatch.setattr(file_ports, "PROGRAM", (*python, without, paths))

    item = port.item(LARGE, f"{host}/app")

    done = await port.push(item, blake3={item.sha256: "0" * 64})

    assert done.code == 0
    assert (host / "app").read_bytes() == LARGE
