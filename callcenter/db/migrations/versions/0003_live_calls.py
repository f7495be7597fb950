"""calls heard while they go on"""

import sqlalchemy as sa
from alembic import op

from callcenter.db import base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UNSETTLED = "settled_at IS NULL"


def upgrade() -> None:
    moment = base.UtcDateTime(timezone=True)
    op.add_column("ticket_calls", sa.Column("heard_live", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "live_calls",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("stream_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("emergency_at", moment, nullable=True),
        sa.Column("settled_at", moment, nullable=True),
        sa.Column("lost_frames", sa.Integer(), nullable=False),
        sa.Column("late_frames", sa.Integer(), nullable=False),
        sa.Column("bad_messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_live_calls")),
    )
    op.create_index(
        "ix_live_calls_open",
        "live_calls",
        ["state"],
        sqlite_where=sa.text(_UNSETTLED),
        postgresql_where=sa.text(_UNSETTLED),
    )
    op.create_table(
        "live_segments",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("words", base.PlainJson(), nullable=False),
        sa.Column("alternatives", base.PlainJson(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["live_calls.call_id"], name=op.f("fk_live_segments_call_id_live_calls"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_live_segments")),
    )
    op.create_table(
        "agent_states",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_agent_states")),
    )
    op.create_table(
        "agent_state_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_state_changes")),
    )
    op.create_index("ix_agent_state_changes_agent", "agent_state_changes", ["agent", "at"])
    op.create_table(
        "wall_screens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("revoked_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wall_screens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_wall_screens_token_hash")),
    )


def downgrade() -> None:
    op.drop_table("wall_screens")
    op.drop_table("agent_state_changes")
    op.drop_table("agent_states")
    op.drop_table("live_segments")
    op.drop_table("live_calls")
    op.drop_column("ticket_calls", "heard_live")
