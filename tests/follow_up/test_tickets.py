"""What people do with tickets: nothing is overwritten unseen, everything is on record, deadlines follow."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketDeadlineRow, TicketFieldRow, TicketHistoryRow, TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.dialling import Action, Decision, Reason
from callcenter.domain.heard_fields import UnreadableField
from callcenter.domain.ticket_life import TicketStatus, TransitionRefused
from callcenter.domain.tickets import Promise, PromiseKind, RequestType, TicketDraft, Urgency
from callcenter.services import tickets
from callcenter.services.dial import note_hand_over
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import follow
from callcenter.services.tickets import Change, NoSuchTicket, StaleTicket
from tests.conftest import SetClock
from tests.follow_up.conftest import HOME, Opens, call_back, heard, inbound, leak, local, reminders

NUMBER = "GD-1124-0001"


@pytest.fixture
def change(clock: SetClock) -> "Changes":
    return Changes(clock)


class Changes:
    """Changes by one person to one ticket, version after version."""

    def __init__(self, clock: SetClock) -> None:
        self.clock = clock

    def __call__(self, version: int, actor: str = "chenmin") -> Change:
        return Change(number=NUMBER, version=version, actor=actor, now=self.clock.now())


async def the_ticket(database: Database) -> TicketRow:
    async with database.read() as session:
        return (await session.scalars(select(TicketRow))).one()


async def open_deadlines(database: Database) -> dict[str, datetime]:
    query = select(TicketDeadlineRow).where(
        TicketDeadlineRow.met_at.is_(None), TicketDeadlineRow.cancelled_at.is_(None)
    )
    async with database.read() as session:
        return {row.kind: row.due_at for row in (await session.scalars(query)).all()}


async def test_a_corrected_field_is_set_and_says_who_corrected_it(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(place=heard(HOME, 0.4)))
    version = await tickets.correct_field(database, change(1), field="place", value=" 21栋1单元903 ", rules=rules)
    row = await the_ticket(database)
    assert (row.building, row.unit, row.room, row.needs_review, row.version) == ("21", "1", "903", False, version)
    async with database.read() as session:
        field = await session.get_one(TicketFieldRow, (row.id, "place"))
        audit = (await session.scalars(select(AuditRow))).one()
    assert (field.state, field.heard, field.value) == ("corrected", "3栋2单元501", "21栋1单元903")
    assert field.corrected_by == "chenmin"
    assert (audit.login, audit.subject, audit.data["field"]) == ("chenmin", NUMBER, "place")


async def test_a_change_of_what_has_changed_meanwhile_is_refused_and_names_who_did(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    await tickets.add_note(database, change(1, "lijia"), text="师傅已联系")
    with pytest.raises(StaleTicket, match="changed by lijia") as refused:
        await tickets.correct_field(database, change(1), field="contact", value="李先生", rules=rules)
    assert refused.value.version == 2
    assert (await the_ticket(database)).contact == "王女士"


async def test_of_two_changes_at_once_one_is_refused(opens: Opens, database: Database, change: Changes) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    notes = (tickets.add_note(database, change(1, actor), text="x") for actor in ("hewen", "lijia", "chenmin"))
    results = await asyncio.gather(*notes, return_exceptions=True)
    assert sum(isinstance(result, StaleTicket) for result in results) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place", "3栋501栋2"),
        ("urgency", "high"),
        ("phone", "无"),
        ("wanted", "明天"),
        ("owner", "me"),
        ("summary", "x" * 501),
    ],
)
async def test_a_value_that_cannot_be_read_changes_nothing(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules, field: str, value: str
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    with pytest.raises(UnreadableField):
        await tickets.correct_field(database, change(1), field=field, value=value, rules=rules)
    assert (await the_ticket(database)).version == 1


async def test_no_such_ticket(database: Database, change: Changes) -> None:
    with pytest.raises(NoSuchTicket):
        await tickets.add_note(database, change(1), text="x")


async def test_correcting_the_type_to_complaint_starts_its_clocks_and_back_stops_them(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 9, 30)), leak())
    await tickets.correct_field(database, change(1), field="request_type", value="complaint", rules=rules)
    assert await open_deadlines(database) == {"first_reply": local(25, 9, 30), "settled": local(25, 0)}
    assert [(one.kind, one.state) for one in await reminders(database)] == [("complaint_first_reply", "waiting")]
    await tickets.correct_field(database, change(2), field="request_type", value="repair", rules=rules)
    assert await open_deadlines(database) == {}
    assert [one.reason for one in await reminders(database)] == ["no_longer_owed"]


async def test_a_complaint_after_all_is_owed_its_first_reply_again(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(request_type=heard(RequestType.COMPLAINT)))
    (first,) = await reminders(database)
    for version, value, state in ((1, "repair", "cancelled"), (2, "complaint", "waiting")):
        await tickets.correct_field(database, change(version), field="request_type", value=value, rules=rules)
        (reminder,) = await reminders(database)
        assert (reminder.kind, reminder.state) == ("complaint_first_reply", state)
    assert (reminder.due_at, reminder.finished_at, reminder.reason) == (first.due_at, None, "not_yet_due")


async def test_a_first_reply_that_no_decent_hour_is_left_for_goes_to_a_person_at_once(
    opens: Opens, database: Database, clock: SetClock, change: Changes, rules: FollowUpRules
) -> None:
    """Reported at seven in the morning, found to be a complaint at ten at night: nine in the morning is too late."""
    await opens(inbound("CA1", local(24, 7)), leak())
    clock.at = local(24, 22)
    await tickets.correct_field(database, change(1), field="request_type", value="complaint", rules=rules)
    (reminder,) = await reminders(database)
    assert (reminder.kind, reminder.state, reminder.reason) == ("complaint_first_reply", "handed_over", "too_late")


async def test_a_corrected_number_is_the_one_that_is_called(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 11)),)))
    await tickets.correct_field(database, change(1), field="phone", value="139 1234 4472", rules=rules)
    assert (await reminders(database))[0].to_number == "+8613912344472"


async def test_confirming_all_takes_the_unsure_values_and_ends_the_review(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    draft = leak(place=heard(HOME, 0.4), urgency=heard(Urgency.URGENT, 0.3), must_listen=True)
    await opens(inbound("CA1", local(24, 10)), draft)
    await tickets.confirm_all(database, change(1), rules=rules)
    row = await the_ticket(database)
    assert (row.room, row.urgency, row.needs_review, row.must_listen) == ("501", "urgent", False, False)
    async with database.read() as session:
        states = set((await session.scalars(select(TicketFieldRow.state))).all())
    assert states == {"confirmed"}


async def test_a_life_from_open_to_closed_and_reopened(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 11)),)))
    version = await tickets.assign(database, change(1), to="lijia")
    steps = [TicketStatus.IN_PROGRESS, TicketStatus.WAITING, TicketStatus.SOLVED]
    for status in steps:
        version = await tickets.change_status(database, change(version), to=status, rules=rules)
    assert [(one.kind, one.state) for one in await reminders(database)] == [
        ("call_back_promised", "waiting"),
        ("satisfaction", "waiting"),
    ]
    for status in (TicketStatus.VERIFIED, TicketStatus.CLOSED):
        version = await tickets.change_status(database, change(version), to=status, rules=rules)
    row = await the_ticket(database)
    assert (row.status, row.owner) == ("closed", "lijia")
    assert row.closed_at is not None
    assert {one.reason for one in await reminders(database)} == {"ticket_finished"}
    with pytest.raises(TransitionRefused):
        await tickets.change_status(database, change(version), to=TicketStatus.SOLVED, rules=rules)
    await tickets.change_status(database, change(version), to=TicketStatus.REOPENED, rules=rules)
    assert await open_deadlines(database) == {"feedback_reply": local(24, 15, 30)}


async def test_arriving_ends_the_three_minutes(opens: Opens, database: Database, change: Changes) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(urgency=heard(Urgency.EMERGENCY)))
    await tickets.mark_arrived(database, change(1))
    assert await open_deadlines(database) == {}
    assert (await the_ticket(database)).status == "in_progress"


async def test_passing_on_gives_three_days_and_leaves_the_owner(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(request_type=heard(RequestType.COMPLAINT)))
    await tickets.pass_on(database, change(1), department="工程部", rules=rules)
    assert await open_deadlines(database) == {"first_reply": local(25, 10), "passed_on": local(27, 10)}
    assert (await the_ticket(database)).owner == "hewen"


async def test_a_promise_of_an_agent_becomes_a_deadline_and_a_call(
    opens: Opens, database: Database, change: Changes, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    promised = Promise(kind=PromiseKind.CALL_BACK, text="下午三点前回电", due=local(24, 15))
    await tickets.promise(database, change(1), promised=promised, rules=rules)
    assert await open_deadlines(database) == {"promise": local(24, 15)}
    assert [one.due_at for one in await reminders(database)] == [local(24, 14, 55)]


async def test_a_reply_by_a_person_saves_the_call(opens: Opens, database: Database, change: Changes) -> None:
    draft = leak(request_type=heard(RequestType.COMPLAINT), promises=(call_back(local(24, 11)),))
    await opens(inbound("CA1", local(24, 10)), draft)
    await tickets.record_reply(database, change(1), note="已说明")
    assert set(await open_deadlines(database)) == {"settled"}
    assert [one.reason for one in await reminders(database)] == ["another_call_served"]


async def test_the_history_says_who_did_what(opens: Opens, database: Database, change: Changes) -> None:
    await opens(inbound("CA1", local(24, 10)), TicketDraft())
    await tickets.assign(database, change(1, "manager"), to="lijia")
    async with database.read() as session:
        rows = (await session.scalars(select(TicketHistoryRow).order_by(TicketHistoryRow.id))).all()
    assert [(row.actor, row.action) for row in rows] == [("hewen", "opened"), ("manager", "assigned")]
    assert rows[1].data == {"to": "lijia", "from": "hewen"}


async def test_a_call_that_is_handed_over_and_an_agents_change_wait_for_each_other_and_never_for_ever(
    opens: Opens, database: Database, change: Changes, clock: SetClock
) -> None:
    """The scheduler holds the call and writes the ticket's history; the agent holds the ticket and wants the call."""
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),)))
    holding = asyncio.Event()

    async def hands_over() -> None:
        async with database.write() as session:
            reminder = (await session.scalars(select(ReminderRow).with_for_update())).one()
            holding.set()
            await asyncio.sleep(0.5)  # on PostgreSQL the agent has the ticket by then; SQLite lets nobody in
            decision = Decision(action=Action.HAND_OVER, reason=Reason.LAST_ATTEMPT)
            follow(reminder, decision, now=clock.now())
            note_hand_over(session, reminder, decision, now=clock.now())

    handing_over = asyncio.create_task(hands_over())
    await holding.wait()
    await tickets.record_reply(database, change(1))
    await handing_over
    async with database.read() as session:
        history = (await session.scalars(select(TicketHistoryRow.action).order_by(TicketHistoryRow.id))).all()
    assert {"handed_over", "resident_called"} <= set(history)
