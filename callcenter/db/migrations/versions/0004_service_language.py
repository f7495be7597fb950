"""service language; case library"""

import sqlalchemy as sa
from alembic import op

from callcenter.db import base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITS = "contested_at IS NOT NULL AND decided_at IS NULL"


def upgrade() -> None:
    moment = base.UtcDateTime(timezone=True)
    _service_language(moment)
    _case_library(moment)


def _service_language(moment: base.UtcDateTime) -> None:
    op.create_table(
        "language_checks",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("heard_at", moment, nullable=False),
        sa.Column("checked_at", moment, nullable=False),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("judged", base.PlainJson(), nullable=False),
        sa.Column("resident_ms", sa.Integer(), nullable=False),
        sa.Column("agent_ms", sa.Integer(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column("silences", sa.Integer(), nullable=False),
        sa.Column("longest_silence_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=op.f("fk_language_checks_call_id_calls"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_language_checks")),
    )
    op.create_index("ix_language_checks_heard_at", "language_checks", ["heard_at"])
    op.create_table(
        "language_findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("rules_version", sa.String(), nullable=False),
        sa.Column("found_at", moment, nullable=False),
        sa.Column("gone_at", moment, nullable=True),
        sa.Column("contested_by", sa.String(), nullable=True),
        sa.Column("contested_at", moment, nullable=True),
        sa.Column("contest", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["call_id"], ["calls.id"], name=op.f("fk_language_findings_call_id_calls"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_language_findings")),
    )
    op.create_index("ix_language_findings_call_id", "language_findings", ["call_id"])
    op.create_index(
        "ix_language_findings_waiting",
        "language_findings",
        ["contested_at"],
        sqlite_where=sa.text(_WAITS),
        postgresql_where=sa.text(_WAITS),
    )


def _case_library(moment: base.UtcDateTime) -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("solution", sa.String(), nullable=False),
        sa.Column("request_type", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_by", sa.String(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_cases_ticket_id_tickets"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_cases_ticket_id")),
    )
    op.create_index("ix_cases_category", "cases", ["category"])
    op.create_table(
        "case_terms",
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_terms_case_id_cases"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term", "case_id", name=op.f("pk_case_terms")),
    )
    op.create_index("ix_case_terms_case_id", "case_terms", ["case_id"])


def downgrade() -> None:
    op.drop_table("case_terms")
    op.drop_table("cases")
    op.drop_table("language_findings")
    op.drop_table("language_checks")
