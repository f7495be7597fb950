"""sums of months; indexes that frequencies and service language are counted from, without going to the rows"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_FREQUENCY = ["created_at", "request_type", "category", "estate", "phase", "lane", "building", "merged_into"]
_ANSWERED = sa.text("satisfaction_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "month_sums",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("counting", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("editions", sa.Integer(), nullable=False),
        sa.Column("tallies", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_month_sums")),
    )
    op.create_index("ix_tickets_frequency", "tickets", _FREQUENCY)
    op.drop_index("ix_tickets_created_at", "tickets")
    op.create_index(
        "ix_tickets_satisfaction",
        "tickets",
        ["satisfaction_at", "satisfaction", "call_count"],
        sqlite_where=_ANSWERED,
        postgresql_where=_ANSWERED,
    )
    op.create_index(
        "ix_language_findings_overturned",
        "language_findings",
        ["call_id"],
        sqlite_where=sa.text("upheld IS 0 AND gone_at IS NULL"),
        postgresql_where=sa.text("upheld IS false AND gone_at IS NULL"),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_language_checks_counted", "language_checks", ["heard_at", "agent", "judged"])
        op.drop_index("ix_language_checks_heard_at", "language_checks")


def downgrade() -> None:
    op.drop_table("month_sums")
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_language_checks_heard_at", "language_checks", ["heard_at"])
        op.drop_index("ix_language_checks_counted", "language_checks")
    op.drop_index("ix_language_findings_overturned", "language_findings")
    op.drop_index("ix_tickets_satisfaction", "tickets")
    op.create_index("ix_tickets_created_at", "tickets", ["created_at"])
    op.drop_index("ix_tickets_frequency", "tickets")
