"""One call to its bones: the legs, every event as it was stored, the recordings and what was said."""

from dataclasses import dataclass

from sqlalchemy import Select, select

from callcenter.db.calls import CallJudgementRow, CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow
from callcenter.db.recordings import RecordingRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.reports.language import CallLanguage, language_of_call
from callcenter.reports.live_calls import LiveWords, live_words
from callcenter.reports.recorded_calls import RecordedCall, recorded_calls


@dataclass(frozen=True, kw_only=True, slots=True)
class CallPage:
    recorded: RecordedCall
    events: tuple[CallEventRow, ...]
    ticket: TicketRow | None
    judged_before: tuple[CallJudgementRow, ...]
    """Under rules that are not in force any more, the latest last."""
    live: LiveWords | None = None
    language: CallLanguage | None = None

    @property
    def agents(self) -> frozenset[str]:
        """Everyone whose phone rang."""
        return frozenset(leg.agent for leg in self.recorded.legs if leg.agent)


async def read_call(database: Database, call_id: str) -> CallPage | None:
    async with database.read() as session:
        found = (await recorded_calls(session, [call_id])).get(call_id)
        if found is None:
            return None
        events = (
            select(CallEventRow).where(CallEventRow.call_id == call_id).order_by(CallEventRow.earliest, CallEventRow.id)
        )
        return CallPage(
            recorded=found,
            events=tuple((await session.scalars(events)).all()),
            ticket=(await session.scalars(_ticket_of(call_id))).one_or_none(),
            judged_before=tuple((await session.scalars(_judged_before(call_id))).all()),
            live=await live_words(session, call_id),
            language=await language_of_call(session, call_id),
        )


def _judged_before(call_id: str) -> Select[CallJudgementRow]:
    return select(CallJudgementRow).where(CallJudgementRow.call_id == call_id).order_by(CallJudgementRow.replaced_at)


def _ticket_of(call_id: str) -> Select[TicketRow]:
    return (
        select(TicketRow)
        .join(TicketCallRow, TicketCallRow.ticket_id == TicketRow.id)
        .where(TicketCallRow.call_id == call_id)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayableRecording:
    """A recording on our disk, and whose work needs it."""

    recording: RecordingRow
    ticket_number: str | None
    agents: frozenset[str]


async def read_recording(database: Database, recording_id: str) -> PlayableRecording | None:
    async with database.read() as session:
        recording = await session.get(RecordingRow, recording_id)
        if recording is None:
            return None
        ticket = (await session.scalars(_ticket_of(recording.call_id))).one_or_none()
        legs = select(CallLegRow.agent).where(CallLegRow.call_id == recording.call_id, CallLegRow.agent.is_not(None))
        answered_by = await session.scalar(select(CallRow.answered_by).where(CallRow.id == recording.call_id))
        agents = {*(await session.scalars(legs)).all(), answered_by}
        return PlayableRecording(
            recording=recording,
            ticket_number=ticket.number if ticket else None,
            agents=frozenset(agent for agent in agents if agent),
        )
