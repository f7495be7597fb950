"""Every answered call and every voice mail gets its ticket, also when no recording ever came of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, or_, select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.tickets import TicketCallRow
from callcenter.domain.calls import Direction
from callcenter.domain.rings import Disposition
from callcenter.domain.tickets import TicketDraft
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.open_ticket import open_ticket

log = structlog.get_logger()

RECORDING_MINUTES = 10
"""A recording that has not come so long after the call's end is taken as missing."""


async def close_gaps(database: Database, *, now: datetime, rules: FollowUpRules) -> int:
    """Opens tickets for calls whose recording failed or never came; how many."""
    gaps = await _gaps(database, now)
    for call_id, reason in gaps:
        async with database.write() as session:
            call = await session.get_one(CallRow, call_id)
            opened = await open_ticket(
                session,
                call=call,
                transcript=None,
                draft=TicketDraft(must_listen=True),
                now=now,
                rules=rules,
                failure=reason,
            )
        log.warning("ticket without a recording", call_id=call_id, ticket=opened.number, reason=reason)
    return len(gaps)


async def _gaps(database: Database, now: datetime) -> Sequence[tuple[str, str]]:
    ticketed = select(TicketCallRow.call_id).where(TicketCallRow.call_id == CallRow.id).exists()
    recorded = select(RecordingRow.id).where(RecordingRow.call_id == CallRow.id)
    still_possible = recorded.where(RecordingRow.state != RecordingState.FAILED).exists()
    query = (
        select(CallRow.id, recorded.exists().label("failed"))
        .where(
            CallRow.direction == Direction.INBOUND.value,
            CallRow.disposition.in_((Disposition.ANSWERED.value, Disposition.VOICE_MAIL.value)),
            CallRow.ended_at.is_not(None),
            ~ticketed,
            ~still_possible,
            or_(recorded.exists(), and_(CallRow.ended_at < now - timedelta(minutes=RECORDING_MINUTES))),
        )
        .limit(50)
    )
    async with database.read() as session:
        found = await session.execute(query)
        return [(row.id, "录音失败，请人工核实" if row.failed else "没有收到录音，请人工核实") for row in found]
