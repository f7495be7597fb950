"""Which tickets hold the words that are searched: their own, and what was said in their calls."""

from collections.abc import Sequence

from sqlalchemy import ARRAY, ColumnElement, Text, and_, cast, column, false, func, literal_column, select, table, true
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.search import NOT_IN_METADATA, SearchTextRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.search_words import passage


def holds(session: AsyncSession, terms: Sequence[str]) -> ColumnElement[bool]:
    """The condition that a ticket holds every term; a term without a letter or a figure finds nothing."""
    if not terms:
        return true()
    passages = [passage(term) for term in terms]
    if not all(passages):
        return false()
    if session.get_bind().dialect.name == "postgresql":
        return TicketRow.id.in_(select(SearchTextRow.ticket_id).where(*map(_in_array, passages)))
    index = table(NOT_IN_METADATA, column("rowid"), column(NOT_IN_METADATA))
    wanted = " AND ".join(map(_in_fts, passages))
    return TicketRow.id.in_(select(index.c.rowid).where(index.c[NOT_IN_METADATA].op("MATCH")(wanted)))


def _in_fts(words: tuple[str, ...]) -> str:
    """A single character begins a word of the index: every character does, the last of a text too."""
    return f'"{words[0]}"*' if len(words[0]) == 1 else f'"{" ".join(words)}"'


def _in_array(words: tuple[str, ...]) -> ColumnElement[bool]:
    """The index finds texts that have all the words; that they follow each other is looked at in those."""
    followed = SearchTextRow.grams.contains(" ".join(words), autoescape=True)
    if len(words[0]) == 1:
        return followed
    kept = func.string_to_array(SearchTextRow.grams, literal_column("' '"))  # as the index has it
    return and_(kept.op("@>")(cast(array(words), ARRAY(Text))), followed)
