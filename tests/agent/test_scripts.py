"""Real scripts through a real agent: what they get, what they write, how they end."""

import hashlib
import json
import os
import pwd
import sys
from pathlib import Path
from typing import Any

import pytest

from libs.protocol import messages as m
from tests.agent.conftest import AgentProcess
from tests.support.waiting import eventually


def title_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ").decode()


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def content_of(folder: str) -> list[str]:
    return os.listdir(folder) if os.path.exists(folder) else []


async def test_output_exit_code_and_hashes_come_back(agent: AgentProcess) -> None:
    result = await agent.run("t1", "echo hello; echo oops >&2; exit 3")

    assert agent.gateway.output("t1") == b"hello\n"
    assert agent.gateway.output("t1", "stderr") == b"oops\n"
    assert (result["outcome"], result["exit_code"], result["signal"]) == ("exited", 3, None)
    assert (result["epoch"], result["agent_id"]) == (7, "agent-1")
    assert result["streams"]["stdout"]["sha256"] == hashlib.sha256(b"hello\n").hexdigest()
    assert result["processes"] == {"found": 0, "signalled": 0, "left": 0}
    assert result["started_at"] <= result["ended_at"]


async def test_the_start_of_a_script_that_runs_is_told(agent: AgentProcess) -> None:
    result = await agent.run("t1", "sleep 0.5")

    (started,) = agent.gateway.of_type(m.Started)
    assert (started.task_id, started.epoch) == ("t1", 7)
    assert started.started_at == result["started_at"]


@pytest.mark.parametrize("code", [0, 1, 125, 126, 127, 137, 255])
async def test_exit_codes_are_not_mixed_up_with_signals(agent: AgentProcess, code: int) -> None:
    result = await agent.run("t1", f"exit {code}")

    assert (result["exit_code"], result["signal"]) == (code, None)


async def test_a_script_killed_by_a_signal_says_which(agent: AgentProcess) -> None:
    result = await agent.run("t1", "kill -SEGV $$")

    assert (result["outcome"], result["exit_code"], result["signal"]) == ("exited", None, 11)


async def test_arguments_and_variables_arrive_byte_for_byte(agent: AgentProcess) -> None:
    values = ["$(id)", "`id`", "; id", "a\nb", "-rf", "--", "*", "", "'\"\\", "ü🙂", "x" * 100_000]
    script = "import os, sys, json\nprint(json.dumps([sys.argv[1:], os.environ['V']]))"

    await agent.run("t1", script, script_type="python", args=values, env={"V": "$(id)\n'"})

    assert json.loads(agent.gateway.output("t1")) == [values, "$(id)\n'"]


async def test_the_environment_is_built_not_inherited(idle_agent: AgentProcess) -> None:
    idle_agent.environment = {
        **os.environ,
        "LD_LIBRARY_PATH": "/nowhere",
        "PYTHONSTARTUP": "/nowhere",
        "BASH_ENV": "/nowhere",
        "OPSJOB_SECRET": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    await idle_agent.start()

    await idle_agent.run("t1", "env -0", env={"STAGE": "test"})

    pairs = idle_agent.gateway.output("t1").decode().rstrip("\0").split("\0")
    environment = dict(pair.split("=", 1) for pair in pairs)
    assert set(environment) - {"TZ", "_", "SHLVL", "PWD", "OLDPWD"} == {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "STAGE"),
        *("OPSJOB_EXECUTION_ID", "OPSJOB_TASK_ID", "OPSJOB_ATTEMPT", "OPSJOB_HOST"),
        "OPSJOB_TASK_MARK",
    }
    assert environment["OPSJOB_TASK_ID"] == "t1"
    assert environment["HOME"] == pwd.getpwuid(os.geteuid()).pw_dir


async def test_standard_input_is_empty_and_no_descriptor_leaks(agent: AgentProcess) -> None:
    await agent.run("t1", "cat; ls /proc/self/fd | tr '\\n' ' '; echo $$; ps -o sid= -p $$")

    *descriptors, pid, session = agent.gateway.output("t1").decode().split()
    assert descriptors == ["0", "1", "2", "3"]  # 3 is the folder that ls reads
    assert session == pid


async def test_signals_have_their_default_action(agent: AgentProcess) -> None:
    await agent.run("t1", "grep -E 'Sig(Ign|Blk)' /proc/self/status")

    masks = {int(mask, 16) for mask in agent.gateway.output("t1").split()[1::2]}
    assert {mask & 0x7FFFFFFF for mask in masks} == {0}  # 32 and 33 belong to the C library


async def test_the_script_has_a_private_folder_of_which_nothing_stays(agent: AgentProcess) -> None:
    await agent.run("t1", 'pwd; stat -c "%a %U" . "$0"; mkdir -p a/b; touch a/b/c; ln -s / root')

    folder, of_folder, of_script = agent.gateway.output("t1").decode().splitlines()
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert (of_folder, of_script) == (f"700 {user}", f"500 {user}")
    assert content_of(folder) == []
    assert content_of("/etc") != []


async def test_a_script_runs_in_the_folder_that_was_asked_for(
    agent: AgentProcess, tmp_path: Path
) -> None:
    await agent.run("t1", "pwd", cwd=str(tmp_path))

    assert agent.gateway.output("t1").decode().strip() == str(tmp_path)


@pytest.mark.parametrize(
    ("script_type", "script", "output"),
    [
        ("shell", "echo ${BASH_VERSION:+bash}", b"bash\n"),
        ("shell", "#!/usr/bin/env python3\nprint(6 * 7)", b"42\n"),
        ("shell", "#!/usr/bin/env -S python3 -u\nprint(6 * 7)", b"42\n"),
        ("shell", "#!/bin/sh -eu\necho sh", b"sh\n"),
        ("shell", "#!\necho none", b"none\n"),
        ("python", "#!/bin/sh\nprint('declared type wins')", b"declared type wins\n"),
        ("javascript", "console.log(process.argv.length)", b"2\n"),
        ("perl", "print 6 * 7, qq(\\n);", b"42\n"),
    ],
)
async def test_each_type_has_its_interpreter(
    agent: AgentProcess, script_type: str, script: str, output: bytes
) -> None:
    result = await agent.run("t1", script, script_type=script_type)

    assert agent.gateway.output("t1") == output, agent.gateway.output("t1", "stderr")
    assert result["exit_code"] == 0


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"script_type": "powershell"}, "interpreter_missing", "pwsh"),
        ({"script_type": "go"}, "interpreter_missing", "go"),
        ({"script": "#!/no/such/shell\n"}, "interpreter_missing", "/no/such/shell"),
        ({"script": "#!/bin/sh\r\necho"}, "interpreter_missing", "/bin/sh\r"),
        ({"script": "#!/etc\n"}, "interpreter_missing", "/etc"),
        ({"script": "#!C:\\perl.exe\n"}, "interpreter_missing", "C:\\perl.exe"),
        ({"script": f"#!/{'x' * 300}"}, "interpreter_missing", f"/{'x' * 300}"),
        ({"script": "#!/usr/bin/env nosuch"}, "interpreter_missing", "nosuch"),
        ({"env": {"LD_PRELOAD": "x"}}, "order_invalid", "env LD_PRELOAD"),
        ({"env": {"PATH": "/tmp"}}, "order_invalid", "env PATH"),
        ({"env": {"BASH_FUNC_x%%": "() { :; }"}}, "order_invalid", "env BASH_FUNC_x%%"),
        ({"env": {"1A": "x"}}, "order_invalid", "env 1A"),
        ({"run_as": "no-such-user"}, "run_as_unknown", "no-such-user"),
        ({"run_as": "0"}, "run_as_unknown", "0"),
        ({"run_as": "root;id"}, "run_as_unknown", "root;id"),
        ({"cwd": "/no/such/folder"}, "cwd_missing", "/no/such/folder"),
        ({"cwd": "/etc/passwd"}, "cwd_missing", "/etc/passwd"),
        ({"cwd": "relative"}, "cwd_missing", "relative"),
        ({"agent_id": "agent-2"}, "order_invalid", "unreadable"),
        ({"script_sha256": "0" * 64}, "order_invalid", "script_sha256"),
        ({"args": ("ü" * 70_000,)}, "limits_exceeded", "args and env"),
    ],
)
async def test_what_cannot_run_is_rejected_before_the_claim(
    idle_agent: AgentProcess, changes: dict[str, Any], reason: str, detail: str
) -> None:
    idle_agent.environment = {**os.environ, "PATH": "/usr/bin:/bin"}
    await idle_agent.start()

    await idle_agent.offer("t1", **{"script": "true", **changes})

    (reject,) = await eventually(lambda: idle_agent.gateway.of_type(m.Reject))
    assert (reject.reason, reject.detail) == (reason, detail)
    assert idle_agent.gateway.of_type(m.Claim) == []


async def test_an_order_that_cannot_be_read_is_rejected(agent: AgentProcess) -> None:
    payload = {"task_id": "t1", "attempt": 1, "order": {"script": 7}}
    frame = agent.gateway.authority.signed("task.run", json.dumps(payload))
    await agent.gateway.send_raw(frame)
    await agent.gateway.send_raw(b"\0\0\0\x02{}")
    await agent.gateway.send_raw("not json")

    (reject,) = await eventually(lambda: agent.gateway.of_type(m.Reject))
    assert reject.reason == "order_invalid"
    await agent.run("t2", "true")


async def test_characters_split_by_writes_arrive_whole(agent: AgentProcess) -> None:
    script = (
        "import sys, time\n"
        "for byte in ('grüße 🙂' * 20).encode():\n"
        "    sys.stdout.buffer.write(bytes([byte])); sys.stdout.buffer.flush(); time.sleep(0.003)\n"
    )

    await agent.run("t1", script, script_type="python")

    for chunk in agent.gateway.streams["t1", 1, "stdout"].chunks:
        chunk.decode()
    assert agent.gateway.output("t1").decode() == "grüße 🙂" * 20


async def test_fifty_megabytes_arrive_equal(agent: AgentProcess) -> None:
    result = await agent.run("t1", "head -c 52428800 /dev/urandom | tee >(sha256sum >&2)")

    content = agent.gateway.output("t1")
    total = result["streams"]["stdout"]
    assert (len(content), total["bytes"]) == (52_428_800, 52_428_800)
    assert hashlib.sha256(content).hexdigest() == total["sha256"]
    assert agent.gateway.output("t1", "stderr").decode().split()[0] == total["sha256"]
    assert agent.gateway.streams["t1", 1, "stdout"].gaps == []


async def test_output_beyond_the_limit_is_a_stated_gap(agent: AgentProcess) -> None:
    result = await agent.run("t1", "seq 1000000", max_output_bytes=1_000_000)

    stream = agent.gateway.streams["t1", 1, "stdout"]
    everything = "".join(f"{number}\n" for number in range(1, 1_000_001)).encode()
    ((offset, length, reason),) = stream.gaps
    assert reason == "output_limit"
    assert bytes(stream.content) == everything[:offset] + everything[offset + length :]
    assert result["streams"]["stdout"]["bytes"] == len(everything)
    assert everything.endswith(b"1000000\n")
    assert bytes(stream.content).endswith(b"1000000\n")


async def test_lines_arrive_while_the_script_runs(agent: AgentProcess, tmp_path: Path) -> None:
    go_on = tmp_path / "go"
    await agent.offer("t1", f"echo one; while [ ! -e {go_on} ]; do sleep 0.01; done; echo two")

    await eventually(lambda: agent.gateway.output("t1") == b"one\n")
    go_on.touch()
    await eventually(lambda: agent.gateway.is_done("t1"))
    assert agent.gateway.output("t1") == b"one\ntwo\n"


async def test_the_heartbeat_tells_the_load(agent: AgentProcess) -> None:
    (beat, *_) = await eventually(lambda: agent.gateway.of_type(m.Heartbeat))

    assert 0 < beat.memory_percent < 100
    assert beat.disk_free_bytes > 0
    assert beat.running == 0


async def test_the_heartbeat_comes_at_the_pace_that_the_gateway_tells(agent: AgentProcess) -> None:
    await eventually(lambda: agent.gateway.of_type(m.Heartbeat))

    await agent.gateway.send(m.Tempo(0.05))  # 10 s until now

    await eventually(lambda: len(agent.gateway.of_type(m.Heartbeat)) >= 3, timeout=5)
    assert agent.gateway.refusals == []


async def test_the_processes_have_names_and_ended_shims_wait_for_more(
    agent: AgentProcess,
) -> None:
    await agent.run("t1", "true")

    assert title_of(agent.pid) == "opsjob-agent"
    for name in ("spawner", "signer"):
        assert title_of(agent.companion(name)) == f"opsjob-agent: {name}"
    await eventually(lambda: os.listdir(agent.state.tasks) == [])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_the_agent_is_small(agent: AgentProcess) -> None:
    await agent.run("t1", "echo hello")

    assert resident_kib(agent.pid) <= 30 * 1024
