"""Trust bundles and quarantine."""

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS: tuple[sa.Column[object], ...] = (
    sa.Column("former_boots", sa.Text(), nullable=False, server_default="[]"),
    sa.Column("quarantined_at", UTCDateTime(), nullable=True),
    sa.Column("quarantine_reason", sa.String(length=500), nullable=True),
)


def upgrade() -> None:
    """Make the tables."""
    for column in _COLUMNS:
        op.add_column("agents", column)
    op.create_table(
        "trust_bundles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("trust_bundles")
    for column in _COLUMNS:
        op.drop_column("agents", column.name)
