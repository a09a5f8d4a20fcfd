"""When the people behind logins last proved who they are, and ways to prove it elsewhere."""

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; whoever is logged in now is asked at the first delicate thing."""
    op.add_column("sessions", sa.Column("proved_at", UTCDateTime(), nullable=True))
    op.add_column("oidc_flows", sa.Column("proves", sa.String(36), nullable=True))
