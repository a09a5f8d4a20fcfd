"""What a first start does once the services answer: the first admin, the local agent's identity."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from libs.contracts.auth import AuthClient
from libs.contracts.hosts import HostsClient
from libs.kit.auth import InternalTokens
from libs.kit.client import remote_transport
from libs.kit.errors import Conflict, Unavailable
from libs.kit.settings import Settings
from services.embedded import local_agent
from services.embedded.folder import DataFolder, write_private
from services.embedded.options import StartRefused

CALLER = "supervisor"
FIRST_ADMIN = "admin"
TOKEN_SECONDS = 600
PATIENCE_SECONDS = 20.0

T = TypeVar("T")


def run(settings: Settings, folder: DataFolder, agent_url: str | None) -> int:
    """Runs in a child of the supervisor; with `agent_url` the local agent enrols there."""
    try:
        asyncio.run(_set_up(settings, folder, agent_url))
    except StartRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    return 0


async def _set_up(settings: Settings, folder: DataFolder, agent_url: str | None) -> None:
    tokens = InternalTokens.of(settings)
    async with httpx.AsyncClient(transport=remote_transport(settings)) as http:
        await _first_admin(AuthClient(http, tokens, CALLER), folder)
        hosts = HostsClient(http, tokens, CALLER)
        if agent_url is not None:
            bundle = (folder.trust / "bundle.json").read_text("utf-8")
            await _patiently(lambda: hosts.publish_trust(bundle))
            issued = await _patiently(lambda: hosts.issue_enrolment_token(None, TOKEN_SECONDS))
            await asyncio.to_thread(local_agent.enrol, folder.agent, agent_url, issued.token)


async def _first_admin(auth: AuthClient, folder: DataFolder) -> None:
    """The file is complete on disk before anybody is told of it."""
    try:
        made = await _patiently(lambda: auth.create_first_admin(FIRST_ADMIN))
    except Conflict:
        return
    content = {"username": made.username, "password": made.password}
    write_private(folder.first_admin_file, json.dumps(content) + "\n")


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Services may need a moment after the gateway says that they are ready."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await ask()
            except Unavailable:
                await asyncio.sleep(0.1)
