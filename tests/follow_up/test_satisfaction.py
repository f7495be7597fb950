"""回访 after the fix: satisfied is verified, unhappy is asked once more, still broken is reopened."""

import asyncio

import pytest
from sqlalchemy import select

from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.ticket_life import TicketStatus
from callcenter.services import tickets
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.tickets import Change, StaleTicket
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Opens, Round, ends, inbound, leak, local, outbound, reminders


class Fixed:
    """A ticket that is solved at 10:00 on the 24th, and what its resident keys when asked."""

    def __init__(self, opens: Opens, tick: Round, rules: FollowUpRules) -> None:
        self.opens, self.tick, self.rules = opens, tick, rules
        self.database, self.clock = tick.database, tick.clock

    async def begin(self) -> None:
        await self.opens(inbound("CA1", local(24, 9)), leak())
        await self.move(TicketStatus.SOLVED)

    async def move(self, to: TicketStatus) -> None:
        ticket = await self.ticket()
        change = Change(number=ticket.number, version=ticket.version, actor="hewen", now=self.clock.now())
        await tickets.change_status(self.database, change, to=to, rules=self.rules)

    async def ticket(self) -> TicketRow:
        async with self.database.read() as session:
            return (await session.scalars(select(TicketRow))).one()

    async def deadlines(self) -> list[str]:
        async with self.database.read() as session:
            open_ones = select(TicketDeadlineRow.kind).where(
                TicketDeadlineRow.met_at.is_(None), TicketDeadlineRow.cancelled_at.is_(None)
            )
            return list((await session.scalars(open_ones)).all())

    async def asked(self, kind: str) -> ReminderRow:
        return [one for one in await reminders(self.database) if one.kind == kind][-1]

    async def answers(self, keys: str, *, kind: str = "satisfaction", times: int = 2) -> ReminderRow:
        """The resident is phoned when the call is due, and keys."""
        reminder = await self.asked(kind)
        self.clock.at = max(self.clock.at, reminder.due_at)
        await self.tick()
        reminder = await self.asked(kind)
        call_id = f"CA-reminder-{reminder.id}-{reminder.attempts}"
        call = outbound(
            call_id, self.clock.now(), OutboundOutcome.REACHED, reminder_id=reminder.id, to_number=reminder.to_number,
            keys=keys,
        )  # fmt: skip
        for _ in range(times):
            await ends(self.database, call, self.clock, self.rules)
        return await self.asked(kind)


@pytest.fixture
async def fixed(opens: Opens, tick: Round, rules: FollowUpRules) -> Fixed:
    found = Fixed(opens, tick, rules)
    await found.begin()
    return found


async def test_solved_plans_the_call_in_decent_hours(fixed: Fixed, far_end: FarEnd) -> None:
    reminder = await fixed.asked("satisfaction")
    assert (reminder.due_at, reminder.to_number) == (local(24, 10, 30), "+8613912344471")
    await fixed.answers("5")
    assert "您反映的“厨房水管漏水”，地址三栋二单元五零幺" in far_end.calls[-1].speech


async def test_a_ticket_solved_on_a_festival_waits_until_it_is_over(
    opens: Opens, tick: Round, rules: FollowUpRules, clock: SetClock
) -> None:
    clock.at = local(2, 15, month=10)
    fixed = Fixed(opens, tick, rules)
    await fixed.begin()
    assert (await fixed.asked("satisfaction")).due_at == local(8, 9, month=10)


@pytest.mark.parametrize("key", ["3", "4", "5"])
async def test_satisfied_is_recorded_and_the_ticket_verified(fixed: Fixed, key: str) -> None:
    reminder = await fixed.answers(key)
    ticket = await fixed.ticket()
    assert (ticket.status, ticket.satisfaction, ticket.version) == ("verified", int(key), 3)
    assert reminder.state == "done"
    assert [one.kind for one in await reminders(fixed.database)] == ["satisfaction"]


@pytest.mark.parametrize("key", ["1", "2"])
async def test_unhappy_goes_to_the_supervisor_and_is_asked_once_more(fixed: Fixed, key: str) -> None:
    await fixed.answers(key)
    ticket, again = await fixed.ticket(), await fixed.asked("satisfaction_again")
    assert (ticket.status, ticket.satisfaction) == ("solved", int(key))
    assert again.due_at == local(27, 10, 30)
    assert await fixed.deadlines() == ["feedback_reply"]
    async with fixed.database.read() as session:
        notes = select(TicketHistoryRow).where(TicketHistoryRow.action == "note")
        (note,) = (await session.scalars(notes)).all()
    assert note.data == {"text": f"回访满意度 {key} 分，请主管跟进", "for": "supervisor", "satisfaction": int(key)}
    await fixed.answers("1", kind="satisfaction_again")
    assert [one.kind for one in await reminders(fixed.database)] == ["satisfaction", "satisfaction_again"]


async def test_the_second_time_satisfied_is_verified(fixed: Fixed) -> None:
    await fixed.answers("2")
    await fixed.answers("4", kind="satisfaction_again")
    ticket = await fixed.ticket()
    assert (ticket.status, ticket.satisfaction) == ("verified", 4)
    assert await fixed.deadlines() == []


async def test_still_broken_reopens_once_with_half_a_working_day_to_answer(fixed: Fixed) -> None:
    await fixed.answers("0", times=3)
    ticket = await fixed.ticket()
    assert (ticket.status, ticket.solved_at) == ("reopened", None)
    assert await fixed.deadlines() == ["feedback_reply"]
    await fixed.move(TicketStatus.SOLVED)
    rounds = [one.topic for one in await reminders(fixed.database)]
    assert rounds == ["ticket:1:fix:1", "ticket:1:fix:2"]


async def test_keys_are_heard_although_their_event_comes_after_the_end(fixed: Fixed) -> None:
    await fixed.answers("", times=1)
    assert (await fixed.ticket()).satisfaction is None
    reminder = await fixed.asked("satisfaction")
    call = outbound(
        f"CA-reminder-{reminder.id}-1", fixed.clock.now(), OutboundOutcome.REACHED, reminder_id=reminder.id, keys="4"
    )
    for _ in range(2):
        await ends(fixed.database, call, fixed.clock, fixed.rules)
    assert (await fixed.ticket()).status == "verified"


async def test_key_9_on_this_call_stops_every_call_and_verifies_nothing(fixed: Fixed) -> None:
    await fixed.answers("9")
    assert (await fixed.ticket()).status == "solved"
    await fixed.move(TicketStatus.REOPENED)
    await fixed.move(TicketStatus.SOLVED)
    fixed.clock.advance(days=1)
    await fixed.tick()
    assert (await fixed.asked("satisfaction")).reason == "do_not_call"


async def test_reopened_before_the_call_is_not_asked(fixed: Fixed, far_end: FarEnd) -> None:
    await fixed.move(TicketStatus.REOPENED)
    fixed.clock.advance(days=1)
    await fixed.tick()
    assert far_end.calls == []
    assert (await fixed.asked("satisfaction")).reason == "no_longer_owed"


async def test_a_resident_who_calls_in_about_it_is_not_asked_whether_it_is_fixed(fixed: Fixed) -> None:
    await fixed.opens(inbound("CA2", local(24, 10)), leak())
    assert (await fixed.ticket()).status == "reopened"
    assert (await fixed.asked("satisfaction")).reason == "no_longer_owed"


async def test_a_key_and_a_persons_change_at_the_same_time_lose_nothing(fixed: Fixed) -> None:
    """The resident keys 4 while an agent adds a note: both are on the ticket, and its version has counted both."""
    reminder = await fixed.asked("satisfaction")
    fixed.clock.at = reminder.due_at
    await fixed.tick()
    call_id = f"CA-reminder-{reminder.id}-1"
    call = outbound(call_id, fixed.clock.now(), OutboundOutcome.REACHED, reminder_id=reminder.id, keys="4")
    change = Change(number="GD-1124-0001", version=2, actor="hewen", now=fixed.clock.now())
    noted, _ = await asyncio.gather(
        tickets.add_note(fixed.database, change, text="x"),
        ends(fixed.database, call, fixed.clock, fixed.rules),
        return_exceptions=True,
    )
    ticket = await fixed.ticket()
    assert (ticket.status, ticket.satisfaction) == ("verified", 4)
    assert ticket.version == (3 if isinstance(noted, StaleTicket) else 4)
