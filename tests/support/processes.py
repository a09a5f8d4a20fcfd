"""Programs started by a test: each has a log, and none outlives the test."""

import os
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import eventually_sync

STOP_SECONDS = 15.0
TAIL_BYTES = 4000


@dataclass(frozen=True)
class Program:
    """One started process and the file that its output goes to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        """The end of its output, for the message of a failing test."""
        return self.log.read_bytes()[-TAIL_BYTES:].decode("utf-8", "replace")

    def is_running(self) -> bool:
        """True; raises ProgramEnded with the end of its log once it is gone."""
        code = self.process.poll()
        if code is not None:
            raise ProgramEnded(f"{self.name} ended with {code}:\n{self.tail()}")
        return True

    def stop(self) -> None:
        """Asks it to end; ends it if it does not."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)


class ProgramEnded(Exception):
    """A program that should run has ended; not an assertion, so that waiting for it stops."""


class Programs:
    """The programs of one test, stopped in reverse order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Program] = []

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        user: int | None = None,
    ) -> Program:
        """Starts one; `stdin` is written and closed, `user` needs root."""
        log = self._folder / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                env={"PATH": os.environ["PATH"], "HOME": str(self._folder), **(env or {})},
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                start_new_session=True,
            )
        program = Program(name, process, log)
        self._started.append(program)
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        return program

    def wait_for(
        self,
        program: Program,
        url: str,
        *,
        timeout: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Waits until the program's address answers 200; fails at once when it ends."""

        eventually_sync(
            lambda: program.is_running() and status(url, tls) == 200,
            timeout=timeout,
            message=f"{program.name} at {url}",
        )

    def stop_all(self) -> None:
        """Stops everything, newest first."""
        while self._started:
            self._started.pop().stop()


@contextmanager
def programs(folder: Path) -> Iterator[Programs]:
    """Programs that end with the block."""
    started = Programs(folder)
    try:
        yield started
    finally:
        started.stop_all()


def status(url: str, tls: ssl.SSLContext | None = None) -> int:
    """HTTP status of a loopback address; 0 when nothing answers."""
    try:
        with urllib.request.urlopen(  # noqa: S310  (a loopback address)
            url, timeout=2, context=tls
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
