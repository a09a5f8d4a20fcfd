"""What the journal means: which attempts are open here, and which must never start again."""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from bisect import bisect_left
from dataclasses import dataclass, replace

from agent.faults import fault
from agent.journal import (
    COUNTER,
    DAMAGED,
    EXITED,
    GRANTED,
    SETTLED,
    STARTING,
    Journal,
    JournalFull,
    Record,
    read_records,
)
from agent.state import StateFolder, read_if_there, task_name, write_durably

Key = tuple[str, int]
"""(task_id, attempt)."""

_REMEMBER_DAYS = 32
_COMPACT_BYTES = 512 * 1024
_DAY = 86_400
_STATES = {GRANTED: "granted", STARTING: "starting", EXITED: "exited", DAMAGED: "damaged"}
_KINDS = {"exited": EXITED, "damaged": DAMAGED}
_write = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class Entry:
    """An attempt whose result is not settled; `state` is a word of the protocol."""

    task_id: str
    attempt: int
    state: str
    execution_id: str = ""
    epoch: int = 0
    boot_id: str = ""
    mark: str = ""
    payload: str = ""
    signature: str = ""

    @property
    def key(self) -> Key:
        return self.task_id, self.attempt

    @property
    def name(self) -> str:
        return task_name(self.task_id, self.attempt)


class Remembered:
    """Attempts that ended long ago, as sorted 64-bit digests: 16 bytes each on disk and in memory.

    A chance collision among 100,000 attempts has a probability of 3e-10 and refuses one task.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._digests = array("Q")
        self._days = array("Q")
        content = read_if_there(path) or b""
        pairs = array("Q")
        pairs.frombytes(content[: len(content) // 16 * 16])
        self._digests, self._days = pairs[0::2], pairs[1::2]

    def __contains__(self, key: Key) -> bool:
        digest = _digest(key)
        index = bisect_left(self._digests, digest)
        return index < len(self._digests) and self._digests[index] == digest

    def add(self, keys: list[Key], *, now: float) -> None:
        """Keep these too, drop those older than 32 days, and make that durable."""
        today = int(now) // _DAY
        kept = {
            digest: day
            for digest, day in zip(self._digests, self._days)
            if today - day <= _REMEMBER_DAYS
        }
        kept.update((_digest(key), today) for key in keys)
        pairs = array("Q")
        for digest in sorted(kept):
            pairs.extend((digest, kept[digest]))
        write_durably(self._path, pairs.tobytes())
        self._digests, self._days = pairs[0::2], pairs[1::2]


def _digest(key: Key) -> int:
    text = task_name(*key).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def replay(records: list[Record]) -> tuple[dict[Key, Entry], dict[Key, None]]:
    """The open entries and the settled keys that follow from a journal's records."""
    opened: dict[Key, Entry] = {}
    settled: dict[Key, None] = {}
    for record in records:
        body = json.loads(record.body)
        if record.kind == COUNTER:
            continue
        key = str(body["task_id"]), int(body["attempt"])
        if record.kind == SETTLED:
            opened.pop(key, None)
            settled[key] = None
        elif record.kind in _STATES:
            opened[key] = Entry(**{**body, "state": _STATES[record.kind]})
    return opened, settled


def read_open(state: StateFolder) -> list[Entry]:
    """The open entries of a journal that another process may be writing."""
    reading = read_records(read_if_there(state.journal) or b"")
    return list(replay(reading.records)[0].values())


class Ledger:
    """The open entries and all known keys; every change goes through the journal first."""

    def __init__(self, state: StateFolder) -> None:
        self._journal = Journal(state.journal)
        self._remembered = Remembered(state.remembered)
        records = self._journal.reading.records
        self.open, self._settled = replay(records)
        counters = [json.loads(record.body) for record in records if record.kind == COUNTER]
        self._counters: dict[str, int] = {one["purpose"]: one["counter"] for one in counters}
        self._mark_damage(state)

    def _mark_damage(self, state: StateFolder) -> None:
        """Ids that damaged records mention, and folders that no good record explains."""
        if not self._journal.reading.damaged_bytes:
            return
        known = self.open.keys() | self._settled.keys()
        suspects = set(self._journal.reading.damaged)
        for name in os.listdir(state.tasks):
            task_id, _, attempt = name.rpartition(".")
            if task_id and attempt.isdigit():
                suspects.add((task_id, int(attempt)))
        for key in sorted(suspects - known):
            if key not in self._remembered:
                self.open[key] = Entry(*key, state="damaged")
                self._journal.append(DAMAGED, _body(self.open[key]))
        self._journal.sync()

    def knows(self, key: Key) -> bool:
        """Whether this attempt was ever granted here; such an attempt never starts again."""
        return key in self.open or key in self._settled or key in self._remembered

    def is_newer(self, purpose: str, counter: int) -> bool:
        """Whether a control order comes after all of its purpose; if so it is durably noted."""
        if counter <= self._counters.get(purpose, 0):
            return False
        self._counters[purpose] = counter
        self._journal.append(COUNTER, _counter(purpose, counter))
        self._journal.sync()
        return True

    def start(self, entries: list[Entry]) -> list[Entry]:
        """Record granted attempts as starting, durably, with one wait for the disk.

        Returns those that may start now; for the others the disk has no room.
        """
        accepted = []
        for entry in entries:
            body = _body(entry)
            try:
                self._journal.append(GRANTED, body, is_start=True)
            except JournalFull:
                continue
            fault("journal.granted")
            self._journal.append(STARTING, body)
            self.open[entry.key] = replace(entry, state="starting")
            accepted.append(entry)
        self._journal.sync()
        return accepted

    def running(self, key: Key) -> None:
        """Note, for this process only, that the script runs; its folder is the lasting proof."""
        self.open[key] = replace(self.open[key], state="running")

    def exited(self, ended: list[Entry]) -> None:
        """Record signed results durably, before they are sent."""
        for entry in ended:
            self.open[entry.key] = replace(entry, state="exited")
            self._journal.append(EXITED, _body(entry))
        self._journal.sync()

    def settled(self, key: Key, *, now: float) -> None:
        """The result and all output are stored elsewhere; only the key is kept.

        Not synced: after a crash the result is sent and acknowledged once more.
        """
        entry = self.open.pop(key)
        self._settled[key] = None
        self._journal.append(SETTLED, _body(Entry(entry.task_id, entry.attempt, "")))
        if self._journal.size > _COMPACT_BYTES:
            self.compact(now=now)

    def compact(self, *, now: float) -> None:
        """Move settled keys to the compact memory and rewrite the journal with what is open."""
        self._remembered.add(list(self._settled), now=now)
        self._journal.rewrite(
            [(_KINDS.get(entry.state, STARTING), _body(entry)) for entry in self.open.values()]
            + [(COUNTER, _counter(*pair)) for pair in self._counters.items()]
        )
        self._settled.clear()

    def close(self) -> None:
        """Close the journal; nothing is lost, as it never buffers."""
        self._journal.close()


def _counter(purpose: str, counter: int) -> bytes:
    return _write({"purpose": purpose, "counter": counter}).encode()


def _body(entry: Entry) -> bytes:
    """Compact JSON that begins with task_id and attempt, which damage recovery looks for."""
    fields = {name: value for name, value in vars(entry).items() if value and name != "state"}
    return _write(fields).encode()
