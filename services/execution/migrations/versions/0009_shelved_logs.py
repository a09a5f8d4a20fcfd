"""Output that lies in an object store."""

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_HERE = sa.text("shelved_at IS NULL AND state = 'packed'")


def upgrade() -> None:
    """Note since when a segment lies there."""
    op.add_column("log_segments", sa.Column("shelved_at", UTCDateTime(), nullable=True))
    op.create_index(
        "ix_log_segments_here",
        "log_segments",
        ["closed_at"],
        sqlite_where=_HERE,
        postgresql_where=_HERE,
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_index("ix_log_segments_here", table_name="log_segments")
    op.drop_column("log_segments", "shelved_at")
