"""What a login brought from an identity provider, for the way out."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; logins of before leave without a hint."""
    op.create_table(
        "oidc_farewells",
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("sealed_token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("oidc_farewells")
