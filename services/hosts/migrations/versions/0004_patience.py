"""When an agent's silence is too long: those of large fleets beat more slowly."""

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until an agent is heard of again the setting alone counts."""
    op.add_column("agents", sa.Column("silent_at", UTCDateTime(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("agents", "silent_at")
