"""Salt beside us: a master and real minions on loopback, asked through a warm LocalClient.

All settings that decide about speed are Salt's own: zeromq, five workers, minions that start a
process per job. Each minion has a folder of its own; everything ends with the benchmark.
"""

import contextlib
import getpass
import json
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

from bench._salt_environment import Environment, SaltMissing, environment, settings_of_the_shell
from bench.report import Figure
from tests.support.processes import free_port
from tests.support.waiting import eventually_sync

LIMIT_TIMES_FASTER = 8.0
START_SECONDS = 300.0
PATIENCE_SECONDS = 60
STARTING_PATIENCE_SECONDS = 10
STARTED_AT_ONCE = 10
ATTEMPTS = 3
QUIET_SHARE = 0.1
QUIET_SHARE_PER_MINION = 0.01
"""Of one core: what Salt uses when nothing is asked (0.3 of a core with 40 minions), and a bit."""
QUIET_LOOK_SECONDS = 0.5
QUIET_SECONDS = 20.0
CLIENT = Path(__file__).with_name("_salt_client.py")


class Salt:
    """A running master, so many minions, and a LocalClient that stays connected."""

    def __init__(self, installed: Environment, folder: Path) -> None:
        self._installed = installed
        self._folder = folder.resolve()
        self._ports = {"publish_port": free_port()}
        self._return_port = free_port()
        self._started: list[subprocess.Popen[str]] = []
        self._all: list[psutil.Process] = []
        self._client: subprocess.Popen[str]
        self._count = 0

    def start(self) -> None:
        """Start the master; then the client, which reads the master's key only once."""
        master = self._folder / "master"
        settings = {
            **self._settings(master),
            "interface": "127.0.0.1",
            "ret_port": self._return_port,
            "auto_accept": True,
        }
        self._start("master", master, settings)
        key = master / "cache" / f".{getpass.getuser()}_key"
        eventually_sync(key.exists, timeout=START_SECONDS, message="the key of Salt's master")
        command = [self._installed.program("python"), str(CLIENT), str(master / "master")]
        self._client = self._spawn(command, piped=True)

    def grow(self, count: int) -> None:
        """Start minions until there are so many and all of them answer, and let them settle.

        Raises AssertionError with the newest answer when some stay silent for five minutes.
        """
        for number in range(self._count, count):
            minion = self._folder / f"{number:03d}"
            settings = {
                **self._settings(minion),
                "id": f"bench-{number:03d}",
                "master": "127.0.0.1",
                "master_port": self._return_port,
                "enable_fqdns_grains": False,  # a look-up of names, when it starts
            }
            self._start("minion", minion, settings)
            self._count = number + 1
            if self._count % STARTED_AT_ONCE == 0 or self._count == count:
                self._wait_for_all()
        self.settle()

    def _wait_for_all(self) -> None:
        """Questions to a Salt that is still starting make it slower, so the first one waits."""
        self._all = self._processes()
        self.settle()
        eventually_sync(
            lambda: self._ask(STARTING_PATIENCE_SECONDS)[1] == self._count,
            timeout=START_SECONDS,
            message=f"an answer of all {self._count} minions of Salt",
        )
        self._all = self._processes()

    def run(self) -> float:
        """Seconds of one `echo hello` on all minions; a run that lost answers is said, and redone.

        Raises RuntimeError when answers are lost several times in a row.
        """
        for _ in range(ATTEMPTS):
            seconds, good = self._ask(PATIENCE_SECONDS)
            if good == self._count:
                return seconds
            print(f"Salt: {good} of {self._count} minions answered, once more", flush=True)
            self.settle()
        raise RuntimeError(f"Salt lost answers {ATTEMPTS} times in a row")

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """Hold Salt still during the others' turns: its idle minions would take a share of them."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)
        self.settle()

    def _signal(self, number: signal.Signals) -> None:
        for process in self._all:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def settle(self) -> None:
        """Wait until Salt's processes are idle again; a run works on after its last answer."""
        quiet = (QUIET_SHARE + QUIET_SHARE_PER_MINION * self._count) * QUIET_LOOK_SECONDS
        before = self._cpu_seconds()
        for _ in range(int(QUIET_SECONDS / QUIET_LOOK_SECONDS)):
            time.sleep(QUIET_LOOK_SECONDS)
            now = self._cpu_seconds()
            if now - before < quiet:
                return
            before = now

    def stop(self) -> None:
        """End every process; the folders are thrown away, so nobody has to say goodbye."""
        while left := self._processes():  # a minion may start one while the others are ended
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(left, timeout=1)
        for started in self._started:
            started.communicate()  # waits, and closes the pipes

    def _settings(self, folder: Path) -> dict[str, object]:
        """What master and minions have in common: a place of their own, and one user."""
        places = {"pki_dir": "/pki", "cachedir": "/cache", "sock_dir": "/run", "log_file": "/log"}
        return {**places, **self._ports, "root_dir": str(folder), "user": getpass.getuser()}

    def _start(self, role: str, folder: Path, settings: dict[str, object]) -> None:
        folder.mkdir()
        (folder / role).write_text(json.dumps(settings))
        self._spawn([self._installed.program(f"salt-{role}"), "-c", str(folder)])

    def _spawn(self, command: list[str], *, piped: bool = False) -> subprocess.Popen[str]:
        with (self._folder / "said").open("a") as said:
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=settings_of_the_shell(),
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else said,
                stderr=said,
                text=True,
            )
        self._started.append(process)
        return process

    def _ask(self, patience: int) -> tuple[float, int]:
        asked, answers = self._client.stdin, self._client.stdout
        assert asked is not None
        assert answers is not None
        with contextlib.suppress(BrokenPipeError):
            asked.write(f"{patience}\n")
            asked.flush()
        # Salt's patience starts anew as long as a silent minion says that it is still at work.
        ready, _, _ = select.select([answers], [], [], START_SECONDS)
        line = answers.readline() if ready else ""
        if not line:
            last = (self._folder / "said").read_text().strip().splitlines()[-1:]
            raise RuntimeError(f"Salt's LocalClient gave no answer: {''.join(last)}")
        seconds, good = json.loads(line)
        return float(seconds), int(good)

    def _processes(self) -> list[psutil.Process]:
        """Whoever works in the folder or bears its name, as the master does, which works in `/`.

        Also children of processes that have ended.
        """
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                works_here = Path(process.cwd()) == self._folder
                if works_here or str(self._folder) in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def _cpu_seconds(self) -> float:
        used = 0.0
        for process in self._all:
            with contextlib.suppress(psutil.NoSuchProcess):
                used += sum(process.cpu_times()[:4])  # its own and that of children that ended
        return used


@contextlib.contextmanager
def beside_us(wanted: bool) -> Iterator[Salt | None]:
    """A started Salt without minions; None, and the reason is said, where it cannot be had."""
    installed = _installed() if wanted else None
    if installed is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="salt-", ignore_cleanup_errors=True) as folder:
        salt = Salt(installed, Path(folder))
        try:
            salt.start()
            yield salt
        finally:
            salt.stop()


def _installed() -> Environment | None:
    try:
        found = environment()
    except SaltMissing as why:
        print(f"Salt is not measured: {why}. The other figures follow.", flush=True)
        return None
    print(f"Salt {found.salt} on Python {found.python}: LocalClient, default settings", flush=True)
    return found


def figures(count: int, ours: list[float], salt: list[float]) -> Iterator[Figure]:
    """Salt's median, and how many times faster we were in the same run (seconds in)."""
    theirs = median(salt)
    yield Figure("fanout_salt_local_client", round(theirs * 1000, 1), "ms", count)
    times = round(theirs / median(ours), 2)
    yield Figure("fanout_times_faster_than_salt", times, "x", count, LIMIT_TIMES_FASTER)
