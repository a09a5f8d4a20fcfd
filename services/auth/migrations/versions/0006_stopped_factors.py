"""How many wrong codes in a row a second factor has seen."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the count."""
    count = sa.Column("refused_in_row", sa.Integer(), nullable=False, server_default="0")
    op.add_column("second_factors", count)
