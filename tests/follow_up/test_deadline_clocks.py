"""Deadlines as rows: they stand still while we wait for the resident, and follow what a person corrects."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketDeadlineRow, TicketRow
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.services import tickets
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import Opens, heard, inbound, leak, local

NUMBER = "GD-1124-0001"


async def rows(database: Database) -> dict[str, TicketDeadlineRow]:
    """The newest of each kind."""
    async with database.read() as session:
        found = await session.scalars(select(TicketDeadlineRow).order_by(TicketDeadlineRow.id))
        return {row.kind: row for row in found.all()}


async def running(database: Database) -> dict[str, datetime]:
    found = await rows(database)
    return {kind: row.due_at for kind, row in found.items() if row.met_at is None and row.cancelled_at is None}


class Person:
    """Changes the ticket, version after version."""

    def __init__(self, database: Database, clock: SetClock, rules: FollowUpRules) -> None:
        self.database, self.clock, self.rules = database, clock, rules
        self.version = 1

    def change(self) -> Change:
        self.version += 1
        return Change(number=NUMBER, version=self.version - 1, actor="chenmin", now=self.clock.now())

    async def moves(self, to: TicketStatus) -> None:
        await tickets.change_status(self.database, self.change(), to=to, rules=self.rules)

    async def corrects(self, field: str, value: str) -> None:
        await tickets.correct_field(self.database, self.change(), field=field, value=value, rules=self.rules)


@pytest.fixture
def person(database: Database, clock: SetClock, rules: FollowUpRules) -> Person:
    return Person(database, clock, rules)


COMPLAINT = leak(request_type=heard(RequestType.COMPLAINT))


async def test_the_works_clock_stands_still_while_we_wait_for_the_resident(
    opens: Opens, database: Database, clock: SetClock, person: Person, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), COMPLAINT)
    await tickets.pass_on(database, person.change(), department="工程部", rules=rules)
    assert (await running(database))["passed_on"] == local(27, 10)
    clock.advance(hours=2)
    await person.moves(TicketStatus.WAITING)
    found = await rows(database)
    assert found["passed_on"].paused_at == clock.now()
    assert found["first_reply"].paused_at is None
    clock.advance(hours=30)
    await person.moves(TicketStatus.IN_PROGRESS)
    found = await rows(database)
    assert found["passed_on"].due_at == local(27, 10) + timedelta(hours=30)
    assert found["passed_on"].paused_at is None
    assert found["first_reply"].due_at == local(25, 10)


async def test_the_same_day_is_the_day_on_which_work_goes_on(
    opens: Opens, database: Database, clock: SetClock, person: Person
) -> None:
    await opens(inbound("CA1", local(24, 10)), COMPLAINT)
    await person.moves(TicketStatus.WAITING)
    clock.advance(hours=26)
    await person.moves(TicketStatus.IN_PROGRESS)
    assert (await running(database))["settled"] == local(26, 0)


async def test_a_correction_keeps_the_pauses(opens: Opens, database: Database, clock: SetClock, person: Person) -> None:
    own = FollowUpSettings.model_validate(
        {"limits": [{"category": "plumbing", "hours": 48}, {"category": "power", "hours": 24}]}
    )
    person.rules = opens.rules = follow_up_rules(own, CalendarSettings(), ConsoleSettings())
    await opens(inbound("CA1", local(24, 10)), leak())
    assert (await running(database))["settled"] == local(26, 10)
    await person.moves(TicketStatus.WAITING)
    clock.advance(hours=5)
    await person.moves(TicketStatus.IN_PROGRESS)
    assert (await running(database))["settled"] == local(26, 15)
    await person.corrects("category", "power")
    assert (await running(database))["settled"] == local(25, 15)
    await person.corrects("category", "noise")
    assert await running(database) == {}
    await person.corrects("category", "plumbing")
    assert (await running(database))["settled"] == local(26, 15)


async def test_a_resident_who_phones_ends_the_waiting(
    opens: Opens, database: Database, clock: SetClock, person: Person, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), COMPLAINT)
    await tickets.pass_on(database, person.change(), department="工程部", rules=rules)
    await person.moves(TicketStatus.WAITING)
    clock.advance(hours=3)
    await opens(inbound("CA2", clock.now()), COMPLAINT)
    async with database.read() as session:
        ticket = (await session.scalars(select(TicketRow))).one()
    assert ticket.status == "in_progress"
    found = (await rows(database))["passed_on"]
    assert (found.paused_at, found.due_at) == (None, local(27, 13))


async def test_a_repeat_call_about_what_was_thought_solved_is_answered_in_half_a_working_day(
    opens: Opens, database: Database, clock: SetClock, person: Person
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak())
    await person.moves(TicketStatus.SOLVED)
    clock.advance(hours=5)
    await opens(inbound("CA2", clock.now()), leak())
    assert (await running(database))["feedback_reply"] == local(25, 9, 30)


async def test_a_ticket_passed_on_does_not_get_its_same_day_limit_back(
    opens: Opens, database: Database, person: Person, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), COMPLAINT)
    await tickets.pass_on(database, person.change(), department="工程部", rules=rules)
    await person.corrects("contact", "王女士")
    assert set(await running(database)) == {"first_reply", "passed_on"}


async def test_an_emergency_below_the_threshold_runs_its_clock_until_a_person_denies_it(
    opens: Opens, database: Database, person: Person
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(urgency=heard(Urgency.EMERGENCY, 0.4)))
    found = (await rows(database))["on_site"]
    assert (found.basis, found.due_at) == ("emergency_unsure", local(24, 10, 3))
    async with database.read() as session:
        ticket = (await session.scalars(select(TicketRow))).one()
    assert (ticket.urgency, ticket.needs_review) == (None, True)
    await person.corrects("contact", "王女士")
    assert "on_site" in await running(database)
    await person.corrects("urgency", "normal")
    assert await running(database) == {}


async def test_an_unsure_emergency_that_a_person_confirms_is_one(
    opens: Opens, database: Database, person: Person, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(urgency=heard(Urgency.EMERGENCY, 0.4)))
    await tickets.confirm_all(database, person.change(), rules=rules)
    found = (await rows(database))["on_site"]
    assert (found.basis, found.due_at, found.cancelled_at) == ("emergency", local(24, 10, 3), None)


async def test_a_second_emergency_call_after_the_arrival_runs_a_new_clock(
    opens: Opens, database: Database, clock: SetClock, person: Person
) -> None:
    emergency = leak(urgency=heard(Urgency.EMERGENCY))
    await opens(inbound("CA1", local(24, 10)), emergency)
    await opens(inbound("CA2", local(24, 10, 1)), emergency)
    person.version = 2
    await tickets.mark_arrived(database, person.change())
    assert DeadlineKind.ON_SITE not in await running(database)
    clock.advance(minutes=30)
    await opens(inbound("CA3", clock.now()), emergency)
    assert (await running(database))["on_site"] == local(24, 10, 33)


async def test_working_time_is_counted_in_the_estates_own_hours(
    opens: Opens, database: Database, person: Person, clock: SetClock
) -> None:
    calendar = CalendarSettings.model_validate(
        {"office_hours_by_estate": {"翠湖一期": [{"start": "12:00", "end": "20:00"}]}}
    )
    person.rules = opens.rules = follow_up_rules(FollowUpSettings(), calendar, ConsoleSettings())
    await opens(inbound("CA1", local(24, 10)), leak())
    async with database.write() as session:
        (await session.scalars(select(TicketRow))).one().estate = "翠湖一期"
    await person.moves(TicketStatus.SOLVED)
    await person.moves(TicketStatus.REOPENED)
    assert (await running(database))["feedback_reply"] == local(24, 16)
