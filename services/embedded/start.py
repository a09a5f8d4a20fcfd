"""First seconds of `opsjob up`: everything that can refuse a start, before the heavy imports.

The embedded Valkey starts here too, so that it is ready when the imports are done.
"""

import importlib
import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import setproctitle

from services.embedded import folder as folders
from services.embedded import forking
from services.embedded.children import Child, Children
from services.embedded.folder import DataFolder
from services.embedded.listening import listen, listen_private
from services.embedded.options import LogTarget, StartRefused, UpOptions
from services.embedded.valkey import EmbeddedValkey

FirstRun = Callable[[Path], int]
"""Runs a first script on the platform of this data folder; answers its exit code."""


@dataclass
class Prepared:
    """What the supervisor takes over: nothing in it needs a thread or an event loop."""

    options: UpOptions
    folder: DataFolder
    children: Children
    secret: str
    redis_url: str
    public: socket.socket
    agents: socket.socket
    control: socket.socket
    lock: int
    first_run: FirstRun | None
    say: Callable[[str], None]
    began_at: float = field(default_factory=time.monotonic)

    def log(self, name: str) -> Path | None:
        """The log file of one process; None sends its lines to the terminal."""
        if self.options.logs is LogTarget.terminal:
            return None
        return self.folder.process_logs / f"{name}.log"


def up(options: UpOptions, first_run: FirstRun | None = None) -> int:
    """Runs the embedded platform until it is told to stop; answers the exit code.

    Raises StartRefused with one line for the person who typed the command.
    """
    began = _process_began_at()
    os.umask(0o077)
    forking.pause_collector()
    setproctitle.setproctitle("opsjob: supervisor")
    folder = folders.prepare(options.data_dir)
    lock = folders.lock(folder)
    secret = os.environ.get("OPSJOB_SECRET") or folders.secret(folder)
    public = listen(options.host, options.port, "--port")
    agents = listen(options.host, options.agent_port, "--agent-port")
    control = listen_private(folder.control_socket)
    folders.trim_logs(folder)

    children = Children(say=say)
    prepared = Prepared(
        options=options,
        folder=folder,
        children=children,
        secret=secret,
        redis_url="",
        public=public,
        agents=agents,
        control=control,
        lock=lock,
        first_run=first_run,
        say=say,
        began_at=began,
    )
    children.watch_signals()
    try:
        prepared.redis_url = _redis(prepared)
        supervisor = importlib.import_module("services.embedded.supervisor")
        return int(supervisor.supervise(prepared))
    finally:
        children.stop_all()


def _redis(prepared: Prepared) -> str:
    """The Redis to use: the one of the environment, else an embedded Valkey that starts now."""
    given = os.environ.get("OPSJOB_REDIS_URL")
    if given:
        return given
    valkey = EmbeddedValkey(prepared.folder)
    valkey.prepare()
    log = prepared.log("valkey")
    prepared.children.add(Child("valkey", lambda: valkey.start(log), stop_seconds=10.0))
    deadline = time.monotonic() + 60.0  # a large append-only file takes time to read
    while not valkey.answers():
        if prepared.children.stopping:
            raise StartRefused("Stopped before the platform was ready.")
        if prepared.children.deaths() > 2 or time.monotonic() > deadline:
            raise StartRefused(f"The embedded Valkey does not start; see {log or 'its output'}.")
        prepared.children.tick(0.01)
    return valkey.url


def _process_began_at() -> float:
    """When this process was started, on the monotonic clock; the interpreter's start counts too."""
    try:
        ticks = int(Path("/proc/self/stat").read_text("ascii").rpartition(") ")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return time.monotonic()
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age


def say(text: str) -> None:
    """One line for the person at the terminal; nobody there is no reason to stop."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        return
