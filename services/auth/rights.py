"""The tables of grants, and of what grants rest on."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from libs.kit.db import UTCDateTime
from services.auth.models import Base


class AccessState(Base):
    """One row, counted up by every change of a grant, so that changes become visible in order."""

    __tablename__ = "access_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)


class Grant(Base):
    """That a user or a group may do something with objects; never deleted, only revoked.

    The lists are JSON as text. `revision` is that of the last change.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index("ix_grants_subject_type_subject_id", "subject_type", "subject_id"),
        Index("ix_grants_expires_at", "expires_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject_type: Mapped[str] = mapped_column(String(8))
    subject_id: Mapped[int] = mapped_column(Integer)
    actions: Mapped[str] = mapped_column(Text)
    object_type: Mapped[str] = mapped_column(String(24))
    object_ids: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    accounts: Mapped[str] = mapped_column(Text)
    windows: Mapped[str | None] = mapped_column(Text)
    starts_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(Text)
    template_id: Mapped[int | None] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    created_by: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_with: Mapped[int | None] = mapped_column(Integer)
    """The grant that it rested on and with which it was revoked."""
    revoked_by: Mapped[int | None] = mapped_column(Integer)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class GrantTie(Base):
    """That a grant was given by somebody under an own one, with which it ends."""

    __tablename__ = "grant_ties"
    __table_args__ = (Index("ix_grant_ties_parent_id", "parent_id"),)

    grant_id: Mapped[int] = mapped_column(ForeignKey("grants.id"), primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("grants.id"), primary_key=True)
    giver_id: Mapped[int] = mapped_column(Integer)
