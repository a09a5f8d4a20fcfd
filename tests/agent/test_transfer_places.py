"""Where files are put while others change folders, disks fill up or programs run (S17, B108)."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent.transfer_folders import Policy, opened
from agent.transfer_place import Looks, Partial
from agent.transfer_report import TransferFailed
from tests.support.file_port import FilePort, file_port

SMALL = b"new content\n"
SWAP = """
import os, sys
os.chdir(sys.argv[1])
while True:
    os.rename("logs", "aside")
    os.rename("trap", "logs")
    os.rename("logs", "trap")
    os.rename("aside", "logs")
"""


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[FilePort]:
    async with file_port(tmp_path / "platform") as made:
        yield made


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of the host."""
    folder = tmp_path / "host"
    folder.mkdir()
    return folder


def _place_many(folder: Path, rounds: int) -> set[str]:
    """Place a file below a folder that somebody swaps; how the attempts ended."""
    policy = Policy.of(state=str(folder / "no-such-state"))
    ends: set[str] = set()
    for number in range(rounds):
        try:
            with opened(str(folder / "shared" / "logs"), policy) as place:
                partial = Partial.fresh(place)
                try:
                    partial.write(b"content")
                    partial.place(f"file{number % 3}", Looks(), "overwrite")
                finally:
                    partial.close()
            ends.add("placed")
        except TransferFailed as failure:
            ends.add(failure.reason)
    return ends


@pytest.mark.parametrize("rounds", [300, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_a_swapped_folder_never_leads_elsewhere(host: Path, rounds: int) -> None:
    """S17, B108: a symlinked parent swapped during the write, again and again."""
    (host / "shared" / "logs").mkdir(parents=True)
    (host / "secret").mkdir()
    (host / "shared" / "trap").symlink_to(host / "secret")
    (host / "shared").chmod(0o777)
    swapper = await asyncio.create_subprocess_exec(sys.executable, "-c", SWAP, str(host / "shared"))
    try:
        ends = await asyncio.to_thread(_place_many, host, rounds)
    finally:
        swapper.kill()
        await swapper.wait()

    assert os.listdir(host / "secret") == []
    assert "placed" in ends
    assert "path_refused" in ends


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MiB; skipped where nobody may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_room_for_a_large_file_is_set_aside_before_it_comes(host: Path) -> None:
    size = 16 * 1024 * 1024
    with opened(str(host), Policy.of(state="/nowhere")) as folder:
        partial = Partial.fresh(folder)

        partial.need(size)

        found = os.fstat(partial.descriptor)
        assert (found.st_size, partial.offset) == (0, 0)
        assert found.st_blocks * 512 >= size
        partial.close()


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.EOPNOTSUPP, None), (errno.ENOSPC, "disk_full")]
)
def test_what_a_file_system_says_about_setting_room_aside(
    number: int, reason: str | None, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot is used as it is; one that has no room is full before anything came."""

    def refuse(descriptor: int, size: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("agent.transfer_place.reserve", refuse)
    with opened(str(host), Policy.of(state="/nowhere")) as folder:
        partial = Partial.fresh(folder)
        found = None
        try:
            partial.need(16 * 1024 * 1024)
        except TransferFailed as failure:
            found = failure.reason
        partial.close()

    assert found == reason


async def test_a_full_disk_keeps_the_old_file(port: FilePort, small_disk: Path) -> None:
    """F61, B108: disk full; the old content stays and nothing else."""
    target = small_disk / "app"
    target.write_bytes(b"old")
    large = port.item(os.urandom(8_000_000), str(target))

    done = await port.push(large)

    assert done.reason == "disk_full"
    assert target.read_bytes() == b"old"
    assert os.listdir(small_disk) == ["app"]


async def test_a_read_only_disk_is_named(port: FilePort, small_disk: Path) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    await asyncio.to_thread(subprocess.run, remount, check=True)

    done = await port.push(port.item(SMALL, f"{small_disk}/app"))

    assert done.reason == "not_permitted"


async def test_a_busy_program_is_replaced(port: FilePort, host: Path) -> None:
    """B108: an executable that runs."""
    target = host / "sleeper"
    shutil.copy("/bin/sleep", target)
    running = await asyncio.create_subprocess_exec(str(target), "60")

    done = await port.push(port.item(SMALL, str(target)))

    running.kill()
    await running.wait()
    assert done.code == 0
    assert target.read_bytes() == SMALL
