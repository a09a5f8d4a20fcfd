"""Profiles, groups, API tokens and captchas."""

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def user_columns() -> tuple[sa.Column[object], ...]:
    """What is known about a person beside the name."""
    return (
        sa.Column("display_name", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("email", sa.String(length=254), nullable=False, server_default=""),
        sa.Column("phone", sa.String(length=32), nullable=False, server_default=""),
        sa.Column("department", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("position", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("password_expires_at", UTCDateTime(), nullable=True),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
    )


def session_columns() -> tuple[sa.Column[object], ...]:
    """Where a login came from."""
    return (
        sa.Column("address", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("user_agent", sa.String(length=256), nullable=False, server_default=""),
        sa.Column("remembered", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def upgrade() -> None:
    """Make the tables."""
    for column in user_columns():
        op.add_column("users", column)
    for column in session_columns():
        op.add_column("sessions", column)
    with op.batch_alter_table("user_roles") as roles:
        roles.alter_column("role", existing_type=sa.String(length=32), type_=sa.String(length=64))
    _make_groups()
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("last_address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
        sa.UniqueConstraint("user_id", "name", name="uq_api_tokens_user_id_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_tokens_expires_at", "api_tokens", ["expires_at"])
    op.create_table(
        "captchas",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("answer_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash"),
    )
    op.create_index("ix_captchas_expires_at", "captchas", ["expires_at"])


def _make_groups() -> None:
    op.create_table(
        "user_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("name_key", sa.String(length=384), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "user_group_members",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["user_groups.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "user_id"),
    )
    op.create_index("ix_user_group_members_user_id", "user_group_members", ["user_id"])
    op.create_table(
        "group_roles",
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["user_groups.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("group_id", "role"),
    )
    op.create_index("ix_group_roles_role", "group_roles", ["role"])


def downgrade() -> None:
    """Take that back."""
    for table in (
        "captchas",
        "api_tokens",
        "group_roles",
        "user_group_members",
        "user_groups",
    ):
        op.drop_table(table)
    with op.batch_alter_table("user_roles") as roles:
        roles.alter_column("role", existing_type=sa.String(length=64), type_=sa.String(length=32))
    with op.batch_alter_table("sessions") as sessions:
        for column in session_columns():
            sessions.drop_column(column.name)
    with op.batch_alter_table("users") as users:
        for column in user_columns():
            users.drop_column(column.name)
