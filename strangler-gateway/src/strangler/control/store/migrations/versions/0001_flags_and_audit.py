"""The first tables: the one row of state, flags, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the row of state."""
    state = op.create_table(
        "state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False, comment="always 1: there is one row"),
        sa.Column(
            "revision", sa.Integer, nullable=False, comment="of the newest snapshot; grows by one with every change"
        ),
        sa.Column(
            "topology", sa.String(64), nullable=False, comment="fingerprint of the topology that was adopted last"
        ),
        sa.Column("kill_sequence", sa.Integer, nullable=False, comment="the last kill event that is in the audit"),
    )
    op.bulk_insert(state, [{"id": 1, "revision": 0, "topology": "", "kill_sequence": 0}])
    op.create_table(
        "flags",
        sa.Column("route", sa.String(100), primary_key=True),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("weight", sa.Integer, nullable=False, comment="hundredths of a percent"),
        sa.Column("cohorts", sa.JSON, nullable=False),
        sa.Column("present", sa.Boolean, nullable=False, comment="whether the adopted topology has the route"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.String(40), nullable=False, comment="RFC 3339, UTC"),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("action", sa.String(20), nullable=False, comment="flip, kill, lift or config"),
        sa.Column("route", sa.String(100), nullable=True),
        sa.Column("before", sa.JSON, nullable=True),
        sa.Column("after", sa.JSON, nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, comment="of the snapshot that has the change"),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_route", "audit", ["route", "id"])


def downgrade() -> None:
    """Drop everything."""
    for table in ("audit", "flags", "state"):
        op.drop_table(table)
