"""The tables of rules about dangerous commands, and of the consent that executions wait for."""

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from libs.kit.db import UTCDateTime
from services.execution.models import Base


class CommandRule(Base):
    """A rule about texts that are about to run; see rules/domain.py for what its words mean.

    Empty lists of `script_types` and `host_group_ids` stand for all.
    """

    __tablename__ = "command_rules"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    description: Mapped[str] = mapped_column(Text)
    pattern_kind: Mapped[str] = mapped_column(String(8))
    pattern: Mapped[str] = mapped_column(Text)
    script_types: Mapped[list[str]] = mapped_column(JSON)
    action: Mapped[str] = mapped_column(String(8))
    is_enabled: Mapped[bool] = mapped_column(Boolean)
    host_group_ids: Mapped[list[int]] = mapped_column(JSON)
    approver_ids: Mapped[list[int]] = mapped_column(JSON)
    approver_group_ids: Mapped[list[int]] = mapped_column(JSON)
    quorum: Mapped[int] = mapped_column(Integer)
    expires_seconds: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Consent(Base):
    """That an execution waits for an approval of auth; its id there is chosen here, before asking.

    `content` is what is approved, until it was handed over; `look_at` when to ask auth next.
    """

    __tablename__ = "execution_consents"
    __table_args__ = (
        Index("ix_execution_consents_execution_id", "execution_id"),
        Index("ix_execution_consents_state_look_at", "state", "look_at"),
    )

    approval_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    execution_id: Mapped[str] = mapped_column(ForeignKey("executions.id"))
    state: Mapped[str] = mapped_column(String(16))
    subject_hash: Mapped[str] = mapped_column(String(64))
    content: Mapped[str | None] = mapped_column(Text)
    rules: Mapped[list[str]] = mapped_column(JSON)
    approver_ids: Mapped[list[int]] = mapped_column(JSON)
    approver_group_ids: Mapped[list[int]] = mapped_column(JSON)
    approver_names: Mapped[list[str]] = mapped_column(JSON)
    quorum: Mapped[int] = mapped_column(Integer)
    detail: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    look_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
