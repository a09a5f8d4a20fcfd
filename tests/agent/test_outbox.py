"""What an agent sends after nobody stored anything for a while."""

from pathlib import Path

import pytest

from agent.attempts import Attempt
from agent.capture import Capture
from agent.flow import MAX_STALL_SECONDS, STALL_SECONDS, Flow
from agent.ledger import Entry
from agent.outbox import Outbox
from libs.protocol.messages import Ack

TASKS = 3
LINE = b"hello\n"


@pytest.fixture
def attempts(tmp_path: Path) -> list[Attempt]:
    """Tasks with two lines of output each."""
    made = []
    for number in range(TASKS):
        folder = tmp_path / str(number)
        folder.mkdir()
        capture = Capture(str(folder), spool_bytes=2**30, output_bytes=2**30)
        for at in (1.0, 2.0):
            capture.add(0, LINE, at)
        flow = Flow((f"t{number}", 1), "e", str(folder), is_new=True)
        made.append(Attempt(Entry(f"t{number}", 1, "running"), str(folder), flow))
    return made


class Sender:
    """An agent that sends and hears at given times, without a process."""

    def __init__(self, attempts: list[Attempt]) -> None:
        self.outbox = Outbox()
        self.attempts = attempts

    def tick(self, now: float) -> int:
        """What the agent does each second; how many messages it sends."""
        for attempt in self.attempts:
            attempt.flow.check_stall(now)
            self.outbox.due(attempt)
        count = 0
        while self.outbox.next(now) is not None:
            count += 1
        return count

    def ticks(self, begin: float, end: float) -> int:
        """The same for a while."""
        return sum(self.tick(float(now)) for now in range(int(begin), int(end)))

    def stored(self, number: int, lines: int, now: float) -> None:
        """The platform says that it has so many lines of a task."""
        ack = Ack(f"t{number}", 1, "stdout", lines, lines * len(LINE))
        assert self.attempts[number].flow.ack(ack, now)
        self.outbox.floor_moved(now)
        self.outbox.acknowledged(self.attempts[number])


def test_the_first_floor_after_a_silence_wakes_all_that_wait_ever_longer(
    attempts: list[Attempt],
) -> None:
    sender = Sender(attempts)
    assert sender.ticks(0, 36) == 2 * TASKS * 4  # at once, after 5, 15 and 35 seconds

    sender.stored(0, 2, now=40.0)

    assert sender.ticks(40, 45) == 0
    assert sender.tick(40 + STALL_SECONDS) == 2 * (TASKS - 1)


def test_without_a_silence_nobody_is_woken(attempts: list[Attempt]) -> None:
    sender = Sender(attempts)
    sender.ticks(0, 36)
    sender.stored(0, 1, now=36.0)
    sent = sender.ticks(36, 41)
    sender.stored(0, 2, now=40.9)

    assert sent == 0
    assert sender.tick(36 + STALL_SECONDS) == 2 * (TASKS - 1)  # of the first floor alone
    assert sender.ticks(42, 51) == 0


def test_a_platform_that_stores_now_and_then_is_not_sent_everything_each_time(
    attempts: list[Attempt],
) -> None:
    sender = Sender(attempts)
    sender.ticks(0, 36)
    sender.stored(0, 1, now=36.0)
    sender.ticks(36, 60)

    sender.stored(0, 2, now=60.0)

    assert sender.ticks(60, 71) == 0  # as slowly as before
    assert sender.tick(71) == 2 * (TASKS - 1)
    later = 37 + MAX_STALL_SECONDS
    sender.stored(1, 2, now=later)
    assert sender.ticks(later, later + STALL_SECONDS) == 0
    assert sender.tick(later + STALL_SECONDS) == 2 * (TASKS - 2)
