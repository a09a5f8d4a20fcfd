"""What an agent says to a gateway behind TLS is encrypted, however the address is written."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.identity import Identity
from tests.agent.conftest import AgentProcess
from tests.support.certificates import Authority, tls_front
from tests.support.file_port import file_port

SCHEMES = ["https", "HTTPS"]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_session_is_encrypted(
    scheme: str, idle_agent: AgentProcess, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    plain = f"http://127.0.0.1:{idle_agent.gateway.port}"

    with tls_front(plain, authority.server("localhost")) as front:
        address = front.replace("https", scheme)
        identity = Identity.load(idle_agent.state)
        believing = replace(identity, gateways=(address,), ca_file=str(authority.ca_file))
        believing.store(idle_agent.state)
        await idle_agent.start()

        result = await idle_agent.run("t1", "echo hello")
        await idle_agent.stop()

    assert result["outcome"] == "exited"


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_transfer_is_encrypted(scheme: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with file_port(tmp_path / "platform") as port:
        plain = f"http://127.0.0.1:{port.port}"
        with tls_front(plain, authority.server("localhost")) as front:
            done = await port.push(
                port.item(b"content", f"{tmp_path}/file"),
                gateways=(front.replace("https", scheme),),
                ca_file=str(authority.ca_file),
                patience_seconds=0.5,
            )

    assert (done.code, done.stderr) == (0, "")
    assert (tmp_path / "file").read_bytes() == b"content"
