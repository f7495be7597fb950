"""A person writes down what was really said; the service language of the call is then checked again."""

from datetime import datetime

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.users import AuditRow
from callcenter.services.check_language import LanguageChecker

LONGEST_LINE = 2000


class NoSuchSegment(Exception):
    """There is no such stretch of speech on this call."""


class LineTooLong(Exception):
    """More than 2,000 letters."""


async def correct_segment(
    database: Database,
    checker: LanguageChecker,
    *,
    call_id: str,
    recording_id: str,
    number: int,
    text: str,
    login: str,
    now: datetime,
) -> None:
    """What was heard stays beside the correction; an empty text takes the correction back.

    Raises NoSuchSegment, LineTooLong.
    """
    said = " ".join(text.split())
    if len(said) > LONGEST_LINE:
        raise LineTooLong
    async with database.write() as session:
        row = await session.scalar(
            select(SegmentRow)
            .where(SegmentRow.call_id == call_id, SegmentRow.recording_id == recording_id, SegmentRow.number == number)
            .with_for_update()
        )
        if row is None:
            raise NoSuchSegment
        row.corrected_text = said if said and said != row.text else None
        data = {"recording": recording_id, "segment": number}
        session.add(AuditRow(at=now, login=login, action="transcript_corrected", subject=f"call:{call_id}", data=data))
    await checker.check(database, call_id, now=now)
