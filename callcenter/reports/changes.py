"""Whether anything changed that an open page may show: cheap enough to ask every second."""

from dataclasses import dataclass

from sqlalchemy import func, select

from callcenter.db.agents import AgentStateChangeRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow
from callcenter.db.recordings import RecordingRow
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow
from callcenter.db.tickets import TicketHistoryRow, TicketRow
from callcenter.reports.alarms import alarm_mark


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """Marks that differ when something changed; what they consist of means nothing to a reader."""

    tickets: str
    calls: str
    alarms: str
    reminders: str
    agents: str


async def read_changes(database: Database) -> Changes:
    query = select(
        select(func.max(TicketRow.updated_at)).scalar_subquery(),
        select(func.max(TicketHistoryRow.id)).scalar_subquery(),
        select(func.max(RecordingRow.transcribed_at)).scalar_subquery(),
        select(func.max(CallEventRow.id)).scalar_subquery(),
        select(func.max(ReminderRow.id)).scalar_subquery(),
        select(func.max(ReminderAttemptRow.id)).scalar_subquery(),
        select(func.max(AgentStateChangeRow.id)).scalar_subquery(),
    )
    async with database.read() as session:
        updated, history, transcribed, event, reminder, attempt, said = (await session.execute(query)).one()
        alarms = await alarm_mark(session)
    return Changes(
        tickets=f"{updated}|{history}|{transcribed}",
        calls=f"{event}",
        alarms=alarms,
        reminders=f"{reminder}|{attempt}|{history}|{event}",
        agents=f"{said}",
    )
