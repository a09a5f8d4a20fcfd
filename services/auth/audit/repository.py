"""The chain in the database, and its checkpoints in a file beside it."""

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from libs.kit.db import Prepared, Transaction, UTCDateTime
from libs.kit.ids import new_id
from services.auth.audit.domain import GENESIS, Checkpoint, Head, Record, read_checkpoints
from services.auth.audit.schemas import AuditQuery
from services.auth.models import Base

_BigId = BigInteger().with_variant(Integer, "sqlite")

audit_records = Table(
    "audit_records",
    Base.metadata,
    Column("seq", _BigId, primary_key=True, autoincrement=False),
    Column("prev_hash", String(64), nullable=False),
    Column("event_id", String(36), nullable=False, unique=True),
    Column("occurred_at", UTCDateTime, nullable=False),
    Column("recorded_at", UTCDateTime, nullable=False),
    Column("actor_id", Integer, nullable=False),
    Column("actor_name", String(200), nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object_type", String(32), nullable=False),
    Column("object_id", String(64), nullable=False),
    Column("object_name", String(200), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("user_agent", String(200), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("trace_id", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("before", Text, nullable=True),
    Column("after", Text, nullable=True),
    Column("repeats", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
Index("ix_audit_records_actor_id_seq", audit_records.c.actor_id, audit_records.c.seq)
Index("ix_audit_records_action_seq", audit_records.c.action, audit_records.c.seq)
Index(
    "ix_audit_records_object",
    audit_records.c.object_type,
    audit_records.c.object_id,
    audit_records.c.seq,
)
Index("ix_audit_records_address_seq", audit_records.c.address, audit_records.c.seq)
Index("ix_audit_records_occurred_at", audit_records.c.occurred_at)

audit_head = Table(
    "audit_head",
    Base.metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("chain_id", String(36), nullable=False),
    Column("seq", _BigId, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("checkpoint_seq", _BigId, nullable=False),
    Column("checkpoint_at", UTCDateTime, nullable=True),
)

_LIMITS: Final = {
    column.name: column.type.length
    for column in audit_records.columns
    if isinstance(column.type, String) and column.type.length
}
_FIRST_HEAD: Final = text(
    "INSERT INTO audit_head (id, chain_id, seq, hash, checkpoint_seq)"
    " VALUES (1, :chain_id, 0, :hash, 0) ON CONFLICT DO NOTHING"
)
_HEAD_ROW: Final = select(
    audit_head.c.chain_id,
    audit_head.c.seq,
    audit_head.c.hash,
    audit_head.c.checkpoint_seq,
    audit_head.c.checkpoint_at,
).where(audit_head.c.id == 1)
_HEAD: Final = Prepared(_HEAD_ROW)
_LOCKED_HEAD: Final = Prepared(_HEAD_ROW.with_for_update())
_KNOWN: Final = Prepared(
    select(audit_records.c.seq).where(audit_records.c.event_id == bindparam("event"))
)
_APPEND: Final = Prepared(insert(audit_records))
_MOVE_HEAD: Final = Prepared(
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(seq=bindparam("end"), hash=bindparam("link"))
)


class AuditChain:
    """The one chain of records. Whoever appends holds the head until the transaction ends."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def head(self) -> Head | None:
        """Where the chain ends; None before the first record."""
        row = self._tx.first(_HEAD, {})
        return None if row is None else Head(*row)

    def append(self, bare: Record) -> Record | None:
        """Links a record to the end; None when its event is in the chain already.

        Position, hash before and hash of ``bare`` are made here; texts are cut to their columns.
        """
        head = self._locked_head()
        if self._tx.first(_KNOWN, {"event": bare.event_id}) is not None:
            return None
        fitted = _fitted(bare)
        linked = replace(
            fitted, seq=head.seq + 1, prev_hash=head.hash, recorded_at=self._tx.now, hash=""
        )
        whole = replace(linked, hash=linked.digest())
        self._tx.run(_APPEND, [asdict(whole)])
        self._tx.run(_MOVE_HEAD, [{"end": whole.seq, "link": whole.hash}])
        return whole

    def _locked_head(self) -> Head:
        row = self._tx.first(_LOCKED_HEAD, {})
        if row is None:
            self._tx.execute(_FIRST_HEAD, {"chain_id": new_id(), "hash": GENESIS})
            row = self._tx.first(_LOCKED_HEAD, {})
        return Head(*row)

    def note_checkpoint(self, seq: int) -> None:
        """The file has a checkpoint of this record."""
        self._tx.execute(
            update(audit_head)
            .where(audit_head.c.id == 1, audit_head.c.checkpoint_seq <= seq)
            .values(checkpoint_seq=seq, checkpoint_at=self._tx.now)
        )

    # ---- reading ---------------------------------------------------------------------------

    def by_seq(self, seq: int) -> Record | None:
        """One record."""
        row = self._tx.execute(
            select(audit_records).where(audit_records.c.seq == seq)
        ).one_or_none()
        return None if row is None else Record(*row)

    def following(self, seq: int, limit: int) -> list[Record]:
        """The records after a position, oldest first."""
        query = (
            select(audit_records)
            .where(audit_records.c.seq > seq)
            .order_by(audit_records.c.seq)
            .limit(limit)
        )
        return [Record(*row) for row in self._tx.execute(query)]

    def matching(self, query: AuditQuery, *, before: int | None, limit: int) -> list[Record]:
        """The records that match, newest first, older than the position ``before``."""
        conditions = _conditions(query)
        if before is not None:
            conditions.append(audit_records.c.seq < before)
        found = (
            select(audit_records)
            .where(*conditions)
            .order_by(audit_records.c.seq.desc())
            .limit(limit)
        )
        return [Record(*row) for row in self._tx.execute(found)]

    def count(self, query: AuditQuery, *, most: int) -> int:
        """How many records match, counted up to ``most``."""
        inner = select(audit_records.c.seq).where(*_conditions(query)).limit(most).subquery()
        return self._tx.scalar(select(func.count()).select_from(inner)) or 0

    # ---- retention -------------------------------------------------------------------------

    def last_before(self, moment: datetime, limit: int) -> Record | None:
        """The newest of at most ``limit`` oldest records that were all recorded before then."""
        first_kept = self._tx.scalar(
            select(audit_records.c.seq)
            .where(audit_records.c.recorded_at >= moment)
            .order_by(audit_records.c.seq)
            .limit(1)
        )
        ends = select(func.min(audit_records.c.seq), func.max(audit_records.c.seq))
        oldest, newest = self._tx.execute(ends).one()
        if oldest is None:
            return None
        last = newest if first_kept is None else first_kept - 1
        last = min(last, oldest + limit - 1)
        return self.by_seq(last) if last >= oldest else None

    def remove_through(self, seq: int) -> int:
        """Removes the records up to this one and says how many."""
        return self._tx.changed(delete(audit_records).where(audit_records.c.seq <= seq))


def _fitted(record: Record) -> Record:
    """The record with texts that its columns can hold."""
    cut = {
        name: getattr(record, name)[:limit]
        for name, limit in _LIMITS.items()
        if len(getattr(record, name)) > limit
    }
    return replace(record, **cut) if cut else record


def _conditions(query: AuditQuery) -> list[ColumnElement[bool]]:
    column = audit_records.c
    found: list[ColumnElement[bool]] = []
    equal = (
        (column.actor_id, query.user_id),
        (column.object_type, query.resource_type),
        (column.object_id, query.resource_id),
        (column.address, query.ip_address),
    )
    found += [one == value for one, value in equal if value is not None]
    if query.action is not None:
        found.append(_action(query.action))
    if query.success is not None:
        is_success = column.outcome == "success"
        found.append(is_success if query.success else ~is_success)
    if query.start_date is not None:
        found.append(column.occurred_at >= query.start_date)
    if query.end_date is not None:
        found.append(column.occurred_at <= query.end_date)
    if query.search:
        texts = (column.actor_name, column.action, column.object_name, column.object_id)
        wanted = query.search.lower()
        searched = [
            func.lower(one).contains(wanted, autoescape=True) for one in (*texts, column.detail)
        ]
        found.append(or_(*searched))
    return found


def _action(wanted: str) -> ColumnElement[bool]:
    """One action, or with a dot at its end all actions that begin so."""
    if wanted.endswith("."):
        return audit_records.c.action.startswith(wanted, autoescape=True)
    return audit_records.c.action == wanted


class CheckpointFile:
    """The checkpoints of this installation and the key that signs them, in a folder of its own.

    Whoever can write to the database alone can neither change nor add any.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "checkpoints.jsonl"
        self.public_path = folder / "checkpoints.pub"
        self._key_path = folder / "checkpoints.key"

    def key(self) -> Ed25519PrivateKey:
        """The signing key; made when there is none yet. Raises OSError or ValueError."""
        try:
            found = load_pem_private_key(self._key_path.read_bytes(), None)
        except FileNotFoundError:
            return self._new_key()
        if not isinstance(found, Ed25519PrivateKey):
            message = f"{self._key_path} is no Ed25519 key"
            raise ValueError(message)
        return found

    def public_key(self) -> Ed25519PublicKey | None:
        """The key to verify with; None before the first checkpoint."""
        return read_public_key(self.public_path) if self.public_path.exists() else None

    def append(self, checkpoint: Checkpoint) -> None:
        """Adds a line; it is on the disk when this returns."""
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, f"{checkpoint.line()}\n".encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self) -> Sequence[Checkpoint]:
        """All of them, oldest first; none before the first. Raises Unreadable."""
        return read_checkpoint_file(self.path) if self.path.exists() else []

    def _new_key(self) -> Ed25519PrivateKey:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        handle = os.open(self._key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(private)
            file.flush()
            os.fsync(file.fileno())
        self.public_path.write_bytes(public)
        return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key in PEM; raises OSError or ValueError."""
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        message = f"{path} is no Ed25519 key"
        raise ValueError(message)
    return key


def read_checkpoint_file(path: Path) -> Sequence[Checkpoint]:
    """The checkpoints of an exported file; raises OSError or Unreadable."""
    return read_checkpoints(path.read_text("utf-8", "replace").splitlines())
