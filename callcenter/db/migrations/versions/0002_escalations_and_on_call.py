"""escalations, notices, on-call alarms; deadlines that can stand still"""

import sqlalchemy as sa
from alembic import op

from callcenter.db import base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = "met_at IS NULL AND cancelled_at IS NULL"
_RUNNING = f"{_OPEN} AND paused_at IS NULL"
_OPEN_ESCALATION = "acknowledged_at IS NULL AND ended_at IS NULL"
_UNSENT = "state IN ('waiting', 'sending')"
_OPEN_ALARM = "ended_at IS NULL"


def _partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    moment = base.UtcDateTime(timezone=True)
    op.add_column("calls", sa.Column("purpose", sa.String(), nullable=True))
    op.add_column("ticket_deadlines", sa.Column("counts_from", moment, nullable=True))
    op.add_column("ticket_deadlines", sa.Column("counted", sa.String(), nullable=False, server_default="clock"))
    op.add_column("ticket_deadlines", sa.Column("paused_at", moment, nullable=True))
    op.add_column("ticket_deadlines", sa.Column("pauses", base.PlainJson(), nullable=False, server_default="[]"))
    op.add_column("ticket_deadlines", sa.Column("escalate_at", moment, nullable=True))
    _partial("ix_ticket_deadlines_escalate_at", "ticket_deadlines", "escalate_at", _RUNNING)
    _partial("ix_ticket_deadlines_running_kind", "ticket_deadlines", "kind", _OPEN)
    op.create_table(
        "escalations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("deadline_id", sa.Integer(), nullable=True),
        sa.Column("due_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("tellings", sa.Integer(), nullable=False),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_escalations_ticket_id_tickets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["deadline_id"],
            ["ticket_deadlines.id"],
            name=op.f("fk_escalations_deadline_id_ticket_deadlines"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("topic", "level", name=op.f("uq_escalations_topic_level")),
    )
    _partial("ix_escalations_due", "escalations", "next_at", _OPEN_ESCALATION)
    op.create_index("ix_escalations_ticket_id", "escalations", ["ticket_id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("escalation_id", sa.Integer(), nullable=False),
        sa.Column("telling", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("channel", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_at", moment, nullable=True),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_notices_escalation_id_escalations"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "escalation_id",
            "telling",
            "person",
            "channel",
            name=op.f("uq_notices_escalation_id_telling_person_channel"),
        ),
    )
    _partial("ix_notices_unsent", "notices", "next_at", _UNSENT)
    op.create_table(
        "on_call_alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("deadline_id", sa.Integer(), nullable=False),
        sa.Column("unsure", sa.Boolean(), nullable=False),
        sa.Column("raised_at", moment, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("acknowledged_by", sa.String(), nullable=True),
        sa.Column("acknowledged_at", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_on_call_alarms_ticket_id_tickets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["deadline_id"],
            ["ticket_deadlines.id"],
            name=op.f("fk_on_call_alarms_deadline_id_ticket_deadlines"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_alarms")),
        sa.UniqueConstraint("deadline_id", name=op.f("uq_on_call_alarms_deadline_id")),
    )
    _partial("ix_on_call_alarms_open", "on_call_alarms", "next_at", _OPEN_ALARM)
    op.create_index("ix_on_call_alarms_ticket_id", "on_call_alarms", ["ticket_id"])
    op.create_table(
        "on_call_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("to_number", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("speech", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("keys", sa.String(), nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["alarm_id"],
            ["on_call_alarms.id"],
            name=op.f("fk_on_call_attempts_alarm_id_on_call_alarms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_attempts")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_on_call_attempts_idempotency_key")),
        sa.UniqueConstraint("alarm_id", "number", name=op.f("uq_on_call_attempts_alarm_id_number")),
    )
    op.create_index("ix_on_call_attempts_call_id", "on_call_attempts", ["call_id"])


def downgrade() -> None:
    for table in ("on_call_attempts", "on_call_alarms", "notices", "escalations"):
        op.drop_table(table)
    op.drop_index("ix_ticket_deadlines_running_kind", "ticket_deadlines")
    op.drop_index("ix_ticket_deadlines_escalate_at", "ticket_deadlines")
    with op.batch_alter_table("ticket_deadlines", schema=None) as batch_op:
        for column in ("escalate_at", "pauses", "paused_at", "counted", "counts_from"):
            batch_op.drop_column(column)
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.drop_column("purpose")
