"""what was counted of each day, and marks of what changed since"""

from dataclasses import dataclass

import sqlalchemy as sa
from alembic import op

from callcenter.db import base

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PROMISE = "kind = 'promise' AND basis = 'call_back'"


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """A trigger that notes the moments of what figures count anew. `{differs}` in `when`: unequal, also to NULL."""

    name: str
    after: str
    when: str
    body: tuple[str, ...]

    def create(self) -> None:
        on_postgresql = op.get_bind().dialect.name == "postgresql"
        body = "; ".join(f"INSERT INTO count_changes (moment) {one}" for one in self.body)
        when = self.when.format(differs="IS DISTINCT FROM" if on_postgresql else "IS NOT")
        head = f"CREATE TRIGGER {self.name} AFTER {self.after} FOR EACH ROW WHEN ({when})"
        if on_postgresql:
            op.execute(
                f"CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN {body}; RETURN NULL; END $$"
            )
            op.execute(f"{head} EXECUTE FUNCTION {self.name}()")
        else:
            op.execute(f"{head} BEGIN {body}; END")

    def drop(self) -> None:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP FUNCTION {self.name}() CASCADE")
        else:
            op.execute(f"DROP TRIGGER {self.name}")


def _of_tickets(tickets: str) -> tuple[str, ...]:
    """The moments of all the calls and promises of these tickets (a query, or columns of the row that changes)."""
    calls = "SELECT calls.started_at FROM ticket_calls JOIN calls ON calls.id = ticket_calls.call_id"
    promises = "SELECT due_at FROM ticket_deadlines"
    return (
        f"{calls} WHERE ticket_calls.ticket_id IN ({tickets})",
        f"{promises} WHERE {_PROMISE} AND ticket_id IN ({tickets})",
    )


_TICKETS_OF_CALL = (
    "SELECT ticket_id FROM ticket_calls WHERE call_id = NEW.id"
    " UNION SELECT id FROM tickets WHERE first_call_id = NEW.id AND part_of IS NULL"
    " UNION SELECT part.id FROM tickets part JOIN tickets whole ON part.part_of = whole.id"
    " WHERE whole.first_call_id = NEW.id AND whole.part_of IS NULL"
)

_MARKS = (
    _Mark(
        name="mark_call_added",
        after="INSERT ON calls",
        when="NEW.direction = 'inbound'",
        body=("VALUES (NEW.started_at)",),
    ),
    _Mark(
        name="mark_call_changed",
        after="UPDATE OF event_count, rule, direction, started_at, to_number, answered_by ON calls",
        when="NEW.direction = 'inbound' OR OLD.direction = 'inbound'",
        body=("VALUES (NEW.started_at)",),
    ),
    _Mark(
        name="mark_call_moved",
        after="UPDATE OF event_count, rule, direction, started_at, to_number, answered_by ON calls",
        when="OLD.started_at {differs} NEW.started_at OR OLD.direction {differs} NEW.direction"
        " OR OLD.to_number {differs} NEW.to_number OR OLD.answered_by {differs} NEW.answered_by",
        body=("VALUES (OLD.started_at)", *_of_tickets(_TICKETS_OF_CALL)),
    ),
    _Mark(
        name="mark_call_removed",
        after="DELETE ON calls",
        when="OLD.direction = 'inbound'",
        body=("VALUES (OLD.started_at)",),
    ),
    _Mark(
        name="mark_link_added",
        after="INSERT ON ticket_calls",
        when="NEW.relation <> 'call_back'",
        body=_of_tickets("NEW.ticket_id"),
    ),
    _Mark(
        name="mark_link_changed",
        after="UPDATE OF ticket_id, call_id, relation ON ticket_calls",
        when="1 = 1",
        body=_of_tickets("OLD.ticket_id, NEW.ticket_id"),
    ),
    _Mark(
        name="mark_link_removed",
        after="DELETE ON ticket_calls",
        when="1 = 1",
        body=("SELECT started_at FROM calls WHERE id = OLD.call_id", *_of_tickets("OLD.ticket_id")),
    ),
    _Mark(
        name="mark_ticket_changed",
        after="UPDATE OF estate, no_action_reason, merged_into, first_call_id ON tickets",
        when="OLD.estate {differs} NEW.estate OR OLD.no_action_reason {differs} NEW.no_action_reason"
        " OR OLD.merged_into {differs} NEW.merged_into OR OLD.first_call_id {differs} NEW.first_call_id",
        body=_of_tickets("NEW.id"),
    ),
    _Mark(
        name="mark_promise_added",
        after="INSERT ON ticket_deadlines",
        when=f"NEW.{_PROMISE.replace('AND ', 'AND NEW.')}",
        body=("VALUES (NEW.due_at)",),
    ),
    _Mark(
        name="mark_promise_changed",
        after="UPDATE OF ticket_id, kind, basis, due_at, met_at, cancelled_at ON ticket_deadlines",
        when="NEW.basis = 'call_back' OR OLD.basis = 'call_back'",
        body=("VALUES (OLD.due_at)", "VALUES (NEW.due_at)"),
    ),
    _Mark(
        name="mark_promise_removed",
        after="DELETE ON ticket_deadlines",
        when=f"OLD.{_PROMISE.replace('AND ', 'AND OLD.')}",
        body=("VALUES (OLD.due_at)",),
    ),
)


def upgrade() -> None:
    moment = base.UtcDateTime(timezone=True)
    op.create_table(
        "day_sums",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counting", sa.String(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("counted_at", moment, nullable=False),
        sa.Column("tallies", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_sums")),
    )
    op.create_table(
        "count_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("moment", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_changes")),
    )
    op.create_index("ix_count_changes_moment", "count_changes", ["moment"])
    for trigger in _MARKS:
        trigger.create()


def downgrade() -> None:
    for trigger in _MARKS:
        trigger.drop()
    op.drop_table("count_changes")
    op.drop_table("day_sums")
