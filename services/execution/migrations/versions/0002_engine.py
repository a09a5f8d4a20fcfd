"""Executions of many steps: strategies, pauses, retries, operations."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_EXECUTIONS: tuple[sa.Column[Any], ...] = (
    sa.Column(
        "execution_type", sa.String(length=24), nullable=False, server_default="quick_script"
    ),
    sa.Column("description", sa.String(length=1000), nullable=True),
    sa.Column("is_plain", sa.Boolean(), nullable=False, server_default=sa.true()),
    sa.Column("priority", sa.Integer(), nullable=False, server_default=sa.text("5")),
    sa.Column("start_seconds", sa.Integer(), nullable=True),
    sa.Column("strategy", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("variables", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("paused_at", UTCDateTime(), nullable=True),
    sa.Column("pause_reason", sa.String(length=16), nullable=True),
    sa.Column("next_at", UTCDateTime(), nullable=True),
    sa.Column("stop_kind", sa.String(length=8), nullable=True),
    sa.Column("parent_id", sa.String(length=36), nullable=True),
    sa.Column("root_id", sa.String(length=36), nullable=True),
    sa.Column("retry_count", sa.Integer(), nullable=False, server_default=sa.text("0")),
    sa.Column("is_latest", sa.Boolean(), nullable=False, server_default=sa.true()),
    sa.Column("retry_reason", sa.String(length=200), nullable=True),
    sa.Column("retry_type", sa.String(length=16), nullable=True),
    sa.Column("scheduled_job_id", sa.Integer(), nullable=True),
    sa.Column("client_ip", sa.String(length=64), nullable=True),
    sa.Column("user_agent", sa.String(length=300), nullable=True),
)
_EXECUTION_STEPS: tuple[sa.Column[Any], ...] = (
    sa.Column("kind", sa.String(length=8), nullable=False, server_default="script"),
    sa.Column("status", sa.String(length=16), nullable=False, server_default="pending"),
    sa.Column("reason", sa.String(length=64), nullable=True),
    sa.Column("started_at", UTCDateTime(), nullable=True),
    sa.Column("finished_at", UTCDateTime(), nullable=True),
    sa.Column("batch_no", sa.Integer(), nullable=False, server_default=sa.text("0")),
    sa.Column("batch_total", sa.Integer(), nullable=False, server_default=sa.text("1")),
    sa.Column("batch_ready_at", UTCDateTime(), nullable=True),
    sa.Column("confirmed_batch", sa.Integer(), nullable=False, server_default=sa.text("0")),
    sa.Column("forgiven", sa.Integer(), nullable=False, server_default=sa.text("0")),
    sa.Column("retries", sa.Integer(), nullable=False, server_default=sa.text("0")),
    sa.Column("retry_delay_seconds", sa.Integer(), nullable=False, server_default=sa.text("0")),
    sa.Column("ignore_error", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("success_codes", sa.JSON(), nullable=False, server_default=sa.text("'[0]'")),
    sa.Column("condition", sa.JSON(), nullable=True),
    sa.Column("on_failure", sa.String(length=200), nullable=True),
    sa.Column("is_handler", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("targets", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("payload", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("skipped_by", sa.Integer(), nullable=True),
    sa.Column("confirmed_by", sa.Integer(), nullable=True),
    sa.Column("confirmed_at", UTCDateTime(), nullable=True),
    sa.Column("expires_at", UTCDateTime(), nullable=True),
    sa.Column("outputs", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
)
_TASKS: tuple[sa.Column[Any], ...] = (
    sa.Column("priority", sa.Integer(), nullable=False, server_default=sa.text("5")),
    sa.Column("batch_no", sa.Integer(), nullable=False, server_default=sa.text("1")),
    sa.Column("not_before", UTCDateTime(), nullable=True),
    sa.Column("outputs", sa.JSON(), nullable=True),
    sa.Column("progress", sa.JSON(), nullable=True),
    sa.Column("processes", sa.JSON(), nullable=True),
    sa.Column("sealing_key", sa.String(length=64), nullable=True),
)


def upgrade() -> None:
    """Add what the engine and the control operations keep."""
    for column in _EXECUTIONS:
        op.add_column("executions", column)
    for column in _EXECUTION_STEPS:
        op.add_column("execution_steps", column)
    for column in _TASKS:
        op.add_column("tasks", column)
    op.create_index("ix_executions_next_at", "executions", ["next_at"], unique=False)
    op.create_index("ix_executions_root_id", "executions", ["root_id"], unique=False)
    op.create_table(
        "task_attempts",
        sa.Column("task_id", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=True),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=True),
        sa.Column("log_status", sa.String(length=16), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=True),
        sa.Column("outputs", sa.JSON(), nullable=True),
        sa.Column("processes", sa.JSON(), nullable=True),
        sa.Column("late_outcome", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"]),
        sa.PrimaryKeyConstraint("task_id", "attempt"),
    )
    op.create_table(
        "execution_operations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("execution_id", sa.String(length=36), nullable=False),
        sa.Column("step_id", sa.String(length=36), nullable=True),
        sa.Column("task_ids", sa.JSON(), nullable=True),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("client_ip", sa.String(length=64), nullable=True),
        sa.Column("operation_key", sa.String(length=200), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["execution_id"], ["executions.id"]),
        sa.UniqueConstraint("user_id", "operation_key", name="uq_execution_operations_key"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_execution_operations_execution_id",
        "execution_operations",
        ["execution_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("execution_operations")
    op.drop_table("task_attempts")
    op.drop_index("ix_executions_root_id", table_name="executions")
    op.drop_index("ix_executions_next_at", table_name="executions")
    for column in _TASKS:
        op.drop_column("tasks", column.name)
    for column in _EXECUTION_STEPS:
        op.drop_column("execution_steps", column.name)
    for column in _EXECUTIONS:
        op.drop_column("executions", column.name)
