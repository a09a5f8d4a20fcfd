"""The key to which secrets for an agent are sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Agents that are enrolled already have none until they enrol again."""
    op.add_column("agents", sa.Column("sealing_key", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("agents", "sealing_key")
