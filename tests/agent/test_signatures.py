"""Where signatures are made and checked: beside the orders if a small library can be reached."""

import os
import signal
from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import openssl, sodium
from agent.ed25519 import public_key
from agent.keys import AnybodysKey
from agent.state import StateFolder, read_if_there
from libs.contracts.trust import public_text
from libs.protocol.envelope import exact
from tests.agent.conftest import AgentProcess
from tests.agent.gateway import Gateway
from tests.support.waiting import eventually

STATEMENT = b"opsjob/result/v1\0" + b"x" * 3000


def test_all_libraries_believe_the_same_signatures() -> None:
    theirs = Ed25519PrivateKey.generate()
    public = exact(public_text(theirs))
    signature = theirs.sign(STATEMENT)

    assert openssl.is_there()
    assert sodium.is_there()
    for key in (sodium.PublicKey(public), openssl.PublicKey(public), AnybodysKey(public)):
        assert key.has_signed(signature, STATEMENT)
        assert not key.has_signed(signature, STATEMENT + b"x")
        assert not key.has_signed(bytes(64), STATEMENT)
        assert not key.has_signed(signature[:-1], STATEMENT)
        assert not key.has_signed(signature + b"x", STATEMENT)
        assert not key.has_signed(b"", STATEMENT)


@pytest.mark.parametrize("raw", [b"too short", bytes(33), b""])
def test_what_is_no_key_is_refused(raw: bytes) -> None:
    for library in (openssl, sodium):
        with pytest.raises(ValueError, match="32 bytes"):
            library.PublicKey(raw)


def test_nobody_is_believed_with_a_key_for_which_anybody_can_sign() -> None:
    neutral = bytes([1]) + bytes(31)  # of small order: it vouches for every statement
    signature = neutral + bytes(32)

    assert openssl.PublicKey(neutral).has_signed(signature, STATEMENT)
    assert not public_key(neutral).has_signed(signature, STATEMENT)


async def test_scripts_start_and_end_without_the_process_of_the_private_keys(
    agent: AgentProcess, tmp_path: Path
) -> None:
    """It is asked for signatures alone: orders are checked by the agent, which never has a key."""
    os.kill(agent.companion("signer"), signal.SIGSTOP)
    await agent.offer("t1", f"echo done > {tmp_path}/done; echo hello")

    await eventually((tmp_path / "done").exists)
    await eventually(lambda: agent.gateway.output("t1") == b"hello\n")

    assert not agent.gateway.results
    os.kill(agent.companion("signer"), signal.SIGCONT)
    assert (await agent.result_of("t1"))["exit_code"] == 0


async def test_the_agent_has_no_private_key_in_its_memory(agent: AgentProcess) -> None:
    await agent.run("t1", "echo hello")
    text = read_if_there(agent.state.key) or b""
    key = b64decode(text)

    assert len(key) == 32
    assert not _is_in_memory(agent.pid, text.strip())
    assert not _is_in_memory(agent.pid, key)
    assert _is_in_memory(agent.companion("signer"), key)


def _is_in_memory(pid: int, secret: bytes) -> bool:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *_ = line.split()
            begin, end = (int(number, 16) for number in place.split("-"))
            if not rights.startswith("rw") or "[v" in line:
                continue
            memory.seek(begin)
            if secret in memory.read(end - begin):
                return True
    return False


@pytest.mark.parametrize("missing", ["nacl", "_hashlib"])
async def test_without_one_of_the_libraries_the_agent_still_checks_by_itself(
    tmp_path: Path, gateway: Gateway, missing: str
) -> None:
    agent = await _agent_without(tmp_path, gateway, missing)
    try:
        assert (await agent.run("t1", "echo hello"))["exit_code"] == 0
        os.kill(agent.companion("signer"), signal.SIGSTOP)
        await agent.offer("t2", f"echo done > {tmp_path}/done")
        await eventually((tmp_path / "done").exists)
        os.kill(agent.companion("signer"), signal.SIGCONT)
    finally:
        await agent.stop()


async def _agent_without(tmp_path: Path, gateway: Gateway, *modules: str) -> AgentProcess:
    hidden = "".join(f"sys.modules[{name!r}] = None\n" for name in modules)
    (tmp_path / "sitecustomize.py").write_text(f"import sys\n{hidden}")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    agent = AgentProcess(StateFolder(str(tmp_path / "state")), gateway, environment=environment)
    await agent.start()
    return agent


async def test_without_both_another_process_is_asked(tmp_path: Path, gateway: Gateway) -> None:
    agent = await _agent_without(tmp_path, gateway, "nacl", "_hashlib")
    try:
        result = await agent.run("t1", "echo hello")
        os.kill(agent.companion("signer"), signal.SIGSTOP)
        await agent.offer("t2", "true")

        assert result["exit_code"] == 0
        assert agent.gateway.results.keys() == {("t1", 1)}
        os.kill(agent.companion("signer"), signal.SIGCONT)
        assert (await agent.result_of("t2"))["exit_code"] == 0
    finally:
        await agent.stop()
