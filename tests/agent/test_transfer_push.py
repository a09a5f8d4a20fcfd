"""Files arrive whole or not at all, whatever happens on the way (F61, B108)."""

import asyncio
import hashlib
import os
import signal
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.protocol.orders import FileItem, FileWork
from tests.support.file_port import Cutter, FilePort, file_port
from tests.support.waiting import eventually

SMALL = b"new content\n"
LARGE = os.urandom(3_000_000)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change owners")


@pytest.fixture(params=["sha256", "blake3"])
async def port(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[FilePort]:
    """With orders that say one checksum of each file, or both."""
    (tmp_path / "platform").mkdir()
    async with file_port(tmp_path / "platform") as made:
        made.is_quick = request.param == "blake3"
        yield made


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of the host."""
    folder = tmp_path / "host"
    folder.mkdir()
    return folder


def left_over(folder: Path) -> list[str]:
    """Everything in a folder whose name begins with a dot."""
    return [name for name in os.listdir(folder) if name.startswith(".")]


async def test_a_file_arrives_with_its_content_and_the_usual_mode(
    port: FilePort, host: Path
) -> None:
    done = await port.push(port.item(LARGE, f"{host}/app.bin"))

    assert (done.code, done.stderr) == (0, "")
    assert (host / "app.bin").read_bytes() == LARGE
    assert stat.S_IMODE((host / "app.bin").stat().st_mode) == 0o644
    assert hashlib.sha256(LARGE).hexdigest() in done.stdout
    assert done.progress[0]["state"] == "done"
    assert done.progress[0]["done"] == len(LARGE)
    assert not left_over(host)


async def test_an_empty_file_arrives(port: FilePort, host: Path) -> None:
    done = await port.push(port.item(b"", f"{host}/empty"))

    assert done.code == 0
    assert (host / "empty").read_bytes() == b""


async def test_several_files_and_their_folders_are_made(port: FilePort, host: Path) -> None:
    items = [port.item(SMALL, f"{host}/a/b/one"), port.item(b"2", f"{host}/a/two", mode=0o600)]

    done = await port.push(*items, mode=None, folder_mode=0o750)

    assert done.code == 0
    assert (host / "a/b/one").read_bytes() == SMALL
    assert stat.S_IMODE((host / "a/two").stat().st_mode) == 0o600
    assert stat.S_IMODE((host / "a/b").stat().st_mode) == 0o750


@as_root
async def test_owner_group_and_mode_are_as_ordered(port: FilePort, host: Path) -> None:
    done = await port.push(
        port.item(SMALL, f"{host}/new/file"), owner="daemon", group="daemon", mode=0o4711
    )

    found = (host / "new/file").stat()
    assert done.code == 0
    assert (found.st_uid, found.st_gid) == (1, 1)
    assert stat.S_IMODE(found.st_mode) == 0o4711
    assert (host / "new").stat().st_uid == 1


async def test_what_is_replaced_keeps_its_mode_but_lends_no_rights(
    port: FilePort, host: Path
) -> None:
    target = host / "tool"
    target.write_bytes(b"old")
    target.chmod(0o4751)

    done = await port.push(port.item(SMALL, str(target)))

    assert done.code == 0
    assert target.read_bytes() == SMALL
    assert stat.S_IMODE(target.stat().st_mode) == 0o751


async def test_an_unknown_owner_changes_nothing(port: FilePort, host: Path) -> None:
    done = await port.push(port.item(SMALL, f"{host}/x"), owner="nobody-like-this")

    assert done.reason == "owner_unknown"
    assert os.listdir(host) == []


@pytest.mark.parametrize(
    ("policy", "code", "content", "others"),
    [
        ("overwrite", 0, SMALL, 0),
        ("skip", 0, b"old", 0),
        ("fail", 22, b"old", 0),
        ("backup", 0, SMALL, 1),
    ],
)
async def test_a_policy_decides_about_what_is_there(
    port: FilePort, host: Path, policy: str, code: int, content: bytes, others: int
) -> None:
    target = host / "conf"
    target.write_bytes(b"old")

    done = await port.push(port.item(SMALL, str(target)), overwrite=policy)

    assert done.code == code
    assert target.read_bytes() == content
    backups = [name for name in os.listdir(host) if name != "conf"]
    assert [(host / name).read_bytes() for name in backups] == [b"old"] * others
    assert done.progress[0]["state"] == {"skip": "skipped", "fail": "failed"}.get(policy, "done")


async def test_a_link_is_replaced_and_its_target_left_alone(port: FilePort, host: Path) -> None:
    (host / "elsewhere").write_bytes(b"precious")
    (host / "link").symlink_to(host / "elsewhere")

    done = await port.push(port.item(SMALL, f"{host}/link"))

    assert done.code == 0
    assert not (host / "link").is_symlink()
    assert (host / "elsewhere").read_bytes() == b"precious"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
async def test_folders_and_pipes_are_never_replaced(port: FilePort, host: Path, kind: str) -> None:
    target = host / "x"
    if kind == "folder":
        target.mkdir()
    else:
        os.mkfifo(target)

    done = await port.push(port.item(SMALL, str(target)))

    assert done.reason == "target_unusable"
    assert not target.is_file()


@pytest.mark.parametrize(
    "path",
    ["/proc/sys/kernel/x", "/sys/x", "/dev/sda", "/dev/shm/../sda", "{state}/key", "{link}/x"],
)
async def test_some_places_are_always_refused(port: FilePort, host: Path, path: str) -> None:
    (host / "link").symlink_to("/proc/self/fd")
    where = path.format(state=port.folder / "agent-state", link=host / "link")

    done = await port.push(port.item(SMALL, where))

    assert done.reason == "path_refused"
    assert os.listdir(port.folder / "agent-state") == []


@pytest.mark.parametrize("words", [{"roots": ("{host}/in",)}, {"host_roots": ("{host}/in",)}])
async def test_files_stay_below_what_the_platform_and_the_host_allow(
    port: FilePort, host: Path, words: dict[str, tuple[str, ...]]
) -> None:
    (host / "in").mkdir()
    (host / "in" / "out").symlink_to(host)
    allowed = {name: tuple(root.format(host=host) for root in of) for name, of in words.items()}

    inside = await port.push(port.item(SMALL, f"{host}/in/x/y"), **allowed)
    outside = await port.push(port.item(SMALL, f"{host}/y"), **allowed)
    around = await port.push(port.item(SMALL, f"{host}/in/out/y"), **allowed)
    beside = await port.push(port.item(SMALL, f"{host}/in-side/y"), **allowed)

    assert inside.code == 0
    assert {outside.reason, around.reason, beside.reason} == {"path_refused"}
    assert sorted(os.listdir(host)) == ["in"]


async def test_a_link_in_a_folder_that_others_may_write_is_not_followed(
    port: FilePort, host: Path
) -> None:
    """S17: somebody with rights in a parent folder must not choose where root writes."""
    (host / "secret").mkdir()
    shared = host / "shared"
    shared.mkdir()
    (shared / "logs").symlink_to(host / "secret")
    trusted = await port.push(port.item(SMALL, f"{shared}/logs/one"))
    shared.chmod(0o777)

    swapped = await port.push(port.item(SMALL, f"{shared}/logs/two"))

    assert trusted.code == 0
    assert swapped.reason == "path_refused"
    assert os.listdir(host / "secret") == ["one"]


@pytest.mark.parametrize("cuts", [[1_500_000], [400_000, 10, 0, 2_000_000]])
async def test_a_broken_link_is_resumed(port: FilePort, host: Path, cuts: list[int]) -> None:
    cutter = Cutter(port.port, cuts)
    await cutter.start()

    done = await port.push(
        port.item(LARGE, f"{host}/app"), gateways=(f"http://127.0.0.1:{cutter.listens}",)
    )

    assert done.code == 0
    assert (host / "app").read_bytes() == LARGE
    assert cutter.connections == len(cuts) + 1
    await cutter.stop()


async def test_a_gateway_that_is_gone_is_left_for_the_next(port: FilePort, host: Path) -> None:
    done = await port.push(
        port.item(SMALL, f"{host}/app"),
        gateways=("http://127.0.0.1:9", f"http://127.0.0.1:{port.port}"),
    )

    assert done.code == 0


async def test_without_any_gateway_the_old_file_stays(port: FilePort, host: Path) -> None:
    (host / "app").write_bytes(b"old")

    done = await port.push(
        port.item(SMALL, f"{host}/app"), gateways=("http://127.0.0.1:9",), patience_seconds=0.3
    )

    assert done.reason == "connection_lost"
    assert (host / "app").read_bytes() == b"old"


async def test_a_killed_transfer_leaves_the_old_file_and_is_resumed(
    port: FilePort, host: Path
) -> None:
    """kill -9 in the middle: no half file ever, and the next attempt goes on."""
    (host / "app").write_bytes(b"old")
    item = port.item(LARGE, f"{host}/app")
    slow = port.errand(_work(item, bytes_per_second=1_000_000), "push")
    process, _ = await port.start(slow)
    await eventually(lambda: _size_of_partial(host) > 500_000)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert (host / "app").read_bytes() == b"old"
    assert len(left_over(host)) == 1

    done = await port.push(item)

    assert done.code == 0
    assert "goes on at byte" in done.stdout
    assert (host / "app").read_bytes() == LARGE
    assert not left_over(host)


async def test_a_cancelled_transfer_leaves_nothing(port: FilePort, host: Path) -> None:
    errand = port.errand(_work(port.item(LARGE, f"{host}/app"), bytes_per_second=100_000), "push")
    process, _ = await port.start(errand)
    await eventually(lambda: _size_of_partial(host) > 0)

    process.terminate()

    await process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert os.listdir(host) == []


async def test_a_damaged_rest_of_an_earlier_attempt_is_fetched_anew(
    port: FilePort, host: Path
) -> None:
    item = port.item(LARGE, f"{host}/app")
    process, _ = await port.start(port.errand(_work(item, bytes_per_second=1_000_000), "push"))
    await eventually(lambda: _size_of_partial(host) > 500_000)
    process.kill()
    await process.communicate()
    partial = host / left_over(host)[0]
    with partial.open("r+b") as file:
        file.write(b"damage")

    done = await port.push(item)

    assert done.code == 0
    assert (host / "app").read_bytes() == LARGE


@as_root
@pytest.mark.parametrize("trap", ["link", "hard link", "foreign"])
async def test_nobody_can_prepare_the_partial_file(port: FilePort, host: Path, trap: str) -> None:
    """C8: a name that can be guessed is only used if nobody else can have made the file."""
    item = port.item(LARGE, f"{host}/app")
    process, _ = await port.start(port.errand(_work(item, bytes_per_second=1_000_000), "push"))
    await eventually(lambda: _size_of_partial(host) > 0)
    process.kill()
    await process.communicate()
    partial = host / left_over(host)[0]
    precious = host / "precious"
    precious.write_bytes(b"precious")
    precious.chmod(0o600)
    partial.unlink()
    if trap == "link":
        partial.symlink_to(precious)
    elif trap == "hard link":
        os.link(precious, partial)
    else:
        partial.write_bytes(b"theirs")
        os.chown(partial, 1, 1)

    done = await port.push(item)

    assert done.code == 0
    assert (host / "app").read_bytes() == LARGE
    assert precious.read_bytes() == b"precious"


async def test_content_that_is_not_as_ordered_is_never_placed(port: FilePort, host: Path) -> None:
    (host / "app").write_bytes(b"old")
    item = port.item(LARGE, f"{host}/app")
    stored = port.folder / "blobs" / item.sha256[:2] / item.sha256
    stored.chmod(0o600)
    with stored.open("r+b") as file:
        file.write(b"damage")

    done = await port.push(item)

    assert done.reason == "checksum_mismatch"
    assert (host / "app").read_bytes() == b"old"
    assert not left_over(host)


async def test_content_that_is_gone_is_named(port: FilePort, host: Path) -> None:
    item = port.item(SMALL, f"{host}/app")
    port.store.remove(item.sha256)

    done = await port.push(item)

    assert done.reason == "source_missing"


async def test_a_limit_for_the_host_is_kept(port: FilePort, host: Path) -> None:
    began = time.monotonic()

    done = await port.push(port.item(LARGE, f"{host}/app"), bytes_per_second=2_000_000)

    passed = time.monotonic() - began
    assert done.code == 0
    assert passed > 1.4
    assert 1_000_000 < done.progress[0]["bytes_per_second"] < 2_500_000


async def test_a_limit_for_all_hosts_is_shared(port: FilePort, host: Path) -> None:
    items = [port.item(LARGE, f"{host}/app{n}", total=4_000_000) for n in range(3)]
    began = time.monotonic()

    done = await asyncio.gather(*(port.push(item) for item in items))

    assert [one.code for one in done] == [0, 0, 0]
    assert time.monotonic() - began > 9_000_000 / 4_000_000 * 0.85


async def test_two_transfers_to_one_name_leave_one_of_the_two(port: FilePort, host: Path) -> None:
    other = os.urandom(len(LARGE))
    items = [port.item(content, f"{host}/app") for content in (LARGE, other, LARGE)]

    done = await asyncio.gather(*(port.push(item) for item in items))

    assert [one.code for one in done] == [0, 0, 0]
    assert (host / "app").read_bytes() in (LARGE, other)
    assert not left_over(host)


def _work(item: FileItem, *, bytes_per_second: int) -> FileWork:
    return FileWork(target="/", items=(item,), bytes_per_second=bytes_per_second)


def _size_of_partial(folder: Path) -> int:
    return max(((folder / name).stat().st_size for name in left_over(folder)), default=0)
