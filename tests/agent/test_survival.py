"""Whatever dies or is repeated: no script stops, none starts twice, none without a grant."""

import asyncio
import contextlib
import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.identity import boot_id
from agent.ledger import Entry, Ledger, read_open
from agent.records import read_exit
from agent.spool import SpoolReader
from agent.state import StateFolder
from libs.protocol import messages as m
from tests.agent.conftest import AgentProcess
from tests.agent.gateway import AGENT_ID, lines, order
from tests.agent.journals import damage_records_of, rewrite_boot
from tests.support.waiting import eventually


def slow_script(tmp_path: Path) -> str:
    """Marks its start, writes numbered lines until it is told to end."""
    return f"""
        echo $$ >> {tmp_path}/marker
        number=0
        while [ ! -e {tmp_path}/end ]; do
            number=$((number + 1)); echo "line $number"; sleep 0.01
        done
        echo end"""


def is_in_order(content: bytes) -> bool:
    found = content.decode().splitlines()
    numbered = [f"line {number}" for number in range(1, len(found))]
    return found == [*numbered, "end"]


def end(tmp_path: Path) -> None:
    (tmp_path / "end").touch()


def has_exit_record(folder: str) -> bool:
    """Behind short output, else in a file of its own."""
    reader = SpoolReader(folder)
    with contextlib.closing(reader):
        return reader.end() is not None or read_exit(folder) is not None


async def started(agent: AgentProcess, tmp_path: Path) -> None:
    await agent.offer("t1", slow_script(tmp_path))
    await eventually(lambda: agent.gateway.output("t1").count(b"\n") > 5)


async def finish(agent: AgentProcess, tmp_path: Path) -> None:
    end(tmp_path)
    await eventually(lambda: agent.gateway.is_done("t1"), timeout=20)
    result = agent.gateway.results["t1", 1]
    assert (result["outcome"], result["exit_code"]) == ("exited", 0)
    assert is_in_order(agent.gateway.output("t1"))
    assert len(lines(tmp_path / "marker")) == 1


async def test_a_killed_agent_is_replaced_while_its_script_runs(
    agent: AgentProcess, tmp_path: Path
) -> None:
    await started(agent, tmp_path)

    await agent.kill()
    await agent.start()

    assert agent.gateway.hellos[-1].tasks == (m.JournalledTask("t1", 1, "running"),)
    await finish(agent, tmp_path)


async def test_a_script_that_ends_while_no_agent_runs_is_reported_later(
    agent: AgentProcess, tmp_path: Path
) -> None:
    await started(agent, tmp_path)
    await agent.kill()
    end(tmp_path)
    await eventually(lambda: has_exit_record(agent.state.task("t1.1")))

    await agent.start()

    await finish(agent, tmp_path)


@pytest.mark.parametrize("name", ["spawner", "signer"])
async def test_a_killed_companion_comes_back_while_a_script_runs(
    agent: AgentProcess, tmp_path: Path, name: str
) -> None:
    await started(agent, tmp_path)
    killed = agent.companion(name)

    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: agent.companion(name) != killed)

    await agent.run("t2", "echo still works")
    assert len(agent.gateway.hellos) == 1
    await finish(agent, tmp_path)


async def test_agent_and_companions_killed_together_change_nothing(
    agent: AgentProcess, tmp_path: Path
) -> None:
    await started(agent, tmp_path)

    for name in ("spawner", "signer"):
        os.kill(agent.companion(name), signal.SIGKILL)
    await agent.kill()
    await agent.start()

    await finish(agent, tmp_path)


async def test_a_broken_connection_loses_no_byte(agent: AgentProcess, tmp_path: Path) -> None:
    await started(agent, tmp_path)

    for sessions in (2, 3, 4):
        await agent.gateway.drop()
        await agent.sessions(sessions)

    await finish(agent, tmp_path)


async def test_a_gateway_that_is_away_for_a_while_gets_everything(
    agent: AgentProcess, tmp_path: Path
) -> None:
    agent.gateway.stores = agent.gateway.acks_results = False
    await agent.offer("t1", "seq 200000; head -c 3000000 /dev/zero >&2")
    await eventually(lambda: agent.gateway.of_type(m.Result))
    await agent.gateway.drop()
    agent.gateway.stores = agent.gateway.acks_results = True

    await eventually(lambda: agent.gateway.is_done("t1"), timeout=20)

    assert agent.gateway.output("t1").split() == [b"%d" % n for n in range(1, 200_001)]
    await eventually(lambda: os.listdir(agent.state.tasks) == [])


async def test_a_floor_that_does_not_move_makes_the_agent_send_again(
    agent: AgentProcess,
) -> None:
    agent.gateway.stores = False
    await agent.offer("t1", "echo hello")
    await eventually(lambda: agent.gateway.results)
    agent.gateway.stores = True

    await eventually(lambda: agent.gateway.output("t1") == b"hello\n", timeout=12)


async def test_a_result_is_repeated_until_it_is_acknowledged(agent: AgentProcess) -> None:
    agent.gateway.acks_results = False
    await agent.offer("t1", "true")
    await eventually(lambda: agent.gateway.result_count["t1", 1] >= 2, timeout=10)

    agent.gateway.acks_results = True
    await eventually(lambda: os.listdir(agent.state.tasks) == [], timeout=10)

    results = [message.payload for message in agent.gateway.of_type(m.Result)]
    assert len(set(results)) == 1


async def test_an_attempt_that_was_asked_for_is_listed_to_the_next_gateway(
    agent: AgentProcess,
) -> None:
    """Its grant may arrive there: what a hello does not list and then runs would be called lost."""
    agent.gateway.grants = False
    await agent.offer("t1", "exit 6")
    await eventually(lambda: agent.gateway.of_type(m.Claim))

    await agent.gateway.drop()
    await agent.sessions(2)
    await agent.gateway.send(agent.gateway.grant("t1", 1))

    assert (await agent.result_of("t1"))["exit_code"] == 6
    assert agent.gateway.hellos[-1].tasks == (m.JournalledTask("t1", 1, "granted"),)


async def test_without_a_grant_nothing_starts(agent: AgentProcess, tmp_path: Path) -> None:
    agent.gateway.grants = False
    for number in range(5):
        await agent.offer(f"t{number}", f"echo >> {tmp_path}/ran")
    await eventually(lambda: len(agent.gateway.of_type(m.Claim)) >= 6, timeout=15)
    boot = agent.gateway.hellos[-1].boot_id

    await agent.gateway.send(m.Grant("t0", 1, 1, "another-boot"))
    await agent.gateway.send(m.Grant("t0", 2, 1, boot))
    await agent.gateway.send(m.Grant("unknown", 1, 1, boot))
    await agent.gateway.send(m.Refuse("t1", 1, "expired"))
    await agent.gateway.send(m.Grant("t1", 1, 1, boot))
    await agent.gateway.send(m.Cancel("t2", 1, "user", 1))
    await agent.gateway.send(m.Grant("t2", 1, 1, boot))
    await agent.offer("last", "#!/no/such/program")  # answered after everything before it
    await eventually(lambda: agent.gateway.of_type(m.Reject))

    assert lines(tmp_path / "ran") == []
    assert os.listdir(agent.state.tasks) == []
    assert agent.gateway.of_type(m.Started) == []


async def test_repeated_offers_and_grants_start_once(agent: AgentProcess, tmp_path: Path) -> None:
    plain = m.Offer(order("t1", f"echo $$ >> {tmp_path}/marker"))
    offer = agent.gateway.authority.frame(plain, AGENT_ID)
    for _ in range(5):
        await agent.gateway.send_raw(offer)
    await eventually(lambda: agent.gateway.is_done("t1"))
    grant = agent.gateway.grant("t1", 1)

    for _ in range(5):
        await agent.gateway.send_raw(offer)
        await agent.gateway.send(grant)
    rejects = await eventually(lambda: agent.gateway.of_type(m.Reject))
    await agent.kill()
    await agent.start()
    await agent.gateway.send_raw(offer)
    await agent.gateway.send(grant)
    await agent.run("t2", "true")

    assert len(lines(tmp_path / "marker")) == 1
    assert {reject.reason for reject in rejects} == {"already_ran"}


async def test_a_replayed_grant_after_a_kill_in_the_middle_starts_nothing_twice(
    agent: AgentProcess, tmp_path: Path
) -> None:
    script = f"echo $$ >> {tmp_path}/marker; sleep 0.05"
    for number in range(8):
        await agent.offer(f"t{number}", f"echo t{number} >> {tmp_path}/marker; {script}")
        if number % 2:
            await agent.kill()
            await agent.start()
        for earlier in range(number + 1):
            await agent.offer(f"t{earlier}", f"echo t{earlier} >> {tmp_path}/marker; {script}")
            await agent.gateway.send(agent.gateway.grant(f"t{earlier}", 1))

    await eventually(lambda: len(agent.gateway.results) == 8, timeout=20)

    marks = [line for line in lines(tmp_path / "marker") if line.startswith("t")]
    assert len(marks) == len(set(marks))
    for (task_id, _), result in agent.gateway.results.items():
        assert task_id in marks or result["outcome"] == "lost"


async def test_after_a_reboot_what_ran_is_lost_and_says_so(
    agent: AgentProcess, tmp_path: Path
) -> None:
    await started(agent, tmp_path)
    await agent.kill()
    os.kill(shim_of(agent), signal.SIGKILL)
    rewrite_boot(agent)

    await agent.start()
    await eventually(lambda: agent.gateway.is_done("t1"))

    result = agent.gateway.results["t1", 1]
    assert (result["outcome"], result["reason"]) == ("lost", "host_rebooted")
    assert (result["exit_code"], result["signal"], result["ended_at"]) == (None, None, None)
    assert result["streams"]["stdout"]["sha256"] is None
    assert result["streams"]["stdout"]["bytes"] == len(agent.gateway.output("t1"))
    end(tmp_path)


def shim_of(agent: AgentProcess) -> int:
    return int(json.loads(Path(agent.state.task("t1.1"), "started").read_text())["shim_pid"])


async def test_an_end_that_was_recorded_before_a_reboot_is_still_reported(
    agent: AgentProcess,
) -> None:
    agent.gateway.acks_results = agent.gateway.stores = False
    await agent.offer("t1", "echo hello; exit 4")
    await eventually(lambda: agent.gateway.results)
    await agent.kill()
    rewrite_boot(agent)
    agent.gateway.acks_results = agent.gateway.stores = True

    await agent.start()
    await eventually(lambda: agent.gateway.is_done("t1"))

    assert agent.gateway.results["t1", 1]["exit_code"] == 4
    assert agent.gateway.output("t1") == b"hello\n"


async def test_a_start_that_never_reached_a_shim_is_lost_not_repeated(
    idle_agent: AgentProcess, tmp_path: Path
) -> None:
    ledger = Ledger(idle_agent.state)
    ledger.start(
        [Entry("t1", 1, "granted", execution_id="e1", epoch=3, boot_id=boot_id(), mark="m")]
    )
    ledger.close()

    await idle_agent.start()
    await idle_agent.offer("t1", f"echo >> {tmp_path}/ran")
    await eventually(lambda: idle_agent.gateway.is_done("t1"))

    result = idle_agent.gateway.results["t1", 1]
    assert (result["outcome"], result["reason"], result["epoch"]) == ("lost", "start_unknown", 3)
    assert lines(tmp_path / "ran") == []


async def test_an_offer_that_comes_again_before_the_launch_is_not_called_already_run(
    agent: AgentProcess, tmp_path: Path
) -> None:
    agent.gateway.grants = False
    for task_id in ("t1", "t2"):
        await agent.offer(task_id, f"echo {task_id} >> {tmp_path}/marker")
    await eventually(lambda: len(agent.gateway.of_type(m.Claim)) >= 2)
    spawner = agent.companion("spawner")
    os.kill(spawner, signal.SIGSTOP)
    os.kill(agent.pid, signal.SIGSTOP)  # so that both grants arrive in one moment
    for task_id in ("t1", "t2"):
        await agent.gateway.send(agent.gateway.grant(task_id, 1))
    agent.gateway.grants = True
    os.kill(agent.pid, signal.SIGCONT)
    await eventually(lambda: {e.task_id for e in read_open(agent.state)} == {"t1", "t2"})

    for task_id in ("t1", "t2"):
        await agent.offer(task_id, f"echo {task_id} >> {tmp_path}/marker")
    await agent.offer("t3", "true")  # offers are handled in order: its claim comes behind them
    await eventually(lambda: "t3" in {claim.task_id for claim in agent.gateway.of_type(m.Claim)})
    os.kill(spawner, signal.SIGCONT)

    await eventually(lambda: all(agent.gateway.is_done(f"t{n}") for n in (1, 2, 3)), timeout=20)
    assert not agent.gateway.of_type(m.Reject)
    assert sorted(lines(tmp_path / "marker")) == ["t1", "t2"]


async def test_a_damaged_record_is_reported_and_its_task_not_started(
    agent: AgentProcess, tmp_path: Path
) -> None:
    agent.gateway.acks_results = False
    for task_id in ("t1", "t2"):
        await agent.offer(task_id, f"echo {task_id} >> {tmp_path}/marker")
        await agent.result_of(task_id)
    await agent.kill()
    damage_records_of(agent, b"t1")

    await agent.start()
    agent.gateway.received.clear()
    await agent.offer("t1", f"echo again >> {tmp_path}/marker")
    rejects = await eventually(lambda: agent.gateway.of_type(m.Reject))

    assert rejects[0].reason == "damaged"
    assert m.JournalledTask("t1", 1, "damaged") in agent.gateway.hellos[-1].tasks
    assert lines(tmp_path / "marker") == ["t1", "t2"]


async def test_a_state_folder_has_one_agent(agent: AgentProcess) -> None:
    second = replace(agent, process=None)
    with pytest.raises(AssertionError):
        await asyncio.wait_for(second.start(), 30)

    assert second.process is not None
    assert second.process.returncode == 1
    assert "Another agent uses" in second.log()


async def test_the_next_gateway_is_tried_when_one_is_gone(
    idle_agent: AgentProcess,
) -> None:
    port = idle_agent.gateway.port
    idle_agent.options = (
        "--gateway",
        "http://127.0.0.1:1",
        "--gateway",
        f"http://127.0.0.1:{port}",
    )

    await idle_agent.start()

    await idle_agent.run("t1", "true")


async def test_a_long_path_to_the_state_folder_is_no_problem(
    idle_agent: AgentProcess, tmp_path: Path
) -> None:
    long_folder = tmp_path / ("long-name-" * 12) / ("another-" * 12)
    os.makedirs(long_folder)
    os.rename(idle_agent.state.root, long_folder / "state")
    idle_agent.state = StateFolder(str(long_folder / "state"))
    await idle_agent.start()
    passed = []
    for number in range(5):
        began = time.monotonic()
        await idle_agent.run(f"t{number}", "echo hello")
        passed.append(time.monotonic() - began)

    # Without pokes only ticks would end tasks: whichever follows another one lasts from one tick
    # to another, which is a second or more. A busy machine makes some as slow, not all.
    assert min(passed[1:]) < 0.8
