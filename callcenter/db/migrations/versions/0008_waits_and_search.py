"""how long a call waited, also where nobody answered it; what waits for the index of words is found at once"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = ("wait_low_ms", "wait_high_ms")


def upgrade() -> None:
    """Of calls that nobody answered it is known once they are folded anew from their events."""
    for name in _COLUMNS:
        op.add_column("calls", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("ix_search_waiting_ticket_id", "search_waiting", ["ticket_id"])
    op.execute("UPDATE calls SET wait_low_ms = answer_speed_low_ms, wait_high_ms = answer_speed_high_ms")


def downgrade() -> None:
    op.drop_index("ix_search_waiting_ticket_id", "search_waiting")
    with op.batch_alter_table("calls") as calls:
        for name in _COLUMNS:
            calls.drop_column(name)
