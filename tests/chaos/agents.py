"""Real agents on this machine, each a host of its own: enrolled, killed, started again."""

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.faults import Faults
from tests.support.faulty_libc import Deceived, liar_in
from tests.support.platform import clean_environment
from tests.support.tree import REPOSITORY

CONCURRENCY = 4


@dataclass
class AgentHost(Deceived):
    """One host with its agent; its fault points are its own."""

    name: str
    folder: Path
    gateways: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0

    def __post_init__(self) -> None:
        self.state = self.folder / self.name
        self.faults = Faults(self.folder / f"{self.name}.faults")
        self.log = self.folder / f"{self.name}.log"
        self.liar = liar_in(self.folder / f"{self.name}.libc")
        self.disk = self.state / "tasks"

    @property
    def _options(self) -> list[str]:
        ways = [part for url in self.gateways for part in ("--gateway", url)]
        return ["--state", str(self.state), *ways]

    def enrol(self, token: str) -> None:
        """Get an identity for a one-time token."""
        done = subprocess.run(
            [*_AGENT, "enrol", *self._options, "--name", self.name, "--token", "-"],
            input=token + "\n",
            env=clean_environment(),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Run it; the order of its gateways differs from host to host."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_AGENT, "run", *self._options, "--concurrency", str(CONCURRENCY)],
                env=clean_environment(**self.faults.environment, **self.environment, **self.lies),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def is_running(self) -> bool:
        """Whether the agent process lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9; companions end by themselves, scripts go on."""
        if self.process is not None:
            self.kills += 1
            self.process.kill()
            self.process.wait(10)

    def kill_companion(self, name: str) -> bool:
        """kill -9 of the spawner or the signer."""
        for process in self._children():
            with contextlib.suppress(psutil.Error):
                if name in " ".join(process.cmdline()):
                    process.kill()
                    return True
        return False

    def pause(self) -> None:
        """SIGSTOP of the agent process alone."""
        if self.is_running and self.process is not None:
            os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        if self.is_running and self.process is not None:
            os.kill(self.process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, or SIGKILL for one that does not hear."""
        if not self.is_running or self.process is None:
            return
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def _children(self) -> list[psutil.Process]:
        assert self.process is not None
        with contextlib.suppress(psutil.Error):
            return psutil.Process(self.process.pid).children()
        return []


_AGENT = (sys.executable, "-m", "agent")


def processes_of(hosts: list[str]) -> list[psutil.Process]:
    """Every living process that was started for a script on these hosts."""
    names = set(hosts)
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("OPSJOB_HOST") in names:
                found.append(process)
    return [each for each in found if _is_alive(each)]


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def shims_of(state: Path) -> list[psutil.Process]:
    """Supervisors of scripts below a state folder; they outlive their agent on purpose."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            line = process.cmdline()
            if line and line[0].startswith("opsjob-agent: s") and _holds(process, state):
                found.append(process)
    return found


def _holds(process: psutil.Process, state: Path) -> bool:
    """Whether it has the state folder open."""
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{process.pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{process.pid}/fd/{name}").startswith(str(state)):
                    return True
    return False
