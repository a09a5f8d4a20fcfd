"""The tables of executions; every list of states is in domain.py."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.kit.db import UTCDateTime, mechanism_tables


class Base(DeclarativeBase):
    """The metadata of this service's own database."""


mechanism_tables(Base.metadata)

# What the database fills in by itself costs an insert of ten thousand rows nothing.
_ZERO, _ONE, _MIDDLE = text("0"), text("1"), text("5")
_OBJECT, _LIST, _SUCCESS = text("'{}'"), text("'[]'"), text("'[0]'")
_STOPPING, _WITH_OUTPUTS = text("stop_until IS NOT NULL"), text("outputs IS NOT NULL")
_HERE = text("shelved_at IS NULL AND state = 'packed'")


class Execution(Base):
    """What a person started. `version` rises with every change of it or of one of its tasks.

    A plain execution (`is_plain`) has one step whose tasks were all released at accept; the engine
    has nothing to decide about it. `next_at` is when the engine must look without being told.
    """

    __tablename__ = "executions"
    __table_args__ = (
        Index("ix_executions_status_id", "status", "id"),
        Index("ix_executions_next_at", "next_at"),
        Index("ix_executions_root_id", "root_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(16))
    trigger: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int] = mapped_column(Integer)
    username: Mapped[str] = mapped_column(String(150))
    script_type: Mapped[str] = mapped_column(String(16))
    task_total: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(BigInteger)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    execution_type: Mapped[str] = mapped_column(String(24), server_default="quick_script")
    description: Mapped[str | None] = mapped_column(String(1000))
    is_plain: Mapped[bool] = mapped_column(Boolean, server_default=true())
    priority: Mapped[int] = mapped_column(Integer, server_default=_MIDDLE)
    start_seconds: Mapped[int | None] = mapped_column(Integer)
    strategy: Mapped[dict[str, object]] = mapped_column(JSON, server_default=_OBJECT)
    variables: Mapped[dict[str, object]] = mapped_column(JSON, server_default=_OBJECT)
    paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    pause_reason: Mapped[str | None] = mapped_column(String(16))
    next_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stop_kind: Mapped[str | None] = mapped_column(String(8))
    parent_id: Mapped[str | None] = mapped_column(String(36))
    root_id: Mapped[str | None] = mapped_column(String(36))
    retry_count: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    is_latest: Mapped[bool] = mapped_column(Boolean, server_default=true())
    retry_reason: Mapped[str | None] = mapped_column(String(200))
    retry_type: Mapped[str | None] = mapped_column(String(16))
    scheduled_job_id: Mapped[int | None] = mapped_column(Integer)
    client_ip: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str | None] = mapped_column(String(300))
    findings: Mapped[list[dict[str, object]]] = mapped_column(JSON, server_default=_LIST)


class Step(Base):
    """One step of an execution, with everything it runs as it was at accept (R5).

    `batch_no` is the newest batch that was released, `batch_ready_at` when the next one may be,
    `confirmed_batch` up to where people let it go on, `forgiven` how many failures they accepted.
    """

    __tablename__ = "execution_steps"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(200))
    script_type: Mapped[str] = mapped_column(String(16))
    script: Mapped[str] = mapped_column(Text)
    script_sha256: Mapped[str] = mapped_column(String(64))
    args: Mapped[list[str]] = mapped_column(JSON)
    env: Mapped[dict[str, str]] = mapped_column(JSON)
    run_as: Mapped[str | None] = mapped_column(String(100))
    cwd: Mapped[str | None] = mapped_column(String(4096))
    timeout_seconds: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(8), server_default="script")
    status: Mapped[str] = mapped_column(String(16), server_default="pending")
    reason: Mapped[str | None] = mapped_column(String(64))
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    batch_no: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    batch_total: Mapped[int] = mapped_column(Integer, server_default=_ONE)
    batch_ready_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirmed_batch: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    forgiven: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    retries: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    retry_delay_seconds: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    ignore_error: Mapped[bool] = mapped_column(Boolean, server_default=false())
    success_codes: Mapped[list[int]] = mapped_column(JSON, server_default=_SUCCESS)
    condition: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    on_failure: Mapped[str | None] = mapped_column(String(200))
    is_handler: Mapped[bool] = mapped_column(Boolean, server_default=false())
    targets: Mapped[dict[str, object]] = mapped_column(JSON, server_default=_OBJECT)
    payload: Mapped[dict[str, object]] = mapped_column(JSON, server_default=_OBJECT)
    skipped_by: Mapped[int | None] = mapped_column(Integer)
    confirmed_by: Mapped[int | None] = mapped_column(Integer)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outputs: Mapped[dict[str, object]] = mapped_column(JSON, server_default=_OBJECT)


class Task(Base):
    """One step on one host. `epoch` counts grants, `boot_id` says to which boot it was granted.

    `sealing_key` is the agent's X25519 key, kept only where the execution has secrets; a secret
    itself is sealed for each offer anew and is in no task row at any time (S25). `stop_until` is
    set for a task that was ended by force: so long its host is asked to stop, until it answers.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_execution_version", "execution_id", "version"),
        Index("ix_tasks_execution_status", "execution_id", "status"),
        Index("ix_tasks_agent_status", "agent_id", "status"),
        Index("ix_tasks_status_id", "status", "id"),
        Index("ix_tasks_log_status", "log_status", "finished_at"),
        Index(
            "ix_tasks_stop_until",
            "stop_until",
            sqlite_where=_STOPPING,
            postgresql_where=_STOPPING,
        ),
        Index(
            "ix_tasks_with_outputs",
            "execution_id",
            sqlite_where=_WITH_OUTPUTS,
            postgresql_where=_WITH_OUTPUTS,
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id"))
    step_id: Mapped[str] = mapped_column(ForeignKey("execution_steps.id"))
    user_id: Mapped[int] = mapped_column(Integer)
    host_id: Mapped[int] = mapped_column(Integer)
    host_name: Mapped[str] = mapped_column(String(128))
    ip_address: Mapped[str] = mapped_column(String(255))
    agent_id: Mapped[str | None] = mapped_column(String(64))
    public_key: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int] = mapped_column(Integer)
    epoch: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(BigInteger)
    boot_id: Mapped[str | None] = mapped_column(String(64))
    session_id: Mapped[str | None] = mapped_column(String(64))
    exit_code: Mapped[int | None] = mapped_column(Integer)
    signal: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[str | None] = mapped_column(String(500))
    not_after: Mapped[datetime] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    offered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    totals: Mapped[dict[str, object] | None] = mapped_column(JSON)
    late_outcome: Mapped[dict[str, object] | None] = mapped_column(JSON)
    log_status: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int] = mapped_column(Integer, server_default=_MIDDLE)
    batch_no: Mapped[int] = mapped_column(Integer, server_default=_ONE)
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outputs: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    progress: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    processes: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    sealing_key: Mapped[str | None] = mapped_column(String(64))
    stop_until: Mapped[datetime | None] = mapped_column(UTCDateTime)


class TaskAttempt(Base):
    """How an earlier attempt of a task ended; written when a new one begins (R10, R13)."""

    __tablename__ = "task_attempts"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    epoch: Mapped[int] = mapped_column(Integer)
    exit_code: Mapped[int | None] = mapped_column(Integer)
    signal: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String(64))
    detail: Mapped[str | None] = mapped_column(String(500))
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    duration_ms: Mapped[int | None] = mapped_column(BigInteger)
    log_status: Mapped[str] = mapped_column(String(16))
    totals: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    outputs: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    processes: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    late_outcome: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))


class Operation(Base):
    """What a person did to an execution: the ground of its operation log and of the audit."""

    __tablename__ = "execution_operations"
    __table_args__ = (
        Index("ix_execution_operations_execution_id", "execution_id", "id"),
        UniqueConstraint("user_id", "operation_key", name="uq_execution_operations_key"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id"))
    step_id: Mapped[str | None] = mapped_column(String(36))
    task_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    action: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[int] = mapped_column(Integer)
    username: Mapped[str] = mapped_column(String(150))
    reason: Mapped[str | None] = mapped_column(String(200))
    detail: Mapped[dict[str, object]] = mapped_column(JSON, server_default=_OBJECT)
    client_ip: Mapped[str | None] = mapped_column(String(64))
    operation_key: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ExecutionSecret(Base):
    """A secret variable, sealed for this row alone; dropped some time after the execution ends.

    Kept apart from the execution, so that no view of an execution can hold it.
    """

    __tablename__ = "execution_secrets"

    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class TaskLog(Base):
    """The durable floor of one stream of one attempt: below it nothing is asked for again."""

    __tablename__ = "task_logs"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True)
    stream: Mapped[str] = mapped_column(String(8), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    gap_bytes: Mapped[int] = mapped_column(BigInteger)


class LogSegment(Base):
    """A file that holds a part of an execution's output; valid up to `length` bytes.

    `state` is open, packed, damaged (it could not be packed) or removed. Of a packed one `sha256`
    vouches for all of it, `stored_bytes` is its size on the disk, and `raw_file` the file that it
    was made from, until that is deleted. Since `shelved_at` it lies in the object store, and
    `raw_file` is the copy here, until that is deleted.
    """

    __tablename__ = "log_segments"
    __table_args__ = (
        Index("ix_log_segments_state", "state", "execution_id"),
        Index("ix_log_segments_here", "closed_at", sqlite_where=_HERE, postgresql_where=_HERE),
    )

    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    file: Mapped[str] = mapped_column(String(128))
    position: Mapped[int] = mapped_column(BigInteger)
    length: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(8), server_default="open")
    sha256: Mapped[str | None] = mapped_column(String(64))
    stored_bytes: Mapped[int | None] = mapped_column(BigInteger)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    raw_file: Mapped[str | None] = mapped_column(String(128))
    shelved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class IdempotencyKey(Base):
    """Which execution a caller's key stands for (R3)."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    execution_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class File(Base):
    """A file of the library: somebody's name for a content. `task_id` says which task brought it.

    Names live here alone; the content lies in the store under its SHA-256. Its BLAKE3 is known of
    what people uploaded, and lets hosts check what arrives in less time.
    """

    __tablename__ = "files"
    __table_args__ = (
        UniqueConstraint("task_id", "attempt", name="uq_files_task"),
        Index("ix_files_user_id", "user_id", "id"),
        Index("ix_files_execution_id", "execution_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    blake3: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(4096))
    kind: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int] = mapped_column(Integer)
    username: Mapped[str] = mapped_column(String(150))
    file_count: Mapped[int] = mapped_column(Integer)
    execution_id: Mapped[str | None] = mapped_column(String(36))
    step_id: Mapped[str | None] = mapped_column(String(36), index=True)
    task_id: Mapped[str | None] = mapped_column(String(36))
    attempt: Mapped[int | None] = mapped_column(Integer)
    host_id: Mapped[int | None] = mapped_column(Integer)
    host_name: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


class FileContent(Base):
    """Content in the store. What no file needs since `unused_at` is removed in two steps."""

    __tablename__ = "file_contents"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    unused_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    is_removing: Mapped[bool] = mapped_column(Boolean)


class Upload(Base):
    """A file that a person is sending; how much is there is the length of its draft."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[int] = mapped_column(Integer, index=True)
    username: Mapped[str] = mapped_column(String(150))
    name: Mapped[str] = mapped_column(String(4096))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SecurityEvent(Base):
    """Something that nobody honest sends was refused, by an agent or by us; `count` equal ones.

    `source` is agent or platform. The ids are those that it named, which proves nothing.
    """

    __tablename__ = "security_events"
    __table_args__ = (Index("ix_security_events_agent_id", "agent_id", "at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    source: Mapped[str] = mapped_column(String(8))
    agent_id: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(String(512))
    task_id: Mapped[str | None] = mapped_column(String(64))
    attempt: Mapped[int | None] = mapped_column(Integer)
    count: Mapped[int] = mapped_column(Integer)
