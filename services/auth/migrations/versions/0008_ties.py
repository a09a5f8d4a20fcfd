"""What grants rest on, and API tokens that carry the grants of their owners."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Grants of before rest on nothing, and tokens of before carry none."""
    op.create_table(
        "grant_ties",
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=False),
        sa.Column("giver_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"]),
        sa.ForeignKeyConstraint(["parent_id"], ["grants.id"]),
        sa.PrimaryKeyConstraint("grant_id", "parent_id"),
    )
    op.create_index("ix_grant_ties_parent_id", "grant_ties", ["parent_id"])
    op.add_column("grants", sa.Column("ended_with", sa.Integer(), nullable=True))
    op.add_column(
        "api_tokens",
        sa.Column("carries_grants", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Take that back."""
    op.drop_column("api_tokens", "carries_grants")
    op.drop_column("grants", "ended_with")
    op.drop_table("grant_ties")
