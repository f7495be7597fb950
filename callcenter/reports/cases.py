"""The case library as it is searched: by words, best first, alike on both databases; and suggested for a matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from sqlalchemy import Float, Select, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.cases import CaseRow, CaseTermRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.domain.case_words import asked_terms

PAGE_SIZE = 30
LEAST_COVERED = 0.5
"""Of the words asked for that any case has: a case with fewer is no answer to a search."""
CATEGORY_COUNTS = 1.5
"""A case of the ticket's own category is worth so many times as much as a suggestion."""
FEWEST_SUGGESTING = 2
"""Words that a suggestion has in common with the matter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFound:
    """A case and how well it answers; the score compares cases of one question only."""

    row: CaseRow
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseLibrary:
    """What a search found, and the cases that still want to be told how they were solved."""

    found: tuple[CaseFound, ...]
    unfinished: tuple[CaseRow, ...]
    categories: tuple[str, ...]


async def search_cases(database: Database, *, q: str = "", category: str = "", limit: int = PAGE_SIZE) -> CaseLibrary:
    """Without a question the newest; withdrawn and unfinished ones are not found."""
    async with database.read() as session:
        terms = asked_terms(q)
        wanted = CaseRow.category == category if category else literal(True)
        if terms:
            found = await _matching(session, terms, limit=limit, least=LEAST_COVERED, category=category or None)
        else:
            newest = _shown().where(wanted).order_by(CaseRow.updated_at.desc(), CaseRow.id.desc()).limit(limit)
            found = [CaseFound(row=row, score=0.0) for row in await session.scalars(newest)]
        unfinished = select(CaseRow).where(CaseRow.withdrawn_at.is_(None), CaseRow.solution == "")
        categories = select(CaseRow.category).distinct().where(CaseRow.category.is_not(None)).order_by(CaseRow.category)
        return CaseLibrary(
            found=tuple(found),
            unfinished=tuple((await session.scalars(unfinished.order_by(CaseRow.id).limit(limit))).all()),
            categories=tuple(one for one in await session.scalars(categories) if one),
        )


async def suggest_cases(
    database: Database, *, text: str, category: str | None, limit: int = 3, without_ticket: int | None = None
) -> tuple[CaseFound, ...]:
    """Cases like what is told in `text`, best first: for a ticket, or for what is heard on a call so far."""
    terms = asked_terms(text)
    if not terms:
        return ()
    async with database.read() as session:
        found = await _matching(session, terms, limit=limit * 4, fewest=FEWEST_SUGGESTING)
    own = [
        CaseFound(row=one.row, score=one.score * (CATEGORY_COUNTS if category and one.row.category == category else 1))
        for one in found
        if one.row.ticket_id != without_ticket or without_ticket is None
    ]
    return tuple(sorted(own, key=lambda one: (-one.score, -one.row.id))[:limit])


async def case_of_ticket(database: Database, ticket_id: int) -> CaseRow | None:
    async with database.read() as session:
        found: CaseRow | None = await session.scalar(select(CaseRow).where(CaseRow.ticket_id == ticket_id))
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class CasePage:
    row: CaseRow
    ticket_number: str | None


async def read_case(database: Database, case_id: int) -> CasePage | None:
    async with database.read() as session:
        row = await session.get(CaseRow, case_id)
        if row is None:
            return None
        number = await session.scalar(select(TicketRow.number).where(TicketRow.id == row.ticket_id))
        return CasePage(row=row, ticket_number=number)


def _shown() -> Select[CaseRow]:
    return select(CaseRow).where(CaseRow.withdrawn_at.is_(None), CaseRow.solution != "")


async def _matching(
    session: AsyncSession,
    terms: Sequence[str],
    *,
    limit: int,
    least: float = 0.0,
    fewest: int = 1,
    category: str | None = None,
) -> list[CaseFound]:
    """By the words in common, a rare one counting more: weight in the case x log(1 + cases / cases that have it)."""
    wanted = await _expanded(session, terms)
    if not wanted:
        return []
    held = select(CaseTermRow.term, func.count()).where(CaseTermRow.term.in_(wanted)).group_by(CaseTermRow.term)
    having: dict[str, int] = {row[0]: row[1] for row in await session.execute(held)}
    if not having:
        return []
    cases = await session.scalar(select(func.count()).select_from(CaseRow)) or 0
    rarity = case({term: log(1 + cases / count) for term, count in having.items()}, value=CaseTermRow.term, else_=0.0)
    score = func.sum(CaseTermRow.weight * rarity, type_=Float).label("score")
    enough = max(fewest, least * len(having))
    scored = (
        select(CaseTermRow.case_id, score)
        .join(CaseRow, CaseRow.id == CaseTermRow.case_id)
        .where(CaseTermRow.term.in_(having), CaseRow.withdrawn_at.is_(None), CaseRow.solution != "")
        .group_by(CaseTermRow.case_id)
        .having(func.count() >= enough)
        .order_by(score.desc(), CaseTermRow.case_id.desc())
        .limit(limit)
    )
    if category is not None:
        scored = scored.where(CaseRow.category == category)
    best = [(case_id, float(points)) for case_id, points in (await session.execute(scored)).all()]
    rows = await session.scalars(select(CaseRow).where(CaseRow.id.in_([case_id for case_id, _ in best])))
    by_id = {row.id: row for row in rows}
    return [CaseFound(row=by_id[case_id], score=points) for case_id, points in best]


async def _expanded(session: AsyncSession, terms: Sequence[str]) -> list[str]:
    """A question of one letter alone is looked for inside the words."""
    if len(terms) > 1 or len(terms[0]) > 1:
        return list(terms)
    letter = terms[0].replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    like = or_(CaseTermRow.term.like(f"{letter}%", escape="\\"), CaseTermRow.term.like(f"%{letter}", escape="\\"))
    return list(await session.scalars(select(CaseTermRow.term).distinct().where(like).limit(200)))
