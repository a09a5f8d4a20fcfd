"""The host's own policy and its lock for maintenance, held against orders that are well signed."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.maintenance import MAX_REASON, lock, locked, unlock
from agent.policy import HostPolicy, PolicyUnusable, load
from agent.state import StateFolder
from libs.protocol import messages as m
from libs.protocol.orders import FileWork
from tests.agent.conftest import ROOT, AgentProcess
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a policy belongs to root")


@dataclass
class Host:
    """An agent with a policy file, and its gateway."""

    agent: AgentProcess
    path: Path

    def allow(self, **policy: Any) -> None:
        """Write the policy as an administrator does: beside it, then in its place."""
        fresh = self.path.with_name("policy.new")
        fresh.write_text(json.dumps(policy))
        fresh.chmod(0o644)
        fresh.replace(self.path)

    async def refused(self, task_id: str, script: str = "exit", **changes: Any) -> tuple[str, str]:
        """Offer an order and wait for its rejection."""
        await self.agent.offer(task_id, script, **changes)
        await eventually(lambda: self._of(task_id), timeout=15)
        assert (task_id, 1) not in self.agent.gateway.results
        reject = self._of(task_id)[0]
        return reject.reason, reject.detail

    def _of(self, task_id: str) -> list[m.Reject]:
        return [one for one in self.agent.gateway.of_type(m.Reject) if one.task_id == task_id]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `opsjob-agent` on its state folder."""
        return subprocess.run(
            [sys.executable, "-m", "agent", *arguments, "--state", self.agent.state.root],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
async def host(idle_agent: AgentProcess, tmp_path: Path) -> Host:
    """A running agent with a policy that limits nothing."""
    host = Host(idle_agent, tmp_path / "policy.json")
    host.allow()
    idle_agent.options = ("--policy", str(host.path), "--concurrency", "1")
    await idle_agent.start()
    return host


def collect(path: str, **changes: Any) -> dict[str, Any]:
    """An order that would read a file of this host."""
    work = FileWork(target="/", patterns=(path,), **changes)
    return {"action": "collect", "files": work}


async def test_s9_an_order_outside_of_the_policy_is_rejected_with_its_reason(host: Host) -> None:
    host.allow(
        accounts=["root", "daemon"],
        root=False,
        longest_seconds=30,
        script_types=["shell"],
        file_roots=[],
    )
    fits: dict[str, Any] = {"run_as": "daemon", "timeout_seconds": 30}

    assert await host.refused("t1", **fits | {"timeout_seconds": 31}) == (
        "policy_run_time",
        "at most 30 s",
    )
    assert await host.refused("t2", **fits | {"script_type": "python"}) == (
        "policy_script_type",
        "python",
    )
    assert await host.refused("t3", **fits | {"run_as": "nobody"}) == ("policy_account", "nobody")
    assert await host.refused("t4", **fits | {"run_as": "root"}) == ("policy_account", "root")
    assert await host.refused("t5", timeout_seconds=30) == ("policy_account", "root")
    assert (await host.refused("t6", "", **fits, **collect("/etc/passwd")))[0] == "policy_files"
    result = await host.agent.run("t7", "id -un", **fits)
    assert result["exit_code"] == 0
    assert host.agent.gateway.output("t7") == b"daemon\n"


async def test_a_policy_is_read_again_when_it_changes(host: Host) -> None:
    assert (await host.agent.run("t1", "exit"))["exit_code"] == 0

    host.allow(script_types=["python"])
    assert (await host.refused("t2"))[0] == "policy_script_type"

    host.path.unlink()
    assert (await host.refused("t3"))[0] == "policy_unusable"

    host.allow(script_types=["python", "shell"])
    assert (await host.agent.run("t4", "exit"))["exit_code"] == 0


async def test_a_policy_that_others_could_write_stops_everything(host: Host) -> None:
    host.path.chmod(0o666)
    reason, detail = await host.refused("t1")

    assert reason == "policy_unusable"
    assert "must belong to root" in detail
    os.chown(host.path, 1, -1)
    host.path.chmod(0o644)
    assert (await host.refused("t2"))[0] == "policy_unusable"


async def test_orders_of_a_signer_key_that_the_host_does_not_name_count_for_nothing(
    host: Host,
) -> None:
    kid = host.agent.gateway.authority.kid
    host.allow(signer_keys=["0" * 16])
    assert await host.refused("t1") == ("policy_signer", kid)
    await eventually(lambda: "policy_signer" in host.agent.gateway.refusals)

    host.allow(signer_keys=[kid])
    assert (await host.agent.run("t2", "exit"))["exit_code"] == 0


async def test_during_maintenance_nothing_new_begins_and_what_runs_goes_on(
    host: Host, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    gateway = host.agent.gateway
    await host.agent.offer("t1", f"read -r word < {go}")
    await eventually(lambda: gateway.of_type(m.Started))
    await host.agent.offer("t2", "echo never")

    done = await asyncio.to_thread(host.command, "maintenance", "on", "--reason", "new disks")

    assert done.returncode == 0, done.stderr
    assert await host.refused("t3") == ("policy_maintenance", "new disks")
    await eventually(lambda: any(one.maintenance for one in gateway.of_type(m.Heartbeat)))
    await asyncio.to_thread(go.write_text, "go\n")
    assert (await host.agent.result_of("t1"))["exit_code"] == 0
    await eventually(lambda: host._of("t2"))
    assert ("t2", 1) not in gateway.results

    assert (await asyncio.to_thread(host.command, "maintenance", "off")).returncode == 0
    assert (await host.agent.run("t4", "exit"))["exit_code"] == 0
    await eventually(lambda: not gateway.of_type(m.Heartbeat)[-1].maintenance)


async def test_the_status_shows_policy_and_maintenance(host: Host) -> None:
    host.allow(root=False, longest_seconds=60)
    lock(host.agent.state, "new disks")

    done = await asyncio.to_thread(host.command, "status", "--policy", str(host.path))

    report = json.loads(done.stdout)
    assert report["policy"] == {
        "file": str(host.path),
        "limits": {"root": False, "longest_seconds": 60},
    }
    assert report["maintenance"]["reason"] == "new disks"
    host.path.write_text("{")
    done = await asyncio.to_thread(host.command, "status", "--policy", str(host.path))
    assert "is no policy" in json.loads(done.stdout)["policy"]["problem"]


def test_the_reason_of_a_lock_is_bounded_and_damage_still_locks(tmp_path: Path) -> None:
    state = StateFolder(str(tmp_path))
    assert locked(state) is None

    lock(state, "x" * 1000)
    assert (locked(state) or {})["reason"] == "x" * MAX_REASON
    Path(state.maintenance).write_text("{")
    assert locked(state) == {"reason": "", "since": ""}
    unlock(state)
    unlock(state)
    assert locked(state) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "no JSON object"),
        ('{"root": true, "root": false}', "twice"),
        ('{"acounts": []}', "'acounts' is unknown"),
        ('{"root": "no"}', "neither true nor false"),
        ('{"longest_seconds": true}', "no number"),
        ('{"longest_seconds": 0}', "not above 0"),
        ('{"longest_seconds": NaN}', "not above 0"),
        ('{"accounts": "root"}', "no list"),
        ('{"accounts": [""]}', "no login name"),
        ('{"script_types": ["bash"]}', "no script type"),
        ('{"file_roots": ["srv"]}', "no absolute path"),
        ('{"signer_keys": ["ABC"]}', "no name of a signer key"),
        ("[" * 60_000, "no policy"),
        (" " * 70_000, "larger than"),
    ],
)
def test_a_policy_with_a_mistake_is_none(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(text)
    path.chmod(0o644)

    with pytest.raises(PolicyUnusable, match=problem):
        load(str(path))


def test_folders_on_the_way_and_links_are_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    path = folder / "policy.json"
    path.write_text('{"accounts": ["app"]}')
    path.chmod(0o644)
    assert load(str(path)) == HostPolicy(accounts=("app",))
    (tmp_path / "link.json").symlink_to(path)
    with pytest.raises(PolicyUnusable):
        load(str(tmp_path / "link.json"))
    folder.chmod(0o777)
    with pytest.raises(PolicyUnusable, match="must belong to root"):
        load(str(path))
    assert load(str(tmp_path / "none.json")) is None
