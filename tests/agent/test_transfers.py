"""Transfers as a real agent runs them: by the shim, with progress, reasons, cancel and run-as."""

import asyncio
import contextlib
import json
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from libs.protocol.messages import Cancel, Progress
from libs.protocol.orders import FileItem, FileWork
from tests.agent.conftest import AgentProcess
from tests.agent.gateway import Gateway
from tests.support.file_port import FilePort, file_port
from tests.support.waiting import eventually

LARGE = os.urandom(3_000_000)
NOBODY = pwd.getpwnam("nobody").pw_uid
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change users")


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[FilePort]:
    async with file_port(tmp_path / "platform") as made:
        yield made


@pytest.fixture
async def runner(idle_agent: AgentProcess, gateway: Gateway, port: FilePort) -> AgentProcess:
    """An agent whose files come from the port and whose session is with the test's gateway."""
    addresses = (f"http://127.0.0.1:{port.port}", f"http://127.0.0.1:{gateway.port}")
    idle_agent.options = tuple(word for one in addresses for word in ("--gateway", one))
    await idle_agent.start()
    return idle_agent


def push(*items: FileItem, **changes: Any) -> dict[str, Any]:
    """What makes an order one about files."""
    work = FileWork(target="/", items=items, **changes)
    return {"action": "push", "files": work}


def progress_of(runner: AgentProcess, task_id: str) -> list[Progress]:
    return [one for one in runner.gateway.of_type(Progress) if one.task_id == task_id]


async def test_a_push_is_a_task_like_any_other(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    target = tmp_path / "host" / "app"

    result = await runner.run("t1", "", **push(port.item(LARGE, str(target))))

    assert (result["outcome"], result["exit_code"], result["reason"]) == ("exited", 0, "")
    assert target.read_bytes() == LARGE
    assert str(target).encode() in runner.gateway.output("t1")
    last = progress_of(runner, "t1")[-1].files[0]
    assert (last.state, last.done, last.size) == ("done", len(LARGE), len(LARGE))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("{right}", ""),
        ("-", ""),
        (f"{0:064x}", "checksum_mismatch"),
        ("{right} {right}", None),
        ("no checksum", None),
    ],
)
async def test_an_order_may_say_another_checksum_of_a_file(
    given: str, reason: str | None, runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    item = port.item(LARGE, f"{tmp_path}/host/app")
    env = {"OPSJOB_BLAKE3": given.format(right=port.blake3[item.sha256])}

    if reason is None:
        await runner.offer("t1", "", env=env, **push(item))
        await eventually(lambda: [m for m in runner.gateway.received if m.type == "reject"])
    else:
        assert (await runner.run("t1", "", env=env, **push(item)))["reason"] == reason

    assert (tmp_path / "host" / "app").exists() is (reason == "")


async def test_progress_tells_speed_and_time_left(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    item = port.item(LARGE, f"{tmp_path}/host/app")

    await runner.run("t1", "", **push(item, bytes_per_second=800_000))

    moving = [one.files[0] for one in progress_of(runner, "t1") if one.files[0].seconds_left]
    assert moving
    # Half a second may hold what a fifth of a second was behind; a busy machine is only slower.
    assert 600_000 < max(one.bytes_per_second for one in moving) < 1_120_000
    assert moving[-1].seconds_left is not None
    assert 0 < moving[-1].seconds_left < 5


async def test_a_failed_push_says_why(runner: AgentProcess, port: FilePort, tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"old")
    item = port.item(LARGE, f"{tmp_path}/there")

    result = await runner.run("t1", "", **push(item, overwrite="fail"))

    assert (result["outcome"], result["exit_code"], result["reason"]) == (
        "exited",
        22,
        "target_exists",
    )
    assert b"target_exists" in runner.gateway.output("t1", "stderr")


async def test_the_agents_own_folder_is_refused(runner: AgentProcess, port: FilePort) -> None:
    item = port.item(LARGE, f"{runner.state.root}/key")

    result = await runner.run("t1", "", **push(item))

    assert result["reason"] == "path_refused"


async def test_a_host_may_allow_some_folders_only(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    await runner.stop()
    (tmp_path / "allowed").mkdir()
    runner.options += ("--file-root", str(tmp_path / "allowed"))
    await runner.start()

    inside = await runner.run("t1", "", **push(port.item(b"x", f"{tmp_path}/allowed/x")))
    outside = await runner.run("t2", "", **push(port.item(b"x", f"{tmp_path}/other/x")))

    assert (inside["reason"], outside["reason"]) == ("", "path_refused")


async def test_a_cancelled_push_leaves_nothing(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    (tmp_path / "host").mkdir()
    item = port.item(LARGE, f"{tmp_path}/host/app")
    await runner.offer("t1", "", **push(item, bytes_per_second=100_000))
    await eventually(lambda: progress_of(runner, "t1"))

    await runner.gateway.send(Cancel("t1", 1, "cancelled", 10.0))

    result = await runner.result_of("t1")
    assert (result["outcome"], result["processes"]["left"]) == ("cancelled", 0)
    assert os.listdir(tmp_path / "host") == []


async def test_a_push_goes_on_while_its_agent_is_killed(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    """F61: agent killed at 50 %."""
    item = port.item(LARGE, f"{tmp_path}/host/app")
    await runner.offer("t1", "", **push(item, bytes_per_second=1_500_000))
    await eventually(lambda: progress_of(runner, "t1"))

    await runner.kill()
    await runner.start()

    result = await runner.result_of("t1")
    assert (result["outcome"], result["exit_code"]) == ("exited", 0)
    assert (tmp_path / "host" / "app").read_bytes() == LARGE


@as_root
@pytest.mark.parametrize("run_as", [None, "nobody"])
async def test_a_transfer_ends_with_its_shim(
    run_as: str | None, runner: AgentProcess, port: FilePort
) -> None:
    """It has no mark of its own by which it could be found, and nobody else to watch it."""
    with open_folder() as folder:
        item = port.item(LARGE, f"{folder}/app")
        work = push(item, bytes_per_second=10_000)
        await runner.offer("t1", "", run_as=run_as, **work)
        await eventually(lambda: progress_of(runner, "t1"))
        shim, program = processes_of(runner)
        assert program.uids().effective == (NOBODY if run_as else os.geteuid())

        shim.kill()

        result = await runner.result_of("t1")
        assert result["outcome"] == "lost"
        await asyncio.to_thread(program.wait, 30)


@as_root
async def test_who_a_transfer_becomes_cannot_look_into_it(
    runner: AgentProcess, port: FilePort
) -> None:
    """Its memory is a copy of the shim's, in which other scripts may have left something."""
    with open_folder() as folder:
        work = push(port.item(LARGE, f"{folder}/app"), bytes_per_second=10_000)
        await runner.offer("t1", "", run_as="nobody", **work)
        await eventually(lambda: progress_of(runner, "t1"))
        _, program = processes_of(runner)

        look = f"cat /proc/{program.pid}/environ || dd if=/proc/{program.pid}/mem count=0"
        result = await runner.run("t2", look, run_as="nobody")

        assert result["exit_code"] != 0
        await runner.gateway.send(Cancel("t1", 1, "cancelled", 10.0))
        await runner.result_of("t1")


def processes_of(runner: AgentProcess) -> tuple[psutil.Process, psutil.Process]:
    """The shim of the first task, and the program that it watches."""
    started = json.loads(Path(runner.state.task("t1.1"), "started").read_text())
    shim = psutil.Process(started["shim_pid"])
    [program] = shim.children()
    return shim, program


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder into which `nobody` may write."""
    folder = Path(tempfile.mkdtemp(prefix="opsjob-transfer-"))
    os.chown(folder, NOBODY, -1)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@as_root
async def test_a_push_as_somebody_else_has_their_rights_only(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    folder = f"/tmp/opsjob-test-{os.getpid()}"
    os.mkdir(folder, 0o755)
    os.chown(folder, 65534, 65534)
    try:
        mine = port.item(b"x", f"{folder}/x")
        good = await runner.run("t1", "", run_as="nobody", **push(mine))
        theirs = port.item(b"x", "/etc/opsjob-test")
        bad = await runner.run("t2", "", run_as="nobody", **push(theirs))

        assert runner.gateway.output("t1", "stderr") == b""
        assert (good["exit_code"], bad["reason"]) == (0, "not_permitted")
        assert os.stat(f"{folder}/x").st_uid == 65534
        assert "opsjob-test" not in os.listdir("/etc")
        assert progress_of(runner, "t1")[-1].files[0].state == "done"
    finally:
        shutil.rmtree(folder)


async def test_a_collection_is_brought_to_the_platform(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(LARGE)
    work = FileWork(
        target="/",
        patterns=(f"{tmp_path}/logs/*.log",),
        ticket=port.ticket("bring", task_id="t1"),
    )

    result = await runner.run("t1", "", action="collect", files=work)

    assert (result["exit_code"], result["reason"]) == (0, "")
    (entered,) = port.librarian.entered
    assert (entered.task_id, entered.file_count) == ("t1", 1)


@pytest.mark.parametrize(
    "changes", [{"action": "push"}, {"files": FileWork(target="/")}, {"action": "collect"}]
)
async def test_an_order_that_is_half_about_files_is_rejected(
    runner: AgentProcess, changes: dict[str, Any]
) -> None:
    await runner.offer("t1", "", **changes)

    rejects = await eventually(lambda: [m for m in runner.gateway.received if m.type == "reject"])
    assert rejects


@as_root
async def test_s9_the_policy_of_the_host_allows_some_folders_only(
    runner: AgentProcess, port: FilePort, tmp_path: Path
) -> None:
    """Both must allow a path: the option of the agent, and the policy of the host."""
    await runner.stop()
    for name in ("one", "one/both", "two"):
        (tmp_path / name).mkdir()
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"file_roots": [f"{tmp_path}/one/both", f"{tmp_path}/two"]}))
    policy.chmod(0o644)
    runner.options += ("--file-root", f"{tmp_path}/one", "--policy", str(policy))
    await runner.start()

    reasons = []
    for number, folder in enumerate(("one/both", "one", "two")):
        item = port.item(b"x", f"{tmp_path}/{folder}/x")
        reasons.append((await runner.run(f"t{number}", "", **push(item)))["reason"])

    assert reasons == ["", "path_refused", "path_refused"]
