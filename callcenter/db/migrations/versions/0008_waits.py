"""how long a call waited, also where nobody answered it; indexes for long lists"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = ("wait_low_ms", "wait_high_ms")


_WHERE = {
    "ix_tickets_review": ("status", "needs_review = 1 OR must_listen = 1", "needs_review OR must_listen"),
    "ix_tickets_merged_into": ("merged_into", "merged_into IS NOT NULL", "merged_into IS NOT NULL"),
}
"""Indexes of the few rows that are asked for: their column, which rows on SQLite, which on PostgreSQL."""


def upgrade() -> None:
    """Of calls that nobody answered it is known once they are folded anew from their events."""
    for name in _COLUMNS:
        op.add_column("calls", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("ix_search_waiting_ticket_id", "search_waiting", ["ticket_id"])
    for name, (column, sqlite, postgresql) in _WHERE.items():
        op.create_index(name, "tickets", [column], sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql))
    op.execute("UPDATE calls SET wait_low_ms = answer_speed_low_ms, wait_high_ms = answer_speed_high_ms")


def downgrade() -> None:
    for name in _WHERE:
        op.drop_index(name, "tickets")
    op.drop_index("ix_search_waiting_ticket_id", "search_waiting")
    with op.batch_alter_table("calls") as calls:
        for name in _COLUMNS:
            calls.drop_column(name)
