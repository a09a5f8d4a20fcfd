"""A journal that was torn, damaged or filled keeps what it can and starts nothing twice."""

import os
from pathlib import Path

import pytest

from agent.journal import GRANTED, Journal, JournalFull, read_records
from agent.ledger import Entry, Ledger, read_open
from agent.state import StateFolder


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    state = StateFolder(str(tmp_path / "state"))
    state.create()
    return state


def entry(task_id: str, **changes: object) -> Entry:
    values = {"execution_id": "e1", "epoch": 1, "boot_id": "b1", "mark": "m1", **changes}
    return Entry(task_id, 1, "granted", **values)  # type: ignore[arg-type]


def journal_with(state: StateFolder, count: int) -> list[int]:
    """A ledger's journal with starts; the offsets of its records."""
    ledger = Ledger(state)
    for number in range(count):
        ledger.start([entry(f"t{number}")])
    ledger.close()
    content = Path(state.journal).read_bytes()
    offsets, position = [], 0
    for record in read_records(content).records:
        offsets.append(position)
        position += 17 + len(record.body)
    return offsets


def damage(state: StateFolder, offset: int, content: bytes) -> None:
    with Path(state.journal).open("r+b") as file:
        file.seek(offset)
        file.write(content)


def test_starts_survive_a_crash(state: StateFolder) -> None:
    Ledger(state).start([entry("t1"), entry("t2")])

    ledger = Ledger(state)

    assert set(ledger.open) == {("t1", 1), ("t2", 1)}
    assert ledger.open["t1", 1].state == "starting"
    assert ledger.open["t1", 1].epoch == 1
    assert ledger.knows(("t2", 1))
    assert not ledger.knows(("t2", 2))


@pytest.mark.parametrize("torn", range(1, 60, 7))
def test_a_torn_tail_is_cut_and_written_over(state: StateFolder, torn: int) -> None:
    offsets = journal_with(state, 3)
    damage(state, offsets[-1] + torn, bytes(4096))

    ledger = Ledger(state)

    assert ("t2", 1) in ledger.open  # its GRANTED record stands before the torn one
    assert not [e for e in ledger.open.values() if e.state == "damaged"]
    ledger.start([entry("t9")])
    assert ("t9", 1) in Ledger(state).open


@pytest.mark.parametrize("at", [0, 5, 9, 30])
def test_damage_in_the_middle_marks_the_ids_it_mentions(state: StateFolder, at: int) -> None:
    offsets = journal_with(state, 3)
    for offset in offsets[2:4]:  # both records of t1
        damage(state, offset + at + (40 if at == 30 else 0), b"\xff")

    ledger = Ledger(state)

    assert ledger.open["t1", 1].state == "damaged"
    assert ledger.open["t0", 1].state == "starting"
    assert ledger.open["t2", 1].state == "starting"
    assert Ledger(state).open["t1", 1].state == "damaged"


def test_a_task_folder_that_no_record_explains_counts_as_damaged(state: StateFolder) -> None:
    offsets = journal_with(state, 3)
    damage(state, offsets[2], os.urandom(offsets[4] - offsets[2]))
    os.mkdir(state.task("t1.1"))

    assert Ledger(state).open["t1", 1].state == "damaged"


def test_settled_attempts_are_remembered_through_compaction(state: StateFolder) -> None:
    ledger = Ledger(state)
    ledger.start([entry(f"t{number}") for number in range(1000)])
    for number in range(999):
        ledger.settled((f"t{number}", 1), now=1_000_000)
    ledger.compact(now=1_000_000)
    ledger.close()

    ledger = Ledger(state)

    assert list(ledger.open) == [("t999", 1)]
    assert all(ledger.knows((f"t{number}", 1)) for number in range(1000))
    assert not ledger.knows(("t0", 2))
    assert os.path.getsize(state.remembered) == 999 * 16


def test_the_journal_compacts_itself(state: StateFolder) -> None:
    ledger = Ledger(state)
    for number in range(1500):
        ledger.start([entry(f"t{number}", mark="m" * 64)])
        ledger.settled((f"t{number}", 1), now=1_000_000)

    assert os.path.getsize(state.journal) <= 1024 * 1024
    assert ledger.knows(("t0", 1))


def test_ids_are_forgotten_after_a_month(state: StateFolder) -> None:
    ledger = Ledger(state)
    for task_id, day in (("old", 1), ("new", 30)):
        ledger.start([entry(task_id)])
        ledger.settled((task_id, 1), now=day * 86_400)
        ledger.compact(now=day * 86_400)
    ledger.start([entry("newest")])
    ledger.settled(("newest", 1), now=40 * 86_400)
    ledger.compact(now=40 * 86_400)

    assert not ledger.knows(("old", 1))
    assert ledger.knows(("new", 1))


def test_looking_at_a_journal_changes_nothing(state: StateFolder) -> None:
    journal_with(state, 2)
    before = Path(state.journal).read_bytes()

    assert [e.task_id for e in read_open(state)] == ["t0", "t1"]
    assert Path(state.journal).read_bytes() == before


def append_starts(journal: Journal, body: bytes, count: int) -> None:
    for _ in range(count):
        journal.append(GRANTED, body, is_start=True)


def test_a_full_disk_stops_starts_and_leaves_room_for_ends(state: StateFolder) -> None:
    class FullDisk(Journal):
        def _grow(self) -> None:
            if self._allocated:
                raise OSError(28, "No space left on device")
            super()._grow()

    journal = FullDisk(state.journal)
    body = b'{"task_id":"t","attempt":1}' + b" " * 1000
    with pytest.raises(JournalFull):
        append_starts(journal, body, 2000)

    for _ in range(50):
        journal.append(GRANTED, body)
    journal.sync()
