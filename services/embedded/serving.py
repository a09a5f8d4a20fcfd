"""uvicorn inside a process of ours: several servers in one loop, one way to stop them all."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from libs.kit.tls import TlsFiles

GRACE_SECONDS = 3  # for answers under way; open event streams are cut after it and resume


class QuietServer(uvicorn.Server):
    """Leaves signals to the process: two servers in one loop would take them from each other."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class PromptHttp(HttpToolsProtocol):
    """Ends idle connections at a stop without waiting for a farewell, which TLS would want."""

    def shutdown(self) -> None:
        """Called at a stop; an answer under way is still given."""
        cycle: RequestResponseCycle | None = vars(self)["cycle"]  # uvicorn begins with None
        if cycle is None or cycle.response_complete:
            self.transport.abort()
        else:
            cycle.keep_alive = False


@dataclass(frozen=True)
class Listening:
    """One server and the socket that it answers on."""

    config: uvicorn.Config
    listener: socket.socket


def internal_config(app: ASGIApp, tls: TlsFiles | None = None) -> uvicorn.Config:
    """For callers of ours only: no limits beyond those of the app, no proxies, no banner.

    With `tls` nobody is heard who cannot show a certificate of its authority.
    """
    return uvicorn.Config(
        app,
        http=PromptHttp if tls else "httptools",
        ws="none",
        loop="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        log_config=None,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=None if tls is None else lambda *_: tls.to_answer(),
    )


async def serve_until(servers: Sequence[Listening], stop: asyncio.Event) -> None:
    """Until `stop` is set; then answers what is under way and returns."""
    running = [QuietServer(each.config) for each in servers]
    async with asyncio.TaskGroup() as group:
        for server, each in zip(running, servers, strict=True):
            group.create_task(server.serve(sockets=[each.listener]))
        await stop.wait()
        for server in running:
            server.should_exit = True


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
