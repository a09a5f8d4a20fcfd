"""The tables of auth. Passwords and tokens are in here only as hashes."""

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from libs.kit.db import UTCDateTime, mechanism_tables


class Base(DeclarativeBase):
    """The metadata of this service's own database."""


mechanism_tables(Base.metadata)


class User(Base):
    """A person. `username_key` is the folded name that must be unique; ids are never reused."""

    __tablename__ = "users"
    __table_args__ = (
        # At most one row: the first administrator is made once, whoever else tries at that moment.
        Index(
            "uq_users_first_admin",
            "is_first_admin",
            unique=True,
            sqlite_where=text("is_first_admin"),
            postgresql_where=text("is_first_admin"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(256), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(Boolean)
    is_first_admin: Mapped[bool] = mapped_column(Boolean)
    must_change_password: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    password_changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    roles: Mapped[list["UserRole"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="UserRole.role"
    )


class UserRole(Base):
    """That a user has a role."""

    __tablename__ = "user_roles"
    __table_args__ = (Index("ix_user_roles_role", "role"),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(String(32), primary_key=True)


class Session(Base):
    """One credential of a login. One login is one family: a cookie and a chain of refresh tokens.

    `rotated_at` is set when a refresh token was exchanged; seeing it again ends the family.
    `expires_at` is the absolute end of the family, `idle_at` the end unless it is used before.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_family_id", "family_id"),
        Index("ix_sessions_user_id", "user_id"),
        Index("ix_sessions_idle_at", "idle_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    family_id: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime] = mapped_column(UTCDateTime)
    idle_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    rotated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class LoginDelay(Base):
    """Failures of one key (an address, or an account from an address) and the wait they cost."""

    __tablename__ = "login_delays"
    __table_args__ = (Index("ix_login_delays_failed_at", "failed_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    blocked_until: Mapped[datetime] = mapped_column(UTCDateTime)
