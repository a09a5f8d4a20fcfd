"""What is approved, kept with the approval, so that approvers see exactly that."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the content; approvals of before have none."""
    op.add_column("approvals", sa.Column("content", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("approvals", "content")
