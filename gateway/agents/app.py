"""Puts the agent gateway into a process of its own: addresses, clients, signals, title."""

import asyncio
import resource
import signal
import socket

import httpx
import setproctitle
import uvloop

from gateway.agents.bringing import Bringing
from gateway.agents.files import FileDesk
from gateway.agents.server import AgentGateway
from gateway.agents.settings import AgentGatewaySettings
from libs.contracts.execution import ExecutionClient
from libs.contracts.hosts import HostsClient
from libs.kit.artifacts import Drafts, FileTickets, store_of
from libs.kit.auth import InternalTokens
from libs.kit.bus import StreamMark
from libs.kit.client import remote_transport
from libs.kit.redis import connect
from libs.kit.settings import Settings

TITLE = "opsjob: agent-gateway"
CALLER = "agent-gateway"
CALLER_IN_REDIS = "gateway-agents"
REDIS_CONNECTIONS = 4
"""One writer, one for marks, and room to spare; the blocking reader has its own."""


def serve(
    common: Settings,
    settings: AgentGatewaySettings | None = None,
    *,
    listener: socket.socket | None = None,
) -> None:
    """Serves agents until SIGTERM or SIGINT; for the main thread of a process of its own.

    `common` says where Redis and hosts are, and holds the secret of internal tokens. A `listener`
    that is bound already replaces host and port of `settings`.
    """
    setproctitle.setproctitle(TITLE)
    _allow_many_sockets()
    uvloop.run(serve_until_stopped(common, settings or AgentGatewaySettings(), listener=listener))


async def serve_until_stopped(
    common: Settings, settings: AgentGatewaySettings, *, listener: socket.socket | None = None
) -> None:
    """The same inside a running loop; SIGTERM and SIGINT lead to an orderly end."""
    redis = connect(common.redis_url_of(CALLER_IN_REDIS), connections=REDIS_CONNECTIONS)
    tokens = InternalTokens.of(common)
    async with httpx.AsyncClient(transport=remote_transport(common)) as http:
        folder = common.data_dir / "artifacts"
        store, drafts = store_of(folder), Drafts(folder / "drafts")
        bringing = Bringing(store, drafts, ExecutionClient(http, tokens, CALLER))
        gateway = AgentGateway(
            settings,
            redis=redis,
            hosts=HostsClient(http, tokens, CALLER),
            mark=StreamMark(common.secret, accepted=common.accepted_secrets),
            files=FileDesk(
                store, bringing, FileTickets(common.secret, accepted=common.accepted_secrets)
            ),
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, gateway.stop)
        try:
            await gateway.run(listener)
        finally:
            await redis.aclose()


def _allow_many_sockets() -> None:
    """Raises the soft limit of open files to the hard one; each agent needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
