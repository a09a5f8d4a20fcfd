"""The transfer program starts with what its errand needs, all of it before the user changes."""

import asyncio
import dataclasses
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agent import errands
from agent.errands import RunUser
from agent.transfer_address import Address
from agent.transfer_report import REASONS
from libs.protocol.orders import FileWork
from tests.support.file_port import PROGRAM, FilePort, file_port

# Names on stderr every module that is looked for from here on; in the second, as another user.
WATCH = """
import sys, posix
def _look(event, values):
    if event == "import" and (%s):
        sys.stderr.write(f"late: {values[0]}\\n")
sys.addaudithook(_look)
"""
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[FilePort]:
    (tmp_path / "platform").mkdir()
    async with file_port(tmp_path / "platform") as made:
        yield made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder of the user `nobody`, with something in it."""
    folder = Path(f"/tmp/opsjob-start-{os.getpid()}")
    folder.mkdir(mode=0o755)
    (folder / "logs").mkdir()
    (folder / "logs" / "a.log").write_bytes(b"a")
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


async def run(command: list[str], errand: errands.Errand, folder: Path) -> tuple[int, str]:
    """The program by another command; its exit code and what it wrote to stderr."""
    order = folder / "order.json"
    order.write_text(errand.write())
    return await started([*command, str(order)])


async def started(command: list[str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, stderr = await process.communicate()
    return process.returncode or 0, stderr.decode()


def watched(condition: str) -> list[str]:
    """The program, telling what it imports while that holds, once the spawner's part is in."""
    *python, start, paths = PROGRAM
    before, call = start.split("from agent.transfer")
    return [*python, f"{before}\n{WATCH % condition}from agent.transfer{call}", paths]


async def test_a_push_needs_no_more_than_the_spawner_has_imported(
    port: FilePort, tmp_path: Path
) -> None:
    """A module costs every push of a small file one to ten milliseconds on every host."""
    item = port.item(b"content", f"{tmp_path}/host/app")
    errand = port.errand(FileWork(target="/", items=(item,)), "push")

    code, stderr = await run(watched("True"), errand, port.folder)

    assert (code, stderr) == (0, "")


async def test_what_is_imported_late_is_told(port: FilePort, tmp_path: Path) -> None:
    """Else the test before could not fail."""
    (tmp_path / "a.log").write_bytes(b"a")
    work = FileWork(target="/", patterns=(f"{tmp_path}/*.log",), ticket=port.ticket("bring"))

    code, stderr = await run(watched("True"), port.errand(work, "collect"), port.folder)

    assert code == 0
    assert "late: tarfile" in stderr


def _work(kind: str, port: FilePort, folder: Path) -> FileWork:
    """An order of a kind, for somebody who may work in this folder only."""
    if kind == "collect":
        ticket = port.ticket("bring")
        return FileWork(target="/", patterns=(f"{folder}/logs/*.log",), ticket=ticket)
    archive = bytes(1024) if kind == "tree" else b"content"
    item = port.item(archive, f"{folder}/app", is_tree=kind == "tree")
    if kind == "refused":
        item = dataclasses.replace(item, ticket="none")
    return FileWork(target="/", items=(item,))


@as_root
@pytest.mark.parametrize("kind", ["push", "tree", "collect", "refused"])
async def test_nothing_is_imported_as_another_user(
    kind: str, port: FilePort, open_folder: Path
) -> None:
    """Who may be unable to read our code."""
    work = _work(kind, port, open_folder)
    errand = port.errand(
        work,
        "collect" if kind == "collect" else "push",
        user=RunUser(NOBODY, NOBODY, []),
    )

    code, stderr = await run(watched("posix.geteuid()"), errand, port.folder)

    assert (code, "late" in stderr) == (30 if kind == "refused" else 0, False), stderr


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"target": None}, "target"), ({"owners": "x"}, "owners"), ({"items": [{}]}, "path")],
)
async def test_an_errand_of_another_shape_is_refused(
    change: dict[str, object], sentence: str, port: FilePort, tmp_path: Path
) -> None:
    errand = json.loads(port.errand(FileWork(target="/"), "push").write())
    order = tmp_path / "order.json"
    order.write_text(json.dumps({**errand, "work": {**errand["work"], **change}}))

    code, stderr = await started([*PROGRAM, str(order)])

    assert REASONS[str(code)] == "order_invalid"
    assert sentence in stderr


@pytest.mark.parametrize(
    "text",
    [
        "http://gateway",
        "https://gateway",
        "HTTPS://Gateway.Example/",
        "http://gateway:8080",
        "http://gateway:",
        "http://gateway:0/",
        "http://10.0.0.1:8080/base/",
        "https://[::1]",
        "https://[2001:DB8::1]:8443/a/b",
        "http://[fe80::1%Eth0]:8080",
        "http://user:secret@gateway:8080/base",
        "http://user@[::1]:8080",
        "http://gateway:8080/base?x=/y#z",
        "http://gateway?x",
        "http://gateway#z",
        " http://gateway:80\n",
    ],
)
def test_addresses_are_read_as_the_library_reads_them(text: str) -> None:
    parts, address = urlsplit(text), Address(text)
    usual = 443 if parts.scheme == "https" else 80

    assert address.is_secure == (parts.scheme == "https")
    assert (address.host, address.port) == (parts.hostname, parts.port or usual)
    assert address.shown == parts.netloc.rpartition("@")[2]
    assert address.base == parts.path.rstrip("/")


@pytest.mark.parametrize(
    "text", ["http://gateway:http", "http://gateway:70000", "http://gateway:-1", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        Address(text)
