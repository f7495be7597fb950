"""The case library (案例库): a solved ticket becomes a case by one click, people mend it, and it is found again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.cases import CaseRow, CaseTermRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketHistoryRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.case_cleaning import cleaned
from callcenter.domain.case_words import weights_of
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus
from callcenter.domain.understanding.rules import Rules
from callcenter.services.transactions import take_turns

LONGEST = {"title": 100, "problem": 2000, "solution": 4000}
SOLVED = frozenset({TicketStatus.SOLVED, *FINISHED})
_TOLD_HOW = (HistoryAction.NOTE, HistoryAction.STATUS_CHANGED, HistoryAction.RESIDENT_CALLED)


class CaseRefused(Exception):
    """It cannot be done with this case; the message says why."""


class NoSuchCase(CaseRefused):
    """There is no such case, or no such ticket."""


class NotSolved(CaseRefused):
    """Only a solved ticket tells how it was solved."""


class StaleCase(CaseRefused):
    """The case has changed since it was looked at."""


class UnusableCase(CaseRefused):
    """A part is missing or too long; the message names it."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseText:
    """What a case says."""

    title: str
    problem: str
    solution: str


async def make_case(
    database: Database, number: str, *, actor: str, now: datetime, rules: Rules, names: Iterable[str]
) -> int:
    """The id of the ticket's case; made of summary and notes, cleaned, unless it is there. Raises CaseRefused."""
    async with database.write() as session:
        await take_turns(session, "make case")
        ticket = await session.scalar(select(TicketRow).where(TicketRow.number == number))
        if ticket is None:
            raise NoSuchCase(number)
        known = await session.scalar(select(CaseRow.id).where(CaseRow.ticket_id == ticket.id))
        if known is not None:
            return known
        if ticket.status not in SOLVED:
            raise NotSolved(number)
        whom = [*names, ticket.contact or ""]
        summary = cleaned(ticket.summary or "", rules=rules, names=whom, room=ticket.room)
        told = cleaned("\n".join(await _notes(session, ticket.id)), rules=rules, names=whom, room=ticket.room)
        row = CaseRow(
            ticket_id=ticket.id,
            title=summary[: LONGEST["title"]],
            problem=summary[: LONGEST["problem"]],
            solution=told[: LONGEST["solution"]],
            request_type=ticket.request_type,
            category=ticket.category,
            created_by=actor,
            created_at=now,
            updated_by=actor,
            updated_at=now,
            version=1,
        )
        session.add(row)
        await session.flush()
        await _index(session, row)
        _audit(session, row.id, "case_made", actor=actor, now=now, data={"ticket": number})
        return row.id


async def _notes(session: AsyncSession, ticket_id: int) -> list[str]:
    """What people wrote on the ticket, the first first, each once."""
    query = select(TicketHistoryRow).where(
        TicketHistoryRow.ticket_id == ticket_id,
        TicketHistoryRow.action.in_(_TOLD_HOW),
        TicketHistoryRow.actor != "system",
    )
    rows = await session.scalars(query.order_by(TicketHistoryRow.at, TicketHistoryRow.id))
    told = (str(row.data.get("text") or row.data.get("reason") or "").strip() for row in rows)
    return list(dict.fromkeys(text for text in told if text))


async def edit_case(
    database: Database, case_id: int, text: CaseText, *, version: int, actor: str, now: datetime
) -> None:
    """Raises CaseRefused. A person has read it, so it is not cleaned again."""
    told = {name: getattr(text, name).strip() for name in LONGEST}
    for name, longest in LONGEST.items():
        if not told[name] or len(told[name]) > longest:
            raise UnusableCase(name)
    async with database.write() as session:
        row = await _seen(session, case_id, version)
        row.title, row.problem, row.solution = told["title"], told["problem"], told["solution"]
        _changed(row, actor, now)
        await _index(session, row)
        _audit(session, case_id, "case_edited", actor=actor, now=now, data={})


async def withdraw_case(
    database: Database, case_id: int, *, version: int, withdrawn: bool, actor: str, now: datetime
) -> None:
    """A withdrawn case is neither found nor suggested, and can be brought back. Raises CaseRefused."""
    async with database.write() as session:
        row = await _seen(session, case_id, version)
        row.withdrawn_at = now if withdrawn else None
        _changed(row, actor, now)
        _audit(session, case_id, "case_withdrawn" if withdrawn else "case_restored", actor=actor, now=now, data={})


async def _seen(session: AsyncSession, case_id: int, version: int) -> CaseRow:
    row = await session.get(CaseRow, case_id, with_for_update=True)
    if row is None:
        raise NoSuchCase(str(case_id))
    if row.version != version:
        raise StaleCase(str(case_id))
    return row


def _changed(row: CaseRow, actor: str, now: datetime) -> None:
    row.updated_by, row.updated_at = actor, now
    row.version += 1


async def _index(session: AsyncSession, row: CaseRow) -> None:
    await session.execute(delete(CaseTermRow).where(CaseTermRow.case_id == row.id))
    weights = weights_of(title=row.title, problem=row.problem, solution=row.solution)
    if weights:
        values = [{"term": term, "case_id": row.id, "weight": weight} for term, weight in weights.items()]
        await session.execute(insert(CaseTermRow), values)


def _audit(
    session: AsyncSession, case_id: int, action: str, *, actor: str, now: datetime, data: dict[str, Any]
) -> None:
    session.add(AuditRow(at=now, login=actor, action=action, subject=f"case:{case_id}", data=data))
