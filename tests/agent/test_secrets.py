"""Secrets reach the script and nothing else: no disk, no argument list, no output."""

import base64
import json
import os
import stat
from pathlib import Path

import pytest

from libs.protocol import messages as m
from libs.protocol.orders import Secret
from tests.agent.conftest import AgentProcess
from tests.agent.sealer import seal
from tests.support.waiting import eventually

VALUE = "correct horse battery staple"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs scripts as other users")


async def run(agent: AgentProcess, script: str, *secrets: Secret, **changes: object) -> str:
    """The output of a script with secrets."""
    await agent.run("t1", script, secrets=secrets, **changes)
    return agent.gateway.output("t1").decode()


async def test_a_secret_is_in_the_environment_and_masked_in_all_output(agent: AgentProcess) -> None:
    secret = agent.gateway.seal("t1", "TOKEN", VALUE)
    script = """
        [ "$TOKEN" = 'correct horse battery staple' ] && echo right
        echo "a $TOKEN b" >&2
        printf '%s' "$TOKEN" | base64 | tr -d '\\n'; echo
        for part in corr 'ect horse battery' ' staple'; do printf '%s' "$part"; sleep 0.05; done
    """

    result = await agent.run("t1", script, secrets=(secret,))

    assert agent.gateway.output("t1") == b"right\n***\n***"
    assert agent.gateway.output("t1", "stderr") == b"a *** b\n"
    assert result["streams"]["stdout"]["bytes"] == len(b"right\n***\n***")
    assert "warnings" not in result


async def test_a_file_instead_of_a_variable_is_private_and_gone_afterwards(
    agent: AgentProcess,
) -> None:
    secret = agent.gateway.seal("t1", "CERT", VALUE, as_file=True)
    script = 'stat -c "%a %U" "$CERT_FILE"; echo "$CERT_FILE" "${CERT:-none}"; wc -c < "$CERT_FILE"'

    mode, place, size = (await run(agent, script, secret)).splitlines()

    path, variable = place.split()
    assert mode.split()[0] == "400"
    assert variable == "none"
    assert size == str(len(VALUE))
    assert not is_there(path)
    assert not is_there(str(Path(path).parent))


@needs_root
async def test_another_user_can_read_the_file_that_is_for_him(agent: AgentProcess) -> None:
    secret = agent.gateway.seal("t1", "CERT", VALUE, as_file=True)

    script = 'stat -c "%a %U" "$CERT_FILE"; cat "$CERT_FILE"'

    assert await run(agent, script, secret, run_as="nobody") == "400 nobody\n***"


async def test_a_secret_is_never_on_disk_or_in_an_argument_list(
    agent: AgentProcess, tmp_path: Path
) -> None:
    secret = agent.gateway.seal("t1", "TOKEN", VALUE)
    script = (
        f'echo "$TOKEN"; touch {tmp_path}/on; while [ ! -e {tmp_path}/off ]; do sleep 0.01; done'
    )
    await agent.offer("t1", script, secrets=(secret,), outputs=True)
    await eventually(lambda: (tmp_path / "on").exists())

    assert files_with(VALUE, Path(agent.state.root)) == []
    assert command_lines_with(VALUE) == []

    (tmp_path / "off").touch()
    await eventually(lambda: agent.gateway.is_done("t1"))
    assert files_with(VALUE, Path(agent.state.root)) == []
    await agent.kill()
    assert files_with(VALUE, Path(agent.state.root)) == []


def is_there(path: str) -> bool:
    return os.path.lexists(path)


def files_with(text: str, folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if stat.S_ISREG(path.lstat().st_mode)]
    return [path for path in files if text.encode() in path.read_bytes()]


def command_lines_with(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes():
                found.append(str(path))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("wrong", ["task", "attempt", "name", "key", "garbage"])
async def test_a_secret_for_something_else_is_rejected_and_nothing_starts(
    agent: AgentProcess, tmp_path: Path, wrong: str
) -> None:
    other = "A" * 43 + "="
    sealed = {
        "task": seal(VALUE, agent.gateway.sealing_key, task_id="t2", name="TOKEN"),
        "attempt": seal(VALUE, agent.gateway.sealing_key, task_id="t1", attempt=2, name="TOKEN"),
        "name": seal(VALUE, agent.gateway.sealing_key, task_id="t1", name="OTHER"),
        "key": seal(VALUE, base64.b64encode(bytes([9] * 32)).decode(), task_id="t1", name="TOKEN"),
        "garbage": other,
    }[wrong]

    await agent.offer("t1", f"touch {tmp_path}/ran", secrets=(Secret("TOKEN", sealed),))

    await eventually(lambda: agent.gateway.of_type(m.Reject))
    (reject,) = agent.gateway.of_type(m.Reject)
    assert (reject.reason, reject.detail) == ("secret_unreadable", "TOKEN")
    assert agent.gateway.of_type(m.Claim) == []
    assert not (tmp_path / "ran").exists()


async def test_a_variable_that_changes_which_code_runs_is_no_secret_either(
    agent: AgentProcess,
) -> None:
    await agent.offer("t1", "true", secrets=(agent.gateway.seal("t1", "LD_PRELOAD", "/evil.so"),))

    await eventually(lambda: agent.gateway.of_type(m.Reject))
    assert agent.gateway.of_type(m.Reject)[0].reason == "order_invalid"


async def test_a_value_too_short_to_mask_works_and_is_noted(agent: AgentProcess) -> None:
    result = await agent.run(
        "t1", 'echo "pin $PIN"', secrets=(agent.gateway.seal("t1", "PIN", "12345"),)
    )

    assert agent.gateway.output("t1") == b"pin 12345\n"
    assert result["warnings"] == [{"code": "secret_not_masked", "name": "PIN"}]


async def test_a_killed_signer_does_not_make_a_secret_unreadable(agent: AgentProcess) -> None:
    os.kill(agent.companion("signer"), 9)

    output = await run(agent, 'echo "${#TOKEN}"', agent.gateway.seal("t1", "TOKEN", VALUE))

    assert output == f"{len(VALUE)}\n"


async def test_a_secret_is_forgotten_with_an_order_that_was_cancelled(agent: AgentProcess) -> None:
    agent.gateway.grants = False
    secret = agent.gateway.seal("t1", "TOKEN", VALUE)
    await agent.offer("t1", "true", secrets=(secret,))
    await eventually(lambda: agent.gateway.of_type(m.Claim))
    await agent.gateway.send(m.Cancel("t1", 1, "user", 1))

    agent.gateway.grants = True
    await agent.gateway.send(agent.gateway.grant("t1", 1))
    await agent.run("t2", "true")

    assert ("t1", 1) not in agent.gateway.results


async def test_a_prompt_that_begins_like_a_secret_is_shown_after_a_moment(
    agent: AgentProcess, tmp_path: Path
) -> None:
    secret = agent.gateway.seal("t1", "TOKEN", VALUE)
    script = f"printf 'Name c'; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; echo at"
    await agent.offer("t1", script, secrets=(secret,))

    await eventually(lambda: agent.gateway.output("t1") == b"Name c", timeout=5)
    (tmp_path / "go").touch()
    await eventually(lambda: agent.gateway.is_done("t1"))

    assert agent.gateway.output("t1") == b"Name cat\n"


async def test_values_for_later_steps_come_back_in_the_signed_result(agent: AgentProcess) -> None:
    secret = agent.gateway.seal("t1", "TOKEN", VALUE)
    script = """
        echo VERSION=1.2.3 >> "$OPSJOB_OUTPUT"
        echo "STOLEN=x$TOKEN" >> "$OPSJOB_OUTPUT"
        echo "STATE=gr\u00fcn und 'quer'" >> "$OPSJOB_OUTPUT"
        echo nonsense >> "$OPSJOB_OUTPUT"
        ls -A
    """

    result = await agent.run("t1", script, secrets=(secret,), outputs=True)

    assert result["outputs"] == {"VERSION": "1.2.3", "STATE": "gr\u00fcn und 'quer'"}
    assert result["warnings"] == [
        {"code": "output_secret", "name": "STOLEN"},
        {"code": "output_invalid", "name": "line 4"},
    ]
    assert VALUE not in json.dumps(result)


async def test_another_user_can_leave_values_too(agent: AgentProcess) -> None:
    user = "nobody" if os.geteuid() == 0 else None

    result = await agent.run("t1", 'echo A=1 > "$OPSJOB_OUTPUT"', outputs=True, run_as=user)

    assert result["outputs"] == {"A": "1"}


async def test_without_being_asked_there_is_no_file_for_values(agent: AgentProcess) -> None:
    assert await run(agent, 'echo "${OPSJOB_OUTPUT:-none}"; ls -A | wc -l') == "none\n1\n"


async def test_the_largest_values_survive_a_crash_before_the_acknowledgement(
    agent: AgentProcess,
) -> None:
    agent.gateway.acks_results = False
    script = (
        'for n in 1 2 3; do printf "V$n="; head -c 21000 /dev/zero | tr "\\0" \'"\'; echo; done'
    )

    await agent.offer("t1", f'({script}) > "$OPSJOB_OUTPUT"', outputs=True)
    first = await agent.result_of("t1")
    await agent.kill()
    agent.gateway.results.clear()
    await agent.start()
    agent.gateway.acks_results = True

    assert await agent.result_of("t1") == first
    assert first["outputs"]["V3"] == '"' * 21_000
