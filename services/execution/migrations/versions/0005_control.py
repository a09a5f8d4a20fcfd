"""Hosts still to be stopped after a forced end, and a way to the values that tasks left."""

import sqlalchemy as sa
from alembic import op

from libs.kit.db import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STOPPING = sa.text("stop_until IS NOT NULL")
_WITH_OUTPUTS = sa.text("outputs IS NOT NULL")


def upgrade() -> None:
    """Add them; both indexes are partial and cost nothing where there is nothing."""
    op.add_column("tasks", sa.Column("stop_until", UTCDateTime(), nullable=True))
    op.create_index(
        "ix_tasks_stop_until",
        "tasks",
        ["stop_until"],
        unique=False,
        sqlite_where=_STOPPING,
        postgresql_where=_STOPPING,
    )
    op.create_index(
        "ix_tasks_with_outputs",
        "tasks",
        ["execution_id"],
        unique=False,
        sqlite_where=_WITH_OUTPUTS,
        postgresql_where=_WITH_OUTPUTS,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_tasks_with_outputs", table_name="tasks")
    op.drop_index("ix_tasks_stop_until", table_name="tasks")
    op.drop_column("tasks", "stop_until")
