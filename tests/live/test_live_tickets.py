"""A call heard live has its ticket when the resident hangs up; the recording puts it right; nothing comes twice."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select, update

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.live import LiveCallRow, LiveState
from callcenter.db.on_call import OnCallAlarmRow
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.domain.calls import EventKind
from callcenter.domain.rings import RingRule
from callcenter.domain.transcript import Segment, Transcript
from callcenter.domain.understanding.live_danger import is_emergency
from callcenter.services.correct_field import set_field
from callcenter.services.fold_calls import fold_pending
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.live_tickets import LiveTickets
from callcenter.services.may_call import _just_called
from callcenter.services.on_call import raise_alarms
from callcenter.services.open_ticket import OpenedTicket, open_ticket
from callcenter.services.understand_call import CallReader
from callcenter.services.waiting_recordings import unfinished_recordings
from tests.conftest import SetClock
from tests.live.conftest import CALL, Happen, ending, going_on, heard_live, rows_of, said
from tests.services.conftest import happened

LIVE = said("住户：你好，三栋五零一厨房漏水", "客服：好的，下午三点给您回电话", "住户：好的，谢谢")
RECORDED = said("住户：你好，三栋五零二厨房漏水，我姓王", "客服：好的，下午四点给您回电话", "住户：好的，谢谢")
LIFT = said("住户：喂，电梯卡住了，有人困在里面", "客服：请问是哪一栋", "住户：六栋一单元")


@dataclass
class Story:
    """What can happen to a call that was heard live, each at will."""

    database: Database
    clock: SetClock
    rules: FollowUpRules
    reader: CallReader
    tickets: LiveTickets

    async def recording(self, segments: list[Segment], *, failure: str | None = None) -> OpenedTicket:
        """The recording's words, as the worker brings them."""
        transcript = Transcript.of(segments, duration_ms=60_000)
        async with self.database.read() as session:
            call = await session.get_one(CallRow, CALL)
        draft = await self.reader.draft(self.database, call, transcript)
        async with self.database.write() as session:
            return await open_ticket(
                session,
                call=await session.get_one(CallRow, CALL),
                transcript=transcript,
                draft=draft,
                now=self.clock.now(),
                rules=self.rules,
                failure=failure,
            )

    async def ticket(self) -> TicketRow:
        (ticket,) = await rows_of(self.database, TicketRow)
        return ticket  # type: ignore[no-any-return]

    async def reminders(self) -> list[tuple[str, str]]:
        rows = await rows_of(self.database, ReminderRow)
        return [
            (row.kind, f"{self.rules.calendar.local(row.promised_for):%H:%M}" if row.promised_for else "")
            for row in rows
        ]


@pytest.fixture
def story(database: Database, clock: SetClock, rules: FollowUpRules, reader: CallReader, tickets: LiveTickets) -> Story:
    return Story(database, clock, rules, reader, tickets)


async def test_the_ticket_is_there_when_the_resident_hangs_up_and_promises_wait_for_the_recording(
    story: Story, happen: Happen
) -> None:
    await happen(going_on())
    await heard_live(story.database, LIVE, now=story.clock.now())
    opened = await story.tickets.open(CALL)
    assert opened is not None
    ticket = await story.ticket()
    assert (ticket.building, ticket.room, ticket.category, ticket.owner) == ("3", "501", "plumbing", "hewen")
    assert await story.reminders() == []
    (link,) = await rows_of(story.database, TicketCallRow)
    assert link.heard_live


async def test_the_recording_puts_right_what_nobody_has_touched(story: Story, happen: Happen) -> None:
    await happen(going_on())
    await heard_live(story.database, LIVE, now=story.clock.now())
    await story.tickets.open(CALL)
    async with story.database.write() as session:
        ticket = (await session.scalars(select(TicketRow))).one()
        await set_field(session, ticket, "summary", "水管爆了", actor="hewen", at=story.clock.now(), rules=story.rules)
    await story.recording(RECORDED)
    ticket = await story.ticket()
    assert (ticket.room, ticket.summary, bool(ticket.contact)) == ("502", "水管爆了", True)
    assert await story.reminders() == [("call_back_promised", "17:00")]
    (link,) = await rows_of(story.database, TicketCallRow)
    assert not link.heard_live
    history = [row.data.get("text", "") for row in await rows_of(story.database, TicketHistoryRow)]
    assert sum("按录音核对" in text for text in history) == 1


async def test_the_recording_twice_or_the_live_words_after_it_change_nothing(story: Story, happen: Happen) -> None:
    await happen(going_on())
    await heard_live(story.database, LIVE, now=story.clock.now())
    await story.tickets.open(CALL)
    await story.recording(RECORDED)
    before = await story.ticket()
    await story.recording(RECORDED)
    await story.tickets.tick()
    assert await story.tickets.open(CALL) is None
    after = await story.ticket()
    assert (after.version, after.room) == (before.version, "502")
    assert len(await story.reminders()) == 1


@pytest.mark.parametrize("order", [*permutations(["live", "end", "recording", "tick"])])
async def test_one_ticket_and_one_call_back_whatever_comes_first(
    story: Story, happen: Happen, order: tuple[str, ...]
) -> None:
    await happen(going_on())
    for step in order:
        if step == "live":
            await heard_live(story.database, LIVE, now=story.clock.now())
            await story.tickets.open(CALL)
        elif step == "end":
            await happen(ending())
        elif step == "recording":
            await story.recording(RECORDED)
        else:
            await story.tickets.tick()
    ticket = await story.ticket()
    assert (ticket.room, ticket.call_count) == ("502", 1)
    assert await story.reminders() == [("call_back_promised", "17:00")]
    assert len(await rows_of(story.database, TicketDeadlineRow, kind="promise")) == 1


async def test_a_stream_that_broke_off_makes_its_ticket_when_the_call_is_over(story: Story, happen: Happen) -> None:
    await happen(going_on())
    await heard_live(story.database, LIVE, now=story.clock.now(), state=LiveState.BROKEN)
    await story.tickets.tick()
    assert await rows_of(story.database, TicketRow) == []
    await happen(ending())
    await story.tickets.tick()
    assert (await story.ticket()).room == "501"


@pytest.mark.parametrize("state", [LiveState.LOST, LiveState.RUNNING])
async def test_what_was_lost_waits_for_the_recording(story: Story, happen: Happen, state: LiveState) -> None:
    """The server or its recogniser died mid-call: the recording's ticket is today's."""
    await happen([*going_on(), *ending()])
    await heard_live(story.database, LIVE, now=story.clock.now(), state=state)
    story.clock.advance(minutes=5)
    await story.tickets.tick()
    await story.tickets.tick()
    assert await rows_of(story.database, TicketRow) == []
    (live,) = await rows_of(story.database, LiveCallRow)
    assert live.state == LiveState.LOST
    await story.recording(RECORDED)
    assert (await story.ticket()).room == "502"
    assert await story.reminders() == [("call_back_promised", "17:00")]


async def test_silence_and_calls_that_nobody_answered_make_no_ticket(story: Story, happen: Happen) -> None:
    await happen(
        [
            happened(EventKind.CALL_STARTED, 0, direction="inbound"),
            happened(EventKind.CALL_ENDED, 9, reason="completed"),
        ]
    )
    await heard_live(story.database, said("住户：喂喂有人吗"), now=story.clock.now())
    assert await story.tickets.open(CALL) is None
    (live,) = await rows_of(story.database, LiveCallRow)
    assert live.settled_at is not None
    assert await rows_of(story.database, TicketRow) == []


async def test_praise_heard_live_stays_open_until_the_recording_says_so(story: Story, happen: Happen) -> None:
    praise = said("住户：你好，我想表扬一下保洁王阿姨，打扫得很干净，服务态度非常好，谢谢你们")
    await happen(going_on())
    await heard_live(story.database, praise, now=story.clock.now())
    await story.tickets.open(CALL)
    assert (await story.ticket()).status == "open"
    await story.recording(praise)
    ticket = await story.ticket()
    assert (ticket.status, ticket.no_action_reason) == ("closed", "praise")


async def test_without_a_recording_the_live_words_count_and_somebody_must_listen(story: Story, happen: Happen) -> None:
    await happen([*going_on(), *ending()])
    await heard_live(story.database, LIVE, now=story.clock.now())
    await story.tickets.open(CALL)
    story.clock.advance(minutes=5)
    await story.tickets.tick()
    assert await story.reminders() == []
    story.clock.advance(minutes=7)
    await story.tickets.tick()
    await story.tickets.tick()
    assert await story.reminders() == [("call_back_promised", "16:00")]
    ticket = await story.ticket()
    assert (ticket.room, ticket.must_listen) == ("501", True)


async def test_a_recording_that_fails_leaves_the_live_words(story: Story, happen: Happen) -> None:
    await happen([*going_on(), *ending()])
    await heard_live(story.database, LIVE, now=story.clock.now())
    await story.tickets.open(CALL)
    await story.recording(LIVE, failure="the recording cannot be read")
    ticket = await story.ticket()
    assert (ticket.room, ticket.must_listen_reason) == ("501", "the recording cannot be read")
    assert await story.reminders() == [("call_back_promised", "16:00")]


async def test_an_empty_recording_wipes_nothing(story: Story, happen: Happen) -> None:
    await happen(going_on())
    await heard_live(story.database, LIVE, now=story.clock.now())
    await story.tickets.open(CALL)
    await story.recording([])
    ticket = await story.ticket()
    assert (ticket.room, ticket.must_listen) == ("501", True)


async def test_a_job_that_died_before_the_recordings_words_came_in_is_revived(story: Story, happen: Happen) -> None:
    await happen(
        [*going_on(), *ending(), happened(EventKind.RECORDING_READY, 62, recording_id="RE1", url="", channels=2)]
    )
    await heard_live(story.database, LIVE, now=story.clock.now())
    await story.tickets.open(CALL)
    async with story.database.write() as session:
        await session.execute(update(RecordingRow).values(state=RecordingState.TRANSCRIBED))
    assert [row[0] for row in await unfinished_recordings(story.database)] == ["RE1"]
    await story.recording(RECORDED)
    assert await unfinished_recordings(story.database) == []


async def test_no_call_of_ours_leaves_before_the_recording_has_been_heard(story: Story, happen: Happen) -> None:
    await happen([*going_on(), *ending()])
    await heard_live(story.database, LIVE, now=story.clock.now())
    await story.tickets.open(CALL)
    now = story.clock.now() + timedelta(minutes=2)
    async with story.database.read() as session:
        assert await _just_called(session, "+8613812346207", now=now)
    await story.recording(RECORDED)
    async with story.database.read() as session:
        assert not await _just_called(session, "+8613812346207", now=now)


async def test_a_resident_who_calls_again_is_joined_live_and_counted_once(story: Story, happen: Happen) -> None:
    await happen(going_on("twilio:CA0"))
    await heard_live(story.database, LIVE, now=story.clock.now(), call="twilio:CA0")
    await story.tickets.open("twilio:CA0")
    await happen(going_on())
    await heard_live(story.database, LIVE, now=story.clock.now())
    opened = await story.tickets.open(CALL)
    assert opened is not None
    assert opened.joined
    await story.recording(RECORDED)
    ticket = await story.ticket()
    assert (ticket.call_count, ticket.room, ticket.urgency) == (2, "501", "urgent")
    links = {row.call_id: row.heard_live for row in await rows_of(story.database, TicketCallRow)}
    assert links == {"twilio:CA0": True, CALL: False}


async def test_danger_opens_the_ticket_while_the_call_goes_on_and_its_time_runs_from_then(
    story: Story, happen: Happen
) -> None:
    await happen(going_on())
    await heard_live(story.database, [], now=story.clock.now(), state=LiveState.RUNNING)
    story.clock.advance(seconds=100)
    heard = Transcript.of(LIFT[:1], duration_ms=4000)
    opened = await story.tickets.alarm(CALL, heard)
    assert opened is not None
    ticket = await story.ticket()
    assert (ticket.urgency, ticket.category, ticket.building) == ("emergency", "lift", None)
    (limit,) = await rows_of(story.database, TicketDeadlineRow, kind="on_site")
    assert limit.due_at == story.clock.now() + timedelta(minutes=3)
    assert await raise_alarms(story.database, now=story.clock.now()) == 1

    # What is said after it puts the ticket right; nothing starts anew.
    story.clock.advance(seconds=20)
    await story.tickets.alarm(CALL, Transcript.of(LIFT, duration_ms=14_000))
    assert (await story.ticket()).building == "6"
    story.clock.advance(seconds=20)
    await story.recording(LIFT)
    (same,) = await rows_of(story.database, TicketDeadlineRow, kind="on_site")
    assert (same.id, same.due_at, same.cancelled_at) == (limit.id, limit.due_at, None)
    assert await raise_alarms(story.database, now=story.clock.now()) == 0
    assert len(await rows_of(story.database, OnCallAlarmRow)) == 1


async def test_a_machine_does_not_take_an_emergency_back(story: Story, happen: Happen) -> None:
    await happen(going_on())
    await heard_live(story.database, [], now=story.clock.now(), state=LiveState.RUNNING)
    await story.tickets.alarm(CALL, Transcript.of(LIFT, duration_ms=14_000))
    await story.recording(said("住户：电梯里的灯不亮", "客服：请问是哪一栋", "住户：六栋一单元"))
    ticket = await story.ticket()
    assert (ticket.urgency, ticket.needs_review, ticket.building) == ("emergency", True, "6")
    (limit,) = await rows_of(story.database, TicketDeadlineRow, kind="on_site")
    assert limit.cancelled_at is None


async def test_danger_on_a_call_about_an_open_ticket_alarms_there(
    story: Story, happen: Happen, rules: FollowUpRules
) -> None:
    await happen(going_on("twilio:CA0"))
    first = said("住户：你好，六栋一单元电梯坏了", "客服：好的")
    await heard_live(story.database, first, now=story.clock.now(), call="twilio:CA0")
    await story.tickets.open("twilio:CA0")
    await happen(going_on())
    await heard_live(story.database, [], now=story.clock.now(), state=LiveState.RUNNING)
    story.clock.advance(seconds=50)
    await story.tickets.alarm(CALL, Transcript.of(LIFT, duration_ms=14_000))
    ticket = await story.ticket()
    assert (ticket.urgency, ticket.call_count) == ("emergency", 2)
    (limit,) = await rows_of(story.database, TicketDeadlineRow, kind="on_site")
    assert limit.due_at == story.clock.now() + timedelta(minutes=3)


def test_an_emergency_light_is_none(reader: CallReader) -> None:
    heard = Transcript.of(said("住户：六栋一单元楼道应急照明不亮"), duration_ms=4000)
    assert not is_emergency(heard, reader.rules())


async def test_a_call_still_unknown_raises_no_alarm_yet(story: Story) -> None:
    assert await story.tickets.alarm(CALL, Transcript.of(LIFT, duration_ms=14_000)) is None
    await fold_pending(story.database, RingRule(), now=story.clock.now())
