"""What people say about a finding: the agent contests it, a supervisor decides. Each is written to the audit log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.language import LanguageFindingRow
from callcenter.db.users import AuditRow

LONGEST_REASON = 500


class FindingRefused(Exception):
    """It cannot be done with this finding; the message says why."""


class NoSuchFinding(FindingRefused):
    """There is no such finding on this call."""


class NotTheirCall(FindingRefused):
    """Only the agent who took the call may contest its findings."""


class AlreadyDecided(FindingRefused):
    """A supervisor has decided; what is decided is not contested again."""


class NoReason(FindingRefused):
    """A reason is needed, of at most 500 letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """Who says something about which finding, why and when. `agent_id`: whose phone they answer, if anybody's."""

    call_id: str
    finding_id: int
    login: str
    agent_id: str | None
    reason: str
    now: datetime


async def contest_finding(database: Database, opinion: Opinion) -> None:
    """Raises FindingRefused."""
    reason = _reason(opinion)
    async with _finding(database, opinion, "language_contested") as (session, row):
        answered_by = await session.scalar(select(CallRow.answered_by).where(CallRow.id == row.call_id))
        if answered_by is None or answered_by != opinion.agent_id:
            raise NotTheirCall
        if row.decided_at is not None:
            raise AlreadyDecided
        row.contested_by, row.contested_at, row.contest = opinion.login, opinion.now, reason


async def decide_finding(database: Database, opinion: Opinion, *, upheld: bool) -> None:
    """A supervisor says whether the finding is right; a later word replaces an earlier one. Raises FindingRefused."""
    reason = opinion.reason.strip()
    if len(reason) > LONGEST_REASON:
        raise NoReason
    async with _finding(database, opinion, "language_upheld" if upheld else "language_overturned") as (_, row):
        row.decided_by, row.decided_at = opinion.login, opinion.now
        row.upheld, row.decision = upheld, reason or None


def _reason(opinion: Opinion) -> str:
    reason = opinion.reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise NoReason
    return reason


@asynccontextmanager
async def _finding(
    database: Database, opinion: Opinion, action: str
) -> AsyncIterator[tuple[AsyncSession, LanguageFindingRow]]:
    async with database.write() as session:
        wanted = select(LanguageFindingRow).where(
            LanguageFindingRow.id == opinion.finding_id, LanguageFindingRow.call_id == opinion.call_id
        )
        row = await session.scalar(wanted.with_for_update())
        if row is None:
            raise NoSuchFinding
        yield session, row
        data = {"finding": row.id, "kind": row.kind}
        session.add(
            AuditRow(at=opinion.now, login=opinion.login, action=action, subject=f"call:{row.call_id}", data=data)
        )
