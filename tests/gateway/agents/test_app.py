"""The gateway as its own process is put together, without the process."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from gateway.agents.app import serve_until_stopped
from gateway.agents.settings import AgentGatewaySettings
from libs.kit.redis import Redis
from libs.kit.settings import Settings
from tests.support.agents import Ended, FakeAgent, Identity
from tests.support.waiting import eventually


async def test_it_serves_on_a_bound_socket_until_sigterm(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    common = Settings(
        database_url="sqlite:///{service}",
        redis_url=redis_url,
        secret=SecretStr("0123456789abcdef0123456789abcdef"),
        internal_socket=tmp_path / "nobody.sock",
    )
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    serving = asyncio.create_task(
        serve_until_stopped(common, AgentGatewaySettings(), listener=listener)
    )

    async def is_ready() -> bool:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{port}/health")).status_code == 200

    await eventually(is_ready)
    with pytest.raises(Ended) as refused:  # hosts is not there: come again
        await FakeAgent("127.0.0.1", port, Identity.fresh()).connect()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(10):
        await serving

    assert refused.value.code == 1013
