"""silence and cross-talk of recordings; those that wait are found by kind and age"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MEASURES = ("silence_ms", "longest_silence_ms", "cross_talk_ms")


def upgrade() -> None:
    for name in _MEASURES:
        op.add_column("recordings", sa.Column(name, sa.Integer(), nullable=True))
    op.create_index("ix_recordings_waiting", "recordings", ["state", "content", "ready_at"])
    op.drop_index("ix_recordings_state", table_name="recordings")


def downgrade() -> None:
    op.create_index("ix_recordings_state", "recordings", ["state"])
    op.drop_index("ix_recordings_waiting", table_name="recordings")
    with op.batch_alter_table("recordings") as table:
        for name in _MEASURES:
            table.drop_column(name)
