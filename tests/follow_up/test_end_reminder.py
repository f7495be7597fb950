"""A person cancels a call that we owe with a reason, or settles one without a ticket; nothing is lost meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import delete, select, update

from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.tickets import TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.rings import Disposition
from callcenter.domain.tickets import Promise, PromiseKind
from callcenter.services.end_reminder import (
    Ending,
    HasTicket,
    ReasonMissing,
    ReminderMoved,
    ReminderOver,
    ReminderUnderWay,
    cancel_reminder,
    settle_reminder,
    standing_of,
)
from callcenter.services.explain_reminder import NoSuchReminder, explain_reminder
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.missed_calls import plan_missed_call
from callcenter.services.reminders import claim_due
from tests.conftest import SetClock
from tests.follow_up.conftest import (
    FarEnd,
    Opens,
    Round,
    call_back,
    ended,
    heard,
    inbound,
    leak,
    local,
    missed,
    the_reminder,
)

Look = Callable[[], Awaitable[Ending]]


@pytest.fixture
async def promised(opens: Opens) -> None:
    """A call-back promised on a ticket."""
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),)))


@pytest.fixture
async def abandoned(database: Database, clock: SetClock, rules: FollowUpRules) -> None:
    """A missed call, without a ticket."""
    async with database.write() as session:
        call = await session.merge(missed("CA2", local(24, 10), Disposition.RANG_OUT))
        await session.flush()
        await plan_missed_call(session, call, clock.now(), rules=rules)


@pytest.fixture
def look(database: Database, clock: SetClock) -> Look:
    async def now() -> Ending:
        reminder = await the_reminder(database)
        return Ending(reminder_id=reminder.id, seen=standing_of(reminder), actor="lijia", now=clock.now())

    return now


async def test_a_cancelled_call_says_why_and_by_whom_and_is_never_made(
    promised: None, look: Look, database: Database, clock: SetClock, rules: FollowUpRules, tick: Round, far_end: FarEnd
) -> None:
    await cancel_reminder(database, await look(), reason=" 住户到前台说过了 ")
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason, reminder.ended_by) == ("cancelled", "住户到前台说过了", "lijia")
    assert reminder.finished_at == clock.now()
    clock.at = local(24, 10, 30)
    await tick()
    assert far_end.calls == []
    said = await explain_reminder(database, reminder.id, now=clock.now(), rules=rules)
    assert (said.why, said.ended_by, said.now) == ("住户到前台说过了", "lijia", "")
    async with database.read() as session:
        line = (await session.scalars(select(TicketHistoryRow).order_by(TicketHistoryRow.id.desc()).limit(1))).one()
        audit = (await session.scalars(select(AuditRow))).one()
        promise = (await session.scalars(select(TicketDeadlineRow).where(TicketDeadlineRow.kind == "promise"))).one()
    assert (line.actor, line.action, line.data["reason"]) == ("lijia", "reminder_cancelled", "住户到前台说过了")
    assert (audit.login, audit.action, audit.subject) == ("lijia", "reminder_cancelled", f"reminder:{reminder.id}")
    assert (promise.met_at, promise.cancelled_at) == (None, None), "the promise itself is not kept by that"


async def test_a_promise_that_was_misheard_is_taken_off_the_ticket(
    opens: Opens, look: Look, database: Database, clock: SetClock
) -> None:
    reply = heard(Promise(kind=PromiseKind.VISIT, text="下午上门", due=local(24, 16)))
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)), reply)))
    async with database.write() as session:
        await session.execute(delete(ReminderRow).where(ReminderRow.kind == "appointment"))
    await cancel_reminder(database, await look(), reason="没有答应过", never_promised=True)
    async with database.read() as session:
        limits = (await session.scalars(select(TicketDeadlineRow).order_by(TicketDeadlineRow.due_at))).all()
        told = (await session.scalars(select(TicketHistoryRow).order_by(TicketHistoryRow.id.desc()))).first()
    assert [(one.basis, one.cancelled_at) for one in limits] == [("call_back", clock.now()), ("visit", None)]
    assert told is not None
    assert told.data["never_promised"] is True


async def test_a_visit_that_was_misheard_is_no_longer_expected(
    opens: Opens, look: Look, database: Database, clock: SetClock
) -> None:
    visit = heard(Promise(kind=PromiseKind.VISIT, text="下午上门", due=local(24, 16)))
    await opens(inbound("CA1", local(24, 10)), leak(promises=(visit,)))
    await cancel_reminder(database, await look(), reason="说的是别家", never_promised=True)
    async with database.read() as session:
        ticket = (await session.scalars(select(TicketRow))).one()
        limit = (await session.scalars(select(TicketDeadlineRow).where(TicketDeadlineRow.basis == "visit"))).one()
    assert (ticket.visit_at, limit.cancelled_at) == (None, clock.now())


async def test_without_a_reason_it_stays_owed(promised: None, look: Look, database: Database) -> None:
    with pytest.raises(ReasonMissing):
        await cancel_reminder(database, await look(), reason="  ")
    assert (await the_reminder(database)).state == "waiting"


async def test_a_missed_call_is_settled_without_a_ticket(
    abandoned: None, look: Look, database: Database, clock: SetClock, rules: FollowUpRules, tick: Round, far_end: FarEnd
) -> None:
    await settle_reminder(database, await look(), note="打过手机，已解决")
    reminder = await the_reminder(database)
    assert (reminder.state, reminder.reason, reminder.ended_by) == ("done", "打过手机，已解决", "lijia")
    clock.at = local(24, 12)
    await tick()
    assert far_end.calls == []
    async with database.read() as session:
        assert (await session.scalars(select(AuditRow.action))).all() == ["reminder_settled"]


async def test_without_a_note_it_says_that_a_person_spoke_to_the_resident(
    abandoned: None, look: Look, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await settle_reminder(database, await look())
    said = await explain_reminder(database, 1, now=clock.now(), rules=rules, language="en")
    assert said.why == "a person has spoken to the resident"


async def test_a_handed_over_call_is_settled_and_leaves_the_list(
    abandoned: None, look: Look, database: Database, clock: SetClock, tick: Round
) -> None:
    clock.at = local(24, 10, 30)
    await tick()
    assert (await ended(tick, OutboundOutcome.WRONG_NUMBER, clock.now())).state == "handed_over"
    await settle_reminder(database, await look(), note="改打家里电话")
    assert (await the_reminder(database)).state == "done"


async def test_what_was_said_about_a_ticket_belongs_on_the_ticket(
    promised: None, look: Look, database: Database
) -> None:
    with pytest.raises(HasTicket):
        await settle_reminder(database, await look())
    assert (await the_reminder(database)).state == "waiting"


async def test_while_it_rings_the_outcome_decides(
    promised: None, look: Look, database: Database, clock: SetClock, tick: Round
) -> None:
    clock.at = local(24, 10, 30)
    await tick()
    with pytest.raises(ReminderUnderWay):
        await cancel_reminder(database, await look(), reason="不用打了")
    assert (await the_reminder(database)).state == "dialling"


@pytest.mark.parametrize("state", [ReminderState.DONE, ReminderState.CANCELLED])
async def test_what_is_over_is_not_ended_again(
    promised: None, look: Look, database: Database, state: ReminderState
) -> None:
    async with database.write() as session:
        await session.execute(update(ReminderRow).values(state=state.value, reason="reached"))
    with pytest.raises(ReminderOver) as refused:
        await cancel_reminder(database, await look(), reason="不用打了")
    assert refused.value.state is state
    assert (await the_reminder(database)).reason == "reached"


async def test_who_has_not_seen_the_last_try_looks_again(
    promised: None, look: Look, database: Database, clock: SetClock, tick: Round
) -> None:
    """The resident may have asked for a person meanwhile."""
    seen = await look()
    clock.at = local(24, 10, 30)
    await tick()
    await ended(tick, OutboundOutcome.REACHED, clock.now(), keys="2")
    assert (await the_reminder(database)).state == "handed_over"
    with pytest.raises(ReminderMoved):
        await cancel_reminder(database, seen, reason="不用打了")
    await cancel_reminder(database, await look(), reason="已当面谈过")
    assert (await the_reminder(database)).state == "cancelled"


async def test_a_claim_alone_is_no_change_and_its_call_is_not_made(
    promised: None, look: Look, database: Database, clock: SetClock, tick: Round, far_end: FarEnd
) -> None:
    seen = await look()
    clock.at = local(24, 10, 30)
    await claim_due(database, now=clock.now(), claimer="another", limit=5)
    await cancel_reminder(database, seen, reason="不用打了")
    clock.at = local(24, 10, 45)
    await tick()
    assert (await the_reminder(database)).state == "cancelled"
    assert far_end.calls == []


async def test_two_people_at_once_end_it_once(promised: None, look: Look, database: Database) -> None:
    seen = await look()
    found = await asyncio.gather(
        *(cancel_reminder(database, seen, reason=f"第{number}人") for number in range(4)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in found) == ["NoneType", *["ReminderOver"] * 3]
    async with database.read() as session:
        assert len((await session.scalars(select(AuditRow))).all()) == 1


async def test_no_such_reminder(database: Database, clock: SetClock) -> None:
    with pytest.raises(NoSuchReminder):
        await cancel_reminder(
            database, Ending(reminder_id=7, seen="waiting:0", actor="lijia", now=clock.now()), reason="x"
        )
