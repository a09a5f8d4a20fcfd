"""The tables of executions; every list of states is in domain.py."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.kit.db import UTCDateTime, mechanism_tables


class Base(DeclarativeBase):
    """The metadata of this service's own database."""


mechanism_tables(Base.metadata)


class Execution(Base):
    """What a person started. `version` rises with every change of it or of one of its tasks."""

    __tablename__ = "executions"
    __table_args__ = (Index("ix_executions_status_id", "status", "id"),)

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


class Step(Base):
    """One step of an execution, with everything it runs as it was at accept (R5)."""

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


class Task(Base):
    """One step on one host. `epoch` counts grants, `boot_id` says to which boot it was granted."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_execution_version", "execution_id", "version"),
        Index("ix_tasks_execution_status", "execution_id", "status"),
        Index("ix_tasks_agent_status", "agent_id", "status"),
        Index("ix_tasks_status_id", "status", "id"),
        Index("ix_tasks_log_status", "log_status", "finished_at"),
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
    """A file that holds a part of an execution's output; valid up to `length` bytes."""

    __tablename__ = "log_segments"

    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    file: Mapped[str] = mapped_column(String(128))
    position: Mapped[int] = mapped_column(BigInteger)
    length: Mapped[int] = mapped_column(BigInteger)


class IdempotencyKey(Base):
    """Which execution a caller's key stands for (R3)."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    execution_id: Mapped[str] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
