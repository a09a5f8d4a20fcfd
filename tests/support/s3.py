"""A real S3 server for tests: moto's as a process of its own, and a line to it that can be cut."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.kit.settings import ObjectSettings
from tests.support.processes import free_port
from tests.support.waiting import eventually_sync

KEYS = ("AKIDTEST", "secret-of-the-tests")
_SCOPE = "x/20261122/us-east-1/s3/aws4_request"
_buckets = itertools.count(1)


class S3Server:
    """One server; its objects live as long as its process."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = Path(sys.executable).parent / "moto_server"
        self._process = subprocess.Popen(
            [str(program), "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually_sync(self._answers, timeout=30)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        """End it at once; what it had is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def bucket(self, name: str = "") -> "Objects":
        """A new bucket."""
        found = Objects(self, name or f"test-{next(_buckets)}")
        found.make()
        return found


class Objects:
    """A bucket of the server as its operator sees it; the server asks nobody for keys."""

    def __init__(self, server: S3Server, name: str) -> None:
        self.server = server
        self.name = name

    def make(self) -> None:
        """Create the bucket."""
        self._ask("PUT", "")

    def names(self) -> list[str]:
        """All objects in it."""
        text = self._ask("GET", "?list-type=2").decode()
        return [part.partition("</Key>")[0] for part in text.split("<Key>")[1:]]

    def get(self, name: str) -> bytes:
        """The content of an object."""
        return self._ask("GET", f"/{name}")

    def put(self, name: str, content: bytes) -> None:
        """Write an object as somebody else would."""
        self._ask("PUT", f"/{name}", content)

    def delete(self, name: str) -> None:
        """Lose an object."""
        self._ask("DELETE", f"/{name}")

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310  # always our own server
            f"{self.server.url}/{self.name}{path}",
            data=content,
            method=method,
            headers={"authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
            return bytes(answer.read())

    def environment(self, line: "S3Line | None" = None) -> dict[str, str]:
        """Settings of a process that uses this bucket."""
        return {
            "OPSJOB_S3_BUCKET": self.name,
            "OPSJOB_S3_ENDPOINT": line.url if line else self.server.url,
            "OPSJOB_S3_ACCESS_KEY": KEYS[0],
            "OPSJOB_S3_SECRET_KEY": KEYS[1],
        }

    def settings(self, line: "S3Line | None" = None, **others: object) -> ObjectSettings:
        """The same as an object."""
        given = {
            name.removeprefix("OPSJOB_S3_").lower(): value
            for name, value in self.environment(line).items()
        }
        return ObjectSettings.model_validate(given | others)


class S3Line:
    """A relay in front of the server: it counts, breaks connections, holds answers, refuses."""

    def __init__(self, server: S3Server) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.up_limit: int | None = None
        """After so many bytes to the server, connections break until this is None again."""
        self.down_limits: list[int] = []
        """The next answers break off after so many bytes, one connection after the other."""
        self.hold_after: int | None = None
        """So many bytes of answers pass; the rest waits until `flows`."""
        self.flows = threading.Event()
        self.is_refusing = False
        self.sent = 0
        self._down = 0
        self._guard = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Listen no more."""
        self.flows.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.is_refusing:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._server.port))
                limit = self.down_limits.pop(0) if self.down_limits else None
                for way in ((near, far, True, None), (far, near, False, limit)):
                    threading.Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, come: socket.socket, go: socket.socket, is_up: bool, limit: int | None) -> None:
        with contextlib.suppress(OSError):
            while piece := come.recv(65_536):
                if is_up:
                    self._count(len(piece))
                else:
                    self._wait(len(piece))
                    limit = None if limit is None else limit - len(piece)
                go.sendall(piece)
                if limit is not None and limit <= 0:
                    break
        for each in (come, go):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _count(self, size: int) -> None:
        with self._guard:
            self.sent += size
        if self.is_refusing or (self.up_limit is not None and self.sent > self.up_limit):
            raise ConnectionAbortedError

    def _wait(self, size: int) -> None:
        self._down += size
        if self.hold_after is not None and self._down > self.hold_after:
            self.flows.wait()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """The server that the tests of a session share."""
    server = S3Server()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def s3_line(s3_server: S3Server) -> Iterator[S3Line]:
    """A line to it for one test."""
    line = S3Line(s3_server)
    yield line
    line.close()


@pytest.fixture
def s3_bucket(s3_server: S3Server) -> Objects:
    """A bucket for one test."""
    return s3_server.bucket()


def wipe(folder: Path) -> None:
    """Delete the files of a folder, as somebody who needs room would."""
    for place, _, names in os.walk(folder):
        for name in names:
            Path(place, name).unlink(missing_ok=True)
