"""What is fetched from a host: exactly what was named, whole, and nothing through a link (B109)."""

import asyncio
import io
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libs.kit.errors import Conflict
from libs.protocol.orders import FileItem
from tests.support.file_port import Cutter, FilePort, file_port

LARGE = os.urandom(9_000_000)


class QuotaExceeded(Conflict):
    """As execution says it."""

    code = "file_quota_exceeded"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[FilePort]:
    (tmp_path / "platform").mkdir()
    async with file_port(tmp_path / "platform") as made:
        yield made


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of the host with a few things in it."""
    folder = tmp_path / "host"
    (folder / "logs" / "old").mkdir(parents=True)
    (folder / "logs" / "a.log").write_bytes(b"a" * 700)
    (folder / "logs" / "b.log").write_bytes(b"b")
    (folder / "logs" / "notes.txt").write_bytes(b"notes")
    (folder / "logs" / "old" / "c.log").write_bytes(b"c")
    (folder / "logs" / ".hidden.log").write_bytes(b"h")
    return folder


def members(port: FilePort) -> dict[str, bytes]:
    """The files of the one archive that was collected, by path."""
    (entered,) = port.librarian.entered
    with port.store.open(entered.sha256) as blob:
        content = blob.read(0, blob.size)
    assert len(content) == entered.size
    found = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[f"/{member.name}"] = file.read()
    assert len(found) == entered.file_count
    return found


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("logs/*.log", {"a.log", "b.log"}),
        ("logs/.*.log", {".hidden.log"}),
        ("logs/?.log", {"a.log", "b.log"}),
        ("logs/[b-z].log", {"b.log"}),
        ("logs/**/*.log", {"a.log", "b.log", "old/c.log"}),
        ("*/old/*", {"old/c.log"}),
        ("logs/notes.txt", {"notes.txt"}),
        ("logs", {"a.log", "b.log", "notes.txt", "old/c.log", ".hidden.log"}),
        ("logs/", {"a.log", "b.log", "notes.txt", "old/c.log", ".hidden.log"}),
    ],
)
async def test_files_folders_and_patterns_are_found(
    port: FilePort, host: Path, pattern: str, names: set[str]
) -> None:
    done = await port.collect(f"{host}/{pattern}")

    assert (done.code, done.stderr) == (0, "")
    assert set(members(port)) == {f"{host}/logs/{name}" for name in names}
    assert members(port).get(f"{host}/logs/a.log", b"a" * 700) == b"a" * 700
    assert done.progress[0]["state"] == "done"


async def test_excluded_names_and_paths_are_left_out(port: FilePort, host: Path) -> None:
    done = await port.collect(f"{host}/logs", excludes=("*.txt", f"{host}/logs/old"))

    assert done.code == 0
    assert {path.rpartition("/")[2] for path in members(port)} == {"a.log", "b.log", ".hidden.log"}


async def test_what_is_named_twice_is_there_once(port: FilePort, host: Path) -> None:
    done = await port.collect(f"{host}/logs/*.log", f"{host}/logs/a.log", f"{host}/logs")

    assert done.code == 0
    assert len(members(port)) == 5


async def test_a_pattern_without_a_match_fails(port: FilePort, host: Path) -> None:
    done = await port.collect(f"{host}/logs/*.log", f"{host}/logs/*.gz")

    assert done.reason == "source_missing"
    assert "*.gz" in done.stderr
    assert port.librarian.entered == []


async def test_no_link_is_followed(port: FilePort, host: Path) -> None:
    (host / "logs" / "shadow").symlink_to("/etc/shadow")
    (host / "logs" / "etc").symlink_to("/etc")
    os.mkfifo(host / "logs" / "pipe")

    tree = await port.collect(f"{host}/logs")

    assert tree.code == 0
    assert len(members(port)) == 5
    assert "shadow: left out" in tree.stdout


async def test_a_link_that_is_named_is_not_followed(port: FilePort, host: Path) -> None:
    (host / "shadow").symlink_to("/etc/shadow")

    done = await port.collect(f"{host}/shadow")

    assert done.reason == "source_missing"


@pytest.mark.parametrize("path", ["/proc/self/environ", "/dev/zero", "/sys/kernel", "{state}/key"])
async def test_kernel_and_agent_are_always_refused(port: FilePort, path: str) -> None:
    (port.folder / "agent-state" / "key").write_bytes(b"the agent's private key")

    done = await port.collect(path.format(state=port.folder / "agent-state"))

    assert done.reason == "path_refused"
    assert port.librarian.entered == []


async def test_the_agents_folder_is_left_out_of_a_larger_one(port: FilePort) -> None:
    (port.folder / "agent-state" / "key").write_bytes(b"the agent's private key")
    (port.folder / "harmless").write_bytes(b"x")

    done = await port.collect(f"{port.folder}/*", excludes=("blobs", "drafts", "order-*"))

    assert done.code == 0
    assert [path.rpartition("/")[2] for path in members(port)] == ["harmless"]


async def test_only_what_policy_allows_is_read(port: FilePort, host: Path) -> None:
    allowed = (f"{host}/logs/old",)

    inside = await port.collect(f"{host}/logs/old/*", roots=allowed)
    outside = await port.collect(f"{host}/logs/*", roots=allowed)

    assert inside.code == 0
    assert outside.reason == "path_refused"


@pytest.mark.parametrize("caps", [{"max_files": 3}, {"max_bytes": 100}])
async def test_caps_end_a_collection(port: FilePort, host: Path, caps: dict[str, int]) -> None:
    done = await port.collect(f"{host}/logs", **caps)

    assert done.reason == "limits_exceeded"
    assert port.librarian.entered == []


async def test_a_sparse_giant_is_not_read(port: FilePort, host: Path) -> None:
    with (host / "giant").open("wb") as file:
        file.truncate(2**40)

    done = await port.collect(f"{host}/giant", max_bytes=2**30)

    assert done.reason == "limits_exceeded"


@pytest.mark.parametrize("towards_server", [True, False])
async def test_a_broken_link_loses_nothing(
    port: FilePort, host: Path, towards_server: bool
) -> None:
    (host / "large").write_bytes(LARGE)
    cuts = [1_000_000, 5_000_000, 70_000] if towards_server else [0, 20, 0]
    cutter = Cutter(port.port, cuts, towards_server=towards_server)
    await cutter.start()

    done = await port.collect(f"{host}/large", gateways=(f"http://127.0.0.1:{cutter.listens}",))

    assert (done.code, done.stderr) == (0, "")
    assert members(port)[f"{host}/large"] == LARGE
    await cutter.stop()


async def test_a_file_that_shrinks_is_filled_with_zeros(port: FilePort, host: Path) -> None:
    path = host / "shrinks"
    path.write_bytes(LARGE)

    running = asyncio.create_task(port.collect(str(path), bytes_per_second=5_000_000))
    await asyncio.to_thread(_until_begun, port)
    os.truncate(path, 100)
    done = await running

    assert done.code == 0
    assert "got shorter" in done.stdout
    assert len(members(port)[str(path)]) == len(LARGE)


def _until_begun(port: FilePort) -> None:
    while not port.drafts.offset_of("collected.task-1.1"):
        continue


async def test_a_refusal_of_the_library_is_the_reason(port: FilePort, host: Path) -> None:
    port.librarian.refuses = QuotaExceeded()

    done = await port.collect(f"{host}/logs")

    assert done.reason == "quota_exceeded"


async def test_more_than_the_ticket_allows_is_refused(port: FilePort, host: Path) -> None:
    (host / "large").write_bytes(LARGE)

    done = await port.collect(f"{host}/large", may_bring=1_000_000)

    assert done.reason == "limits_exceeded"


async def test_what_one_host_gave_is_put_on_another(port: FilePort, host: Path) -> None:
    """Server to server: names below the base of the pattern, modes as they were."""
    (host / "logs" / "a.log").chmod(0o640)
    assert (await port.collect(f"{host}/logs")).code == 0
    (entered,) = port.librarian.entered
    ticket = port.ticket(sha256=entered.sha256)
    target = host / "there"
    bases = (str(host),)
    item = FileItem(str(target), entered.size, entered.sha256, ticket, is_tree=True, bases=bases)

    done = await port.push(item)

    assert (done.code, done.stderr) == (0, "")
    assert (target / "logs" / "old" / "c.log").read_bytes() == b"c"
    assert (target / "logs" / "a.log").read_bytes() == b"a" * 700
    assert (target / "logs" / "a.log").stat().st_mode & 0o777 == 0o640
    assert [name for name in os.listdir(target) if name.startswith(".opsjob")] == []


def _archive(*members: tarfile.TarInfo) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return content.getvalue()


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    member.size = 3 if kind == tarfile.REGTYPE else 0
    return member


@pytest.mark.parametrize(
    "bad",
    [
        [_member("/etc/x")],
        [_member("../x")],
        [_member("a/../../x")],
        [_member("link", tarfile.SYMTYPE, "/etc"), _member("link/x")],
        [_member("hard", tarfile.LNKTYPE, "good")],
        [_member("device", tarfile.CHRTYPE)],
        [_member("pipe", tarfile.FIFOTYPE)],
        [_member("x"), _member("x")],
    ],
    ids=["absolute", "up", "inside up", "link", "hard link", "device", "pipe", "twice"],
)
async def test_a_bad_archive_is_refused_as_a_whole(
    port: FilePort, host: Path, bad: list[tarfile.TarInfo]
) -> None:
    """B106, S18: not one of its files appears."""
    content = _archive(_member("good"), *bad)
    item = port.item(content, f"{host}/there", is_tree=True)

    done = await port.push(item)

    assert done.reason == "archive_refused"
    assert os.listdir(host / "there") == []


async def test_garbage_is_no_archive(port: FilePort, host: Path) -> None:
    done = await port.push(port.item(LARGE[:5000], f"{host}/there", is_tree=True))

    assert done.reason == "archive_refused"
