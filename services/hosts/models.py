"""The tables of hosts. A credential is in here only sealed or hashed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.kit.db import UTCDateTime, mechanism_tables


class Base(DeclarativeBase):
    """The metadata of this service's own database."""


mechanism_tables(Base.metadata)


class Host(Base):
    """A machine. Ids are never reused.

    `name_key` is the folded name and unique. `address_key` is address and port where no two
    hosts may share them, and NULL where they may (see domain.address_key). `agent_id` names the
    present agent. `tags` is a JSON list as text.
    """

    __tablename__ = "hosts"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(String(512), unique=True)
    ip_address: Mapped[str] = mapped_column(String(253))
    port: Mapped[int] = mapped_column(Integer)
    address_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    username: Mapped[str | None] = mapped_column(String(64))
    password_sealed: Mapped[str | None] = mapped_column(Text)
    os_type: Mapped[str | None] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(Text)
    tags: Mapped[str] = mapped_column(Text)
    agent_id: Mapped[str | None] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Group(Base):
    """A node of the tree of groups; names are unique in the whole tree."""

    __tablename__ = "host_groups"
    __table_args__ = (
        Index("ix_host_groups_parent_id", "parent_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(String(512), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("host_groups.id"))
    description: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class GroupMember(Base):
    """That a host is in a group."""

    __tablename__ = "host_group_members"
    __table_args__ = (Index("ix_host_group_members_group_id", "group_id"),)

    host_id: Mapped[int] = mapped_column(
        ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[int] = mapped_column(
        ForeignKey("host_groups.id", ondelete="CASCADE"), primary_key=True
    )


class Agent(Base):
    """An identity: 128 random bits, never reused; kept after it is retired.

    `host_id` has no foreign key because a retired agent outlives its host. `inventory` and
    `metrics` are JSON as text, written as they are shown.
    """

    __tablename__ = "agents"
    __table_args__ = (
        Index("ix_agents_host_id", "host_id"),
        Index("ix_agents_is_online_last_seen_at", "is_online", "last_seen_at"),
        Index("ix_agents_status_enrolled_at", "status", "enrolled_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    host_id: Mapped[int] = mapped_column(Integer)
    public_key: Mapped[str] = mapped_column(String(64))
    sealing_key: Mapped[str | None] = mapped_column(String(64))
    identity_epoch: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(16))
    is_online: Mapped[bool] = mapped_column(Boolean)
    last_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    silent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When its silence since then is too long; nobody said so for agents of earlier versions."""
    connected_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    gateway_id: Mapped[str | None] = mapped_column(String(128))
    session_id: Mapped[str | None] = mapped_column(String(128))
    boot_id: Mapped[str | None] = mapped_column(String(128))
    former_boots: Mapped[str] = mapped_column(Text, server_default="[]")
    quarantined_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    quarantine_reason: Mapped[str | None] = mapped_column(String(500))
    machine_id: Mapped[str] = mapped_column(String(255))
    version: Mapped[str] = mapped_column(String(255))
    inventory: Mapped[str] = mapped_column(Text)
    metrics: Mapped[str | None] = mapped_column(Text)
    enrolled_at: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class EnrolmentToken(Base):
    """A one-time token, stored as SHA-256. It is spent when `used_at` or `revoked_at` is set."""

    __tablename__ = "enrolment_tokens"
    __table_args__ = (
        Index("ix_enrolment_tokens_expires_at", "expires_at"),
        Index("ix_enrolment_tokens_host_id", "host_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    host_id: Mapped[int | None] = mapped_column(Integer)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    agent_id: Mapped[str | None] = mapped_column(String(32))


class TrustBundle(Base):
    """The one row with what agents check orders against; public, and vouched for by its root."""

    __tablename__ = "trust_bundles"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    root: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(BigInteger)
    bundle: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


@dataclass(frozen=True)
class CountedGroup:
    """A group, how many hosts are directly in it, and the group above it as far as it is seen."""

    group: Group
    host_count: int
    parent_id: int | None
