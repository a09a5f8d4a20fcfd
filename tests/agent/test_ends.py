"""What leaves when a script is over: its last output and its result together, or without it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.capture import Capture
from agent.ledger import Entry, Ledger
from agent.records import ExitRecord, packed
from agent.state import StateFolder
from agent.tasks import Companions, Granted, Names, Tasks
from agent.work import Launch
from libs.protocol.messages import Output, Result

NOW = "2026-01-02T03:04:05Z"


@dataclass
class SlowSigner:
    """Answers when the test says so."""

    asked: list[Callable[[str], None]] = field(default_factory=list)

    def sign_then(self, statement: bytes, done: Callable[[str], None]) -> None:
        self.asked.append(done)


class QuickSpawner:
    """Takes every script."""

    def tell(self, question: bytes, settled: Callable[[str], None]) -> int:
        return 1

    def forget(self, number: int) -> None:
        return

    def probe(self) -> None:
        return


@dataclass
class Host:
    """The tasks of an agent whose companions the test plays."""

    tasks: Tasks
    state: StateFolder
    signer: SlowSigner

    def start(self, task_id: str) -> str:
        """Grant and start a script; the name of its folder, which is there."""
        entry = Entry(task_id, 1, "granted", execution_id="e", epoch=1, boot_id="boot", mark="m")
        self.tasks.grant(Granted(entry, _launch(entry.name)))
        self.tasks.work()
        Path(self.state.task(entry.name)).mkdir()
        return entry.name

    def sent(self) -> list[type]:
        """What goes to the gateway now."""
        found = []
        while (message := self.tasks.outbox.next(time.monotonic())) is not None:
            found.append(type(message if isinstance(message, Result) else message.message))
        return found


@pytest.fixture
def host(tmp_path: Path) -> Host:
    state = StateFolder(str(tmp_path))
    state.create()
    signer = SlowSigner()
    companions = Companions(QuickSpawner(), signer)  # type: ignore[arg-type]  # fakes of two processes
    return Host(Tasks(state, Ledger(state), companions, Names("agent-1", "boot")), state, signer)


def _launch(name: str) -> Launch:
    return Launch(
        *(name, "m", ["/bin/sh"], "echo hello", "script.sh", [], {}, "", "/tmp", 0, 0, []),
        *(60.0, 2**20, 2**20, None),
    )


def _write_end(folder: str) -> None:
    """What a shim leaves of `echo hello`."""
    capture = Capture(folder, spool_bytes=2**20, output_bytes=2**20)
    capture.add(0, b"hello\n", 1.0)
    stdout, stderr = capture.finish(2.0)
    record = ExitRecord("exited", 0, None, "", 1, NOW, NOW, stdout, stderr, 0, 0, 0)
    assert capture.end(packed(record))
    capture.close()


async def test_the_last_output_and_the_result_go_together(host: Host) -> None:
    name = host.start("t1")
    _write_end(host.state.task(name))

    host.tasks.look(name)
    assert host.sent() == []
    [answer] = host.signer.asked
    answer("A" * 86 + "==")
    host.tasks.work()

    assert host.sent() == [Output, Result]


async def test_the_last_output_does_not_wait_long_for_a_signature(host: Host) -> None:
    name = host.start("t1")
    _write_end(host.state.task(name))

    host.tasks.look(name)
    host.tasks.tick(time.monotonic(), time.time())

    assert host.sent() == [Output]


async def test_the_output_of_what_still_runs_waits_for_nothing(host: Host) -> None:
    name = host.start("t1")
    capture = Capture(host.state.task(name), spool_bytes=2**20, output_bytes=2**20)
    capture.add(0, b"hello\n", 1.0)

    host.tasks.look(name)

    assert host.sent() == [Output]
