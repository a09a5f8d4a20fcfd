"""Segments of output that are closed, packed and removed."""

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS: tuple[sa.Column[object], ...] = (
    sa.Column("state", sa.String(length=8), nullable=False, server_default="open"),
    sa.Column("sha256", sa.String(length=64), nullable=True),
    sa.Column("stored_bytes", sa.BigInteger(), nullable=True),
    sa.Column("closed_at", UTCDateTime(), nullable=True),
    sa.Column("raw_file", sa.String(length=128), nullable=True),
)


def upgrade() -> None:
    """Add them."""
    for column in _COLUMNS:
        op.add_column("log_segments", column)
    op.create_index("ix_log_segments_state", "log_segments", ["state", "execution_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_log_segments_state", table_name="log_segments")
    for column in _COLUMNS:
        op.drop_column("log_segments", column.name)
