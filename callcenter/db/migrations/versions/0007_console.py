"""full-text index of tickets, attachments, settings of the console, indexes for long lists"""

import sqlalchemy as sa
from alembic import op

from callcenter.db import base

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SEARCHED = "number, summary, contact, phone, caller_number, estate, phase, lane, building, unit, room"
_OF_CALL = "SELECT ticket_id FROM ticket_calls WHERE call_id = {row}.call_id"
_TRIGGERS = {
    "search_ticket_added": ("INSERT ON tickets", ("SELECT NEW.id AS ticket_id",)),
    "search_ticket_changed": (f"UPDATE OF {_SEARCHED} ON tickets", ("SELECT NEW.id AS ticket_id",)),
    "search_field_added": ("INSERT ON ticket_fields", ("SELECT NEW.ticket_id",)),
    "search_field_changed": ("UPDATE OF value ON ticket_fields", ("SELECT NEW.ticket_id",)),
    "search_field_removed": ("DELETE ON ticket_fields", ("SELECT OLD.ticket_id",)),
    "search_link_added": ("INSERT ON ticket_calls", ("SELECT NEW.ticket_id",)),
    "search_link_changed": (
        "UPDATE OF ticket_id, call_id ON ticket_calls",
        ("SELECT OLD.ticket_id", "SELECT NEW.ticket_id"),
    ),
    "search_link_removed": ("DELETE ON ticket_calls", ("SELECT OLD.ticket_id",)),
    "search_words_added": ("INSERT ON segments", (_OF_CALL.format(row="NEW"),)),
    "search_words_changed": ("UPDATE OF text, corrected_text ON segments", (_OF_CALL.format(row="NEW"),)),
    "search_words_removed": ("DELETE ON segments", (_OF_CALL.format(row="OLD"),)),
}
"""Whatever a ticket is found by: who changes it need not know of the index."""


_INDEXES = {
    "ix_tickets_counted": ("tickets", ["status", "request_type", "category", "building"]),
    "ix_tickets_home": ("tickets", ["building", "room"]),
    "ix_tickets_updated_at": ("tickets", ["updated_at"]),
    "ix_recordings_transcribed_at": ("recordings", ["transcribed_at"]),
}
_ONCE = "WHERE ticket_id NOT IN (SELECT ticket_id FROM search_waiting)"


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _mark(query: str) -> str:
    """On SQLite a ticket waits once; on PostgreSQL a mark that another transaction may be removing does not count."""
    if _on_postgresql():
        return f"INSERT INTO search_waiting (ticket_id) {query}"
    return " ".join(("INSERT INTO search_waiting (ticket_id) SELECT ticket_id FROM (", _named(query), ")", _ONCE))


def _named(query: str) -> str:
    return query if " AS " in query or " FROM " in query else f"{query} AS ticket_id"


def _create_triggers() -> None:
    for name, (after, queries) in _TRIGGERS.items():
        body = "; ".join(map(_mark, queries))
        row = "OLD" if after.startswith("DELETE") else "NEW"
        when = f" WHEN ({row}.field = 'place')" if name.startswith("search_field") else ""
        head = f"CREATE TRIGGER {name} AFTER {after} FOR EACH ROW{when}"
        if _on_postgresql():
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NULL; END $$"
            )
            op.execute(f"{head} EXECUTE FUNCTION {name}()")
        else:
            op.execute(f"{head} BEGIN {body}; END")


def _create_index() -> None:
    if _on_postgresql():
        op.execute("CREATE INDEX search_index_grams ON search_texts USING gin (string_to_array(grams, ' '))")
        return
    op.execute(
        "CREATE VIRTUAL TABLE search_index USING fts5(grams, content='search_texts', content_rowid='ticket_id',"
        " tokenize='unicode61 remove_diacritics 0')"
    )
    added = "INSERT INTO search_index (rowid, grams) VALUES (NEW.ticket_id, NEW.grams)"
    gone = "INSERT INTO search_index (search_index, rowid, grams) VALUES ('delete', OLD.ticket_id, OLD.grams)"
    op.execute(f"CREATE TRIGGER search_text_added AFTER INSERT ON search_texts BEGIN {added}; END")
    op.execute(f"CREATE TRIGGER search_text_removed AFTER DELETE ON search_texts BEGIN {gone}; END")
    op.execute(f"CREATE TRIGGER search_text_changed AFTER UPDATE ON search_texts BEGIN {gone}; {added}; END")


def upgrade() -> None:
    moment = base.UtcDateTime(timezone=True)
    op.create_table(
        "search_texts",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("grams", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_search_texts_ticket_id_tickets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_search_texts")),
    )
    op.create_table(
        "search_waiting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_waiting")),
    )
    op.create_table(
        "ticket_attachments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_attachments_ticket_id_tickets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_attachments")),
    )
    op.create_index("ix_ticket_attachments_ticket_id", "ticket_attachments", ["ticket_id"])
    op.create_table(
        "setting_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", base.PlainJson(), nullable=True),
        sa.Column("is_secret", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting_changes")),
    )
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)
    _create_index()
    _create_triggers()
    op.execute("INSERT INTO search_waiting (ticket_id) SELECT id FROM tickets ORDER BY id DESC")


def downgrade() -> None:
    for name in _TRIGGERS:
        op.execute(f"DROP FUNCTION {name}() CASCADE" if _on_postgresql() else f"DROP TRIGGER {name}")
    if not _on_postgresql():
        op.execute("DROP TABLE search_index")
    for name, (table, _columns) in _INDEXES.items():
        op.drop_index(name, table)
    for table in ("setting_changes", "ticket_attachments", "search_waiting", "search_texts"):
        op.drop_table(table)
