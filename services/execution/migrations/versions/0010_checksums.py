"""A second checksum of files, which hosts compute in less time."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Files of before have none; hosts check their SHA-256."""
    op.add_column("files", sa.Column("blake3", sa.String(64), nullable=True))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("files", "blake3")
