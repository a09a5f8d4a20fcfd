"""A whole platform of real processes that may be hurt: embedded on SQLite, or scaled on PostgreSQL.

Both look alike from here: parts with names, that are killed, stopped and come back.
"""

import asyncio
import contextlib
import json
import shutil
import signal
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import psutil
from redis import Redis

from tests.support.database import PostgresServer
from tests.support.faults import Faults
from tests.support.faulty_libc import Deceived, liar_in
from tests.support.platform import Platform
from tests.support.processes import Programs
from tests.support.topology import AGENT_GATEWAYS, PASSWORD, Topology

TIMERS = {
    "OPSJOB_EXECUTION_REOFFER_SECONDS": "2",
    "OPSJOB_EXECUTION_SWEEP_SECONDS": "1",
    "OPSJOB_AGENT_GATEWAY_HEARTBEAT_SECONDS": "2",
    "OPSJOB_GATEWAY_STREAMS_PER_USER": "1000",
}
"""Only what repeats and looks is faster than usual; what judges keeps its defaults. One user
watches for many here."""

Row = tuple[object, ...]


class World(Deceived, ABC):
    """One platform under test; a database server has a disk of its own."""

    url: str
    gateways: list[str]
    parts: list[str]
    """Names of what may be killed; Valkey is among them."""
    database_faults: tuple[str, ...]
    """What `hurt_database` can do to it."""

    def __init__(self, folder: Path, timers: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.faults = Faults(folder / "faults")
        self.liar = liar_in(folder / "libc")
        self.disk = folder / "data"
        self.environment = {**TIMERS, **(timers or {}), **self.faults.environment, **self.lies}
        self.stopped: dict[int, psutil.Process] = {}
        self.peaks: dict[str, int] = {}

    @abstractmethod
    def start(self) -> None:
        """Everything, until it is ready."""

    @abstractmethod
    def stop(self) -> None:
        """Everything, also what hangs."""

    @abstractmethod
    def process(self, part: str) -> psutil.Process | None:
        """The process that now plays a part."""

    @abstractmethod
    def revive(self) -> None:
        """Start what is dead, as a supervisor or a container engine does."""

    @abstractmethod
    async def hurt_database(self, way: str, seconds: float) -> None:
        """One of `database_faults`, for so long; when it returns the database works again."""

    @abstractmethod
    def redis(self) -> Redis:
        """A client of its Valkey."""

    @property
    @abstractmethod
    def valkey_folder(self) -> Path:
        """Where Valkey keeps its append-only file."""

    @abstractmethod
    async def rows(self, service: str, query: str) -> list[Row]:
        """What the database of a service holds."""

    @abstractmethod
    def admin(self) -> dict[str, str]:
        """Name and password of the first admin."""

    def kill(self, part: str) -> int | None:
        """SIGKILL; the pid that is no more."""
        process = self.process(part)
        if process is None:
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        return int(process.pid)

    def pause(self, part: str) -> bool:
        """SIGSTOP; `resume_all` ends it."""
        process = self.process(part)
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
            self.stopped[process.pid] = process
        return True

    def resume_all(self) -> None:
        """SIGCONT to whatever was stopped, by us or by a fault point."""
        for process in [*self.stopped.values(), *filter(None, map(self.process, self.parts))]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        self.stopped.clear()

    def kill_valkey(self, *, wiped: bool) -> None:
        """End it at once; wiped means that nothing of it was ever written down."""
        process = self.process("valkey")
        if process is None:
            return
        if wiped:
            process.send_signal(signal.SIGSTOP)  # so that nothing is written behind our back
            shutil.rmtree(self.valkey_folder / "appendonlydir", ignore_errors=True)
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()

    def measure(self) -> None:
        """Remember the largest resident set of each part."""
        for part in self.parts:
            process = self.process(part)
            with contextlib.suppress(psutil.Error, AttributeError):
                size = process.memory_info().rss  # type: ignore[union-attr]  # None is suppressed
                self.peaks[part] = max(size, self.peaks.get(part, 0))


class Embedded(World):
    """`opsjob up` on SQLite; its supervisor brings dead children back, and we the supervisor."""

    def __init__(self, folder: Path, timers: dict[str, str] | None = None) -> None:
        super().__init__(folder, timers)
        self.parts = ["supervisor", "signer", "control-plane", "agent-gateway", "valkey"]
        self.database_faults = ("auth locked", "hosts locked", "execution locked")
        self.platform: Platform | None = None

    def start(self) -> None:
        data = self.folder / "data"
        self.platform = Platform.start(data, "--no-agent", wait=True, **self.environment)
        self.url = self.platform.url
        self.gateways = [self.platform.agent_url]

    def stop(self) -> None:
        if self.platform is not None:
            self.resume_all()
            self.platform.stop()

    def process(self, part: str) -> psutil.Process | None:
        assert self.platform is not None
        with contextlib.suppress(psutil.Error):
            return self.platform.find(part)
        return None

    def revive(self) -> None:
        """As systemd would; one that finds the folder still in use ends, and is started again."""
        assert self.platform is not None
        if self.platform.process.poll() is not None:
            self.platform = self.platform.again(**self.environment)

    async def hurt_database(self, way: str, seconds: float) -> None:
        """Another program, a backup say, holds the one lock for writing."""
        path = self.folder / "data" / f"{way.split()[0]}.db"
        with contextlib.closing(sqlite3.connect(path, timeout=1.0)) as db:
            with contextlib.suppress(sqlite3.OperationalError):
                db.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)

    def redis(self) -> Redis:
        lines = (self.folder / "data" / "run" / "valkey.conf").read_text().splitlines()
        settings = dict(line.split(" ", 1) for line in lines if " " in line)
        path = quote(settings["unixsocket"].strip('"'))
        return Redis.from_url(f"unix://:{settings['requirepass']}@{path}", socket_timeout=5)

    @property
    def valkey_folder(self) -> Path:
        return self.folder / "data" / "valkey"

    async def rows(self, service: str, query: str) -> list[Row]:
        path = self.folder / "data" / f"{service}.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return [tuple(row) for row in db.execute(query)]

    def admin(self) -> dict[str, str]:
        assert self.platform is not None
        return self.platform.first_admin


class Scaled(World):
    """Every part a process of its own, on PostgreSQL; `revive` is the container engine."""

    def __init__(
        self, folder: Path, timers: dict[str, str] | None = None, programs: Programs | None = None
    ) -> None:
        super().__init__(folder, timers)
        self._programs = programs or Programs(folder)
        self._postgres = PostgresServer(keeps_commits=True)
        self.database_faults = ("restarted", "crashed", "a connection's process killed", "stopped")
        self._topology = Topology(self._programs, folder, self._postgres, self.environment)
        self._admin: dict[str, str] = {}

    def start(self) -> None:
        self._postgres.start()
        self._topology.start()
        self._admin = json.loads(self._topology.opsjob("admin", "make-first"))
        self.url = self._topology.api
        self.gateways = [self._topology.agent_gateway(name) for name in AGENT_GATEWAYS]
        self.parts = [*self._topology.parts, "valkey"]

    def stop(self) -> None:
        self.resume_all()
        self._programs.stop_all()
        self._postgres.stop()

    def process(self, part: str) -> psutil.Process | None:
        program = self._topology.valkey if part == "valkey" else self._topology.parts.get(part)
        if program is None or program.process.poll() is not None:
            return None
        with contextlib.suppress(psutil.Error):
            return psutil.Process(program.process.pid)
        return None

    def revive(self) -> None:
        for part in self.parts:
            if self.process(part) is None:
                self.start_part(part)

    async def hurt_database(self, way: str, seconds: float) -> None:
        if way == "stopped":
            server = psutil.Process(self._postgres.pid)
            for process in [server, *server.children()]:
                process.send_signal(signal.SIGSTOP)
                self.stopped[process.pid] = process
            await asyncio.sleep(seconds)
            self.resume_all()
        elif way.endswith("killed"):
            await to_its_end(psutil.Process(self._postgres.pid).children()[-1].kill)
        else:
            await to_its_end(self._restart_database, way == "crashed")

    def _restart_database(self, is_crash: bool) -> None:
        """In one piece, so that nobody can be cancelled between the end and the start."""
        if is_crash:
            self._postgres.crash()
        else:
            self._postgres.halt()
        self._postgres.resume()

    def start_part(self, part: str) -> None:
        """One part anew; the others may be dead or alive."""
        if part == "valkey":
            self._topology.start_valkey()
        else:
            self._topology.start_again(part)

    def redis(self) -> Redis:
        return Redis.from_url(self._topology.admin_redis_url, socket_timeout=5)

    @property
    def valkey_folder(self) -> Path:
        return self._topology.valkey_folder

    async def rows(self, service: str, query: str) -> list[Row]:
        port = self._postgres.port
        connection = await asyncpg.connect(
            host="127.0.0.1",
            port=port,
            user=f"opsjob_{service}",
            password=PASSWORD,
            database=f"opsjob_{service}",
        )
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    def admin(self) -> dict[str, str]:
        return self._admin


async def to_its_end(work: Callable[..., object], *arguments: object) -> None:
    """Do this in a thread; who is cancelled meanwhile waits for it.

    So nothing that was begun goes on behind the back of whoever cleans up next.
    """
    thread = asyncio.create_task(asyncio.to_thread(work, *arguments))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


def address_of(url: str) -> tuple[str, int]:
    """Host and port of an address."""
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


def wait_until(moment: float) -> float:
    """Seconds until a moment of the monotonic clock, never negative."""
    return max(0.0, moment - time.monotonic())
