"""The tables of auth. Passwords and tokens are in here only as hashes."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from libs.kit.db import UTCDateTime, mechanism_tables


class Base(DeclarativeBase):
    """The metadata of this service's own database."""


mechanism_tables(Base.metadata)


def _of(table: str) -> ForeignKey:
    """Belongs to a row of another table, and goes with it."""
    return ForeignKey(f"{table}.id", ondelete="CASCADE")


class User(Base):
    """A person. `username_key` is the folded name that must be unique; ids are never reused.

    A deleted user stays as a row that nobody can log in with, so that its name stays taken and
    what was done under it keeps an author. `password_expires_at` ends a one-time password.
    """

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
    display_name: Mapped[str] = mapped_column(String(128), default="", server_default="")
    email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    phone: Mapped[str] = mapped_column(String(32), default="", server_default="")
    department: Mapped[str] = mapped_column(String(128), default="", server_default="")
    position: Mapped[str] = mapped_column(String(128), default="", server_default="")
    password_expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    origin: Mapped[str] = mapped_column(String(16), default="local", server_default="local")
    """Where the password is known: here, in the directory, or at an identity provider."""

    roles: Mapped[list["UserRole"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="UserRole.role"
    )
    groups: Mapped[list["UserGroup"]] = relationship(
        lazy="raise", secondary="user_group_members", order_by="UserGroup.name_key", viewonly=True
    )


class UserRole(Base):
    """That a user has a role."""

    __tablename__ = "user_roles"
    __table_args__ = (Index("ix_user_roles_role", "role"),)

    user_id: Mapped[int] = mapped_column(_of("users"), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)


class UserGroup(Base):
    """People who are given roles and grants together; `name_key` is the folded, unique name."""

    __tablename__ = "user_groups"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(String(384), unique=True)
    description: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)

    roles: Mapped[list["GroupRole"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="GroupRole.role"
    )


class GroupMember(Base):
    """That a user belongs to a group."""

    __tablename__ = "user_group_members"
    __table_args__ = (Index("ix_user_group_members_user_id", "user_id"),)

    group_id: Mapped[int] = mapped_column(_of("user_groups"), primary_key=True)
    user_id: Mapped[int] = mapped_column(_of("users"), primary_key=True)


class GroupRole(Base):
    """That everybody in a group has a role."""

    __tablename__ = "group_roles"
    __table_args__ = (Index("ix_group_roles_role", "role"),)

    group_id: Mapped[int] = mapped_column(_of("user_groups"), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)


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
    user_id: Mapped[int] = mapped_column(_of("users"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime] = mapped_column(UTCDateTime)
    idle_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    rotated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    address: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Where the login came from, and with what; each credential of the login repeats it."""
    user_agent: Mapped[str] = mapped_column(String(256), default="", server_default="")
    remembered: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """Whether the user asked to stay logged in."""
    proved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the user last proved to be that user; the same for all of a login."""


class LoginDelay(Base):
    """Failures of one key (an address, or an account from an address) and the wait they cost."""

    __tablename__ = "login_delays"
    __table_args__ = (Index("ix_login_delays_failed_at", "failed_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    blocked_until: Mapped[datetime] = mapped_column(UTCDateTime)


class ApiToken(Base):
    """A credential for a program of one user: some of the user's permissions until a moment."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("user_id", "name", name="uq_api_tokens_user_id_name"),
        Index("ix_api_tokens_expires_at", "expires_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[int] = mapped_column(_of("users"))
    name: Mapped[str] = mapped_column(String(128))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(Text)  # a JSON list of permissions
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_address: Mapped[str] = mapped_column(String(64), default="")
    carries_grants: Mapped[bool] = mapped_column(Boolean, default=True, server_default=false())
    """Whether the grants of its owner count for it, within its scopes."""


class Captcha(Base):
    """A picture that was shown and may be answered once. The key is here only as its hash.

    `answer_hash` is made with the key, so that what lies in this table gives no answer away.
    """

    __tablename__ = "captchas"
    __table_args__ = (Index("ix_captchas_expires_at", "expires_at"),)

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    answer_hash: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)


# ---- further factors, directories and identity providers ---------------------------------------


class SecondFactor(Base):
    """A user's authenticator. It counts once it is confirmed by a first code.

    `last_step` is the time step of the latest code that was accepted; no earlier one counts again.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(_of("users"), primary_key=True, autoincrement=False)
    sealed_secret: Mapped[str] = mapped_column(String(512))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_step: Mapped[int] = mapped_column(BigInteger)
    refused_in_row: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class RecoveryCode(Base):
    """A code that replaces the authenticator once; its row goes when it is used."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int] = mapped_column(_of("users"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class EnrolmentTicket(Base):
    """The right to enrol a second factor, given to somebody who knew the password just now."""

    __tablename__ = "enrolment_tickets"
    __table_args__ = (Index("ix_enrolment_tickets_expires_at", "expires_at"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(_of("users"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ExternalIdentity(Base):
    """Who a user is elsewhere: `subject` never changes there, `label` is the latest name."""

    __tablename__ = "external_identities"
    __table_args__ = (Index("ix_external_identities_user_id", "user_id"),)

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    subject: Mapped[str] = mapped_column(String(512), primary_key=True)
    user_id: Mapped[int] = mapped_column(_of("users"))
    label: Mapped[str] = mapped_column(String(512))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OidcFlow(Base):
    """A login on its way through an identity provider, of one browser; ends with its return."""

    __tablename__ = "oidc_flows"
    __table_args__ = (Index("ix_oidc_flows_expires_at", "expires_at"),)

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64))
    browser_hash: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    sealed_verifier: Mapped[str] = mapped_column(String(512))
    return_to: Mapped[str] = mapped_column(String(1024))
    proves: Mapped[str | None] = mapped_column(String(36))  # the login that is proved again by it
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)


class OidcFarewell(Base):
    """The ID token of a login that came from a provider, which names it when it ends there."""

    __tablename__ = "oidc_farewells"

    session_id: Mapped[str] = mapped_column(String(36), primary_key=True)  # that of the login
    sealed_token: Mapped[str] = mapped_column(Text)


class RoleRow(Base):
    """A role. What a built-in one allows is in the policy, of a custom one in `permissions`.

    `key` is what users and groups hold: the name of a built-in role, or `custom-` and the id.
    """

    __tablename__ = "roles"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(String(512), unique=True)
    description: Mapped[str] = mapped_column(Text)
    permissions: Mapped[str] = mapped_column(Text)  # a JSON list; empty for a built-in role
    is_built_in: Mapped[bool] = mapped_column(Boolean)
    require_two_factor: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class GrantTemplate(Base):
    """A named set of parts of grants, to be given to users and groups as ordinary grants."""

    __tablename__ = "grant_templates"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(String(512), unique=True)
    description: Mapped[str] = mapped_column(Text)
    parts: Mapped[str] = mapped_column(Text)  # a JSON list
    created_by: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Approval(Base):
    """That something waits for the consent of others; good for exactly one content.

    `subject_hash` is SHA-256 of what is approved; another content needs another approval.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        Index("ix_approvals_subject_kind_subject_id", "subject_kind", "subject_id"),
        Index("ix_approvals_state_expires_at", "state", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(String(64))
    subject_name: Mapped[str] = mapped_column(String(128))
    subject_hash: Mapped[str] = mapped_column(String(64))
    requester_id: Mapped[int] = mapped_column(Integer)
    requester_name: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)
    approvers: Mapped[str] = mapped_column(Text)  # JSON: ids of users and of groups
    quorum: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    content: Mapped[str] = mapped_column(Text, server_default="", deferred=True)


class ApprovalDecision(Base):
    """What one approver said, once."""

    __tablename__ = "approval_decisions"

    approval_id: Mapped[str] = mapped_column(_of("approvals"), primary_key=True)
    user_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    approve: Mapped[bool] = mapped_column(Boolean)
    comment: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)
