"""The rules of the chain: what a record's hash covers, signed checkpoints, and what is a break."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

GENESIS: Final = "0" * 64
"""What the first record follows."""
PRUNED: Final = "audit.prune"
"""The action of the record that anchors what is left after old records were removed."""

_RECORD: Final = b"opsjob/audit/record/v1\0"
_CHECKPOINT: Final = b"opsjob/audit/checkpoint/v1\0"


@dataclass(frozen=True, slots=True)
class Record:
    """One link of the chain; ``before`` and ``after`` are JSON text as it came."""

    seq: int
    prev_hash: str
    event_id: str
    occurred_at: datetime
    recorded_at: datetime
    actor_id: int
    actor_name: str
    actor_kind: str
    action: str
    object_type: str
    object_id: str
    object_name: str
    outcome: str
    address: str
    user_agent: str
    request_id: str
    trace_id: str
    detail: str
    before: str | None
    after: str | None
    repeats: int
    hash: str = ""

    def digest(self) -> str:
        """The hash over every other field, the position and the hash before."""
        covered = {name: _plain(getattr(self, name)) for name in _COVERED}
        return hashlib.sha256(_RECORD + _canonical(covered)).hexdigest()


_COVERED: Final = tuple(field.name for field in fields(Record) if field.name != "hash")


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends, as the writer noted it, and how far checkpoints go."""

    chain_id: str
    seq: int
    hash: str
    checkpoint_seq: int
    checkpoint_at: datetime | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement that the chain had this hash at this position."""

    chain: str
    seq: int
    hash: str
    at: str
    key: str
    sig: str = ""

    def message(self) -> bytes:
        """The bytes that are signed."""
        return _CHECKPOINT + _canonical({k: v for k, v in asdict(self).items() if k != "sig"})

    def line(self) -> str:
        """The checkpoint as a line of a file."""
        return json.dumps(asdict(self), separators=(",", ":"))


def checkpoint_of(head: Head, key: Ed25519PrivateKey, at: datetime) -> Checkpoint:
    """A checkpoint of the chain as it ends now."""
    bare = Checkpoint(head.chain_id, head.seq, head.hash, _moment(at), key_id(key.public_key()))
    return replace(bare, sig=key.sign(bare.message()).hex())


def key_id(key: Ed25519PublicKey) -> str:
    """Names a key: the first 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong: with a record, or with the checkpoints (seq 0)."""

    seq: int
    problem: str


class Unreadable(ValueError):
    """A file that should hold checkpoints does not."""


def read_checkpoints(lines: Iterable[str]) -> list[Checkpoint]:
    """The checkpoints of a file, oldest first; raises Unreadable for a line that is none."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_parsed(json.loads(line)))
        except (ValueError, TypeError) as error:
            message = f"line {number} is no checkpoint"
            raise Unreadable(message) from error
    return found


def _parsed(document: object) -> Checkpoint:
    names = ("chain", "seq", "hash", "at", "key", "sig")
    if not isinstance(document, dict) or set(document) != set(names):
        raise ValueError
    if any(not isinstance(document[name], int if name == "seq" else str) for name in names):
        raise ValueError
    return Checkpoint(**document)


class Verification:
    """Goes along the chain and stops at the first break.

    ``checkpoints`` are those to compare with, signed by ``key``. ``complete`` says that they are
    all there should be, so that a file that was cut is noticed too.
    """

    def __init__(
        self, checkpoints: Sequence[Checkpoint], key: Ed25519PublicKey | None, *, complete: bool
    ) -> None:
        self._checkpoints = checkpoints
        self._key = key
        self._complete = complete
        self._marks: dict[int, str] = {}
        self._anchors: set[tuple[int, str]] = set()
        self._first: Record | None = None
        self._last: Record | None = None
        self.finding: Finding | None = None
        self.count = 0

    @property
    def first_seq(self) -> int:
        """The oldest record that is there, or 0."""
        return self._first.seq if self._first else 0

    @property
    def last_seq(self) -> int:
        """The newest record that is there, or 0."""
        return self._last.seq if self._last else 0

    def begin(self, head: Head | None) -> None:
        """Judge the checkpoints themselves, before any record."""
        for checkpoint in self._checkpoints:
            problem = self._flaw(checkpoint, head)
            if problem is not None:
                self.finding = Finding(0, problem)
                return
            self._marks[checkpoint.seq] = checkpoint.hash
        newest = max(self._marks, default=0)
        if self._complete and head is not None and head.checkpoint_seq > newest:
            self.finding = Finding(
                0, f"there was a checkpoint of record {head.checkpoint_seq}; it is missing"
            )

    def _flaw(self, checkpoint: Checkpoint, head: Head | None) -> str | None:
        if self._key is None or checkpoint.key != key_id(self._key):
            return f"the checkpoint of record {checkpoint.seq} is signed by another key"
        try:
            self._key.verify(bytes.fromhex(checkpoint.sig), checkpoint.message())
        except (InvalidSignature, ValueError):
            return f"the signature of the checkpoint of record {checkpoint.seq} is wrong"
        if head is not None and head.chain_id != checkpoint.chain:
            return f"the checkpoint of record {checkpoint.seq} belongs to another chain"
        if self._marks.get(checkpoint.seq, checkpoint.hash) != checkpoint.hash:
            return f"two checkpoints of record {checkpoint.seq} differ"
        return None

    def feed(self, record: Record) -> bool:
        """Look at the next record; False as soon as something is wrong."""
        problem = self._problem(record)
        if problem is not None:
            self.finding = self.finding or problem
            return False
        if record.action == PRUNED:
            self._anchors.add(_anchor(record.after))
        self._first = self._first or record
        self._last = record
        self.count += 1
        return self.finding is None

    def _problem(self, record: Record) -> Finding | None:
        last = self._last
        if last is not None and record.seq != last.seq + 1:
            return Finding(last.seq + 1, "it is missing")
        if last is not None and record.prev_hash != last.hash:
            return Finding(record.seq, "it does not follow the record before it")
        if record.digest() != record.hash:
            return Finding(record.seq, "its content is not what was recorded")
        if self._marks.get(record.seq, record.hash) != record.hash:
            return Finding(record.seq, "it differs from the signed checkpoint")
        return None

    def end(self, head: Head | None) -> Finding | None:
        """After the last record: is the beginning anchored, and is the end there?"""
        self.finding = self.finding or self._beginning() or self._ending(head)
        return self.finding

    def _beginning(self) -> Finding | None:
        first = self._first
        if first is None:
            return None
        if first.seq == 1:
            wrong = first.prev_hash != GENESIS
            return Finding(1, "it does not begin the chain") if wrong else None
        if (first.seq - 1, first.prev_hash) not in self._anchors:
            return Finding(first.seq - 1, "it is missing, and no record says that it was removed")
        if self._marks.get(first.seq - 1, first.prev_hash) != first.prev_hash:
            return Finding(first.seq - 1, "it differed from the signed checkpoint")
        return None

    def _ending(self, head: Head | None) -> Finding | None:
        expected = max(self._marks, default=0)
        if head is not None:
            expected = max(expected, head.seq)
        if expected > self.last_seq:
            return Finding(self.last_seq + 1, "it is missing")
        if self._last is not None and (head is None or head.hash != self._last.hash):
            return Finding(self._last.seq, "it is not where the chain was said to end")
        return None


def _anchor(after: str | None) -> tuple[int, str]:
    try:
        told = json.loads(after or "")
        return int(told["through"]), str(told["digest"])
    except (ValueError, TypeError, KeyError):
        return -1, ""


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(value: object) -> object:
    return _moment(value) if isinstance(value, datetime) else value


def _canonical(document: Mapping[str, object]) -> bytes:
    return json.dumps(
        document, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()
