"""uvicorn inside a process of ours: several servers in one loop, one way to stop them all."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 3  # for answers under way; open event streams are cut after it and resume


class QuietServer(uvicorn.Server):
    """Leaves signals to the process: two servers in one loop would take them from each other."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@dataclass(frozen=True)
class Listening:
    """One server and the socket that it answers on."""

    config: uvicorn.Config
    listener: socket.socket


def internal_config(app: ASGIApp) -> uvicorn.Config:
    """For callers of ours only: no limits beyond those of the app, no proxies, no banner."""
    return uvicorn.Config(
        app,
        http="httptools",
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
