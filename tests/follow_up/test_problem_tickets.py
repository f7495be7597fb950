"""Several problems in one call: each can become a ticket of its own, linked both ways, and go back again."""

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketDeadlineRow, TicketFieldRow, TicketHistoryRow, TicketRow
from callcenter.domain.heard_fields import read_problem, written_problem
from callcenter.domain.tickets import Problem, RequestType, Urgency
from callcenter.reports.ticket_page import read_ticket
from callcenter.reports.ticket_people import read_parts
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.merge_tickets import merge_tickets
from callcenter.services.problem_ticket import ProblemRefused, make_ticket_of_problem
from callcenter.services.tickets import Change, NoSuchTicket, StaleTicket
from tests.conftest import SetClock
from tests.follow_up.conftest import RESIDENT, Opens, heard, inbound, leak, local, reminders

FIRST, SECOND = "GD-1124-0001", "GD-1124-0002"
LEAK = Problem(category="plumbing", request_type=RequestType.REPAIR, urgency=Urgency.NORMAL, text="厨房漏水")
NOISE = Problem(category="noise", request_type=RequestType.COMPLAINT, urgency=Urgency.URGENT, text="楼上：天天吵")
UNSURE_TYPE = Problem(category="parking", request_type=None, urgency=Urgency.NORMAL, text="车位被占")


@pytest.fixture
async def told(opens: Opens) -> None:
    """A leak, noise and a parking space, told on one call at ten."""
    await opens(inbound("CA1", local(24, 10)), leak(problems=tuple(heard(one) for one in (LEAK, NOISE, UNSURE_TYPE))))


def change(number: str = FIRST, version: int = 1, clock: SetClock | None = None) -> Change:
    return Change(number=number, version=version, actor="chenmin", now=(clock or SetClock()).now())


async def row(database: Database, number: str) -> TicketRow:
    async with database.read() as session:
        return (await session.scalars(select(TicketRow).where(TicketRow.number == number))).one()


def test_a_problem_is_written_and_read_back() -> None:
    for problem in (LEAK, NOISE, UNSURE_TYPE):
        assert read_problem(written_problem(problem)) == problem
    for text in ("", "厨房漏水", "plumbing repair：x", "plumbing repair soon：x"):
        assert read_problem(text) is None


async def test_a_problem_becomes_a_ticket_of_the_same_home_and_person(
    told: None, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    clock.advance(hours=1)
    assert await make_ticket_of_problem(database, change(clock=clock), field="problem.2", rules=rules) == SECOND
    old, new = await row(database, FIRST), await row(database, SECOND)
    assert (new.category, new.request_type, new.urgency, new.summary) == (
        "noise",
        "complaint",
        "urgent",
        "楼上：天天吵",
    )
    assert (new.building, new.room, new.contact, new.phone) == ("3", "501", "王女士", "13912344471")
    assert (new.caller_number, new.owner, new.status, new.needs_review) == (RESIDENT, "hewen", "open", False)
    assert (new.part_of, old.summary, old.version) == (old.id, "厨房水管漏水", 2)
    parts, back = await read_parts(database, old), await read_parts(database, new)
    assert {field: made.number for field, made in parts.made.items()} == {"problem.2": SECOND}
    assert back.of is not None
    assert back.of.number == FIRST
    page = await read_ticket(database, SECOND, day_began=local(24, 0))
    assert page is not None
    assert [(call.relation, call.recorded.call.id) for call in page.calls] == [("shared", "CA1")]
    async with database.read() as session:
        limits = await session.scalars(select(TicketDeadlineRow).where(TicketDeadlineRow.ticket_id == new.id))
        due = {limit.kind: limit.due_at for limit in limits.all()}
        field = await session.get_one(TicketFieldRow, (new.id, "summary"))
        told_in = await session.scalars(select(TicketHistoryRow).where(TicketHistoryRow.action == "made_of_problem"))
        assert [line.data for line in told_in.all()] == [
            {"into": SECOND, "field": "problem.2"},
            {"from": FIRST},
        ]
    assert due["first_reply"] == local(25, 10), "the complaint was made on the call, not when the ticket was made"
    assert field.evidence[0]["call_id"] == "CA1"
    assert [(one.kind, one.ticket_id) for one in await reminders(database)] == [("complaint_first_reply", new.id)]


async def test_it_is_made_once_and_never_of_what_the_ticket_is_about(
    told: None, database: Database, rules: FollowUpRules
) -> None:
    with pytest.raises(ProblemRefused, match="itself"):
        await make_ticket_of_problem(database, change(), field="problem.1", rules=rules)
    await make_ticket_of_problem(database, change(), field="problem.3", rules=rules)
    assert (await row(database, SECOND)).request_type == "repair", "the call's own type, where the problem had none"
    with pytest.raises(ProblemRefused, match=SECOND):
        await make_ticket_of_problem(database, change(version=2), field="problem.3", rules=rules)
    for field in ("problem.9", "summary"):
        with pytest.raises(ProblemRefused, match="no such problem"):
            await make_ticket_of_problem(database, change(version=2), field=field, rules=rules)
    with pytest.raises(StaleTicket):
        await make_ticket_of_problem(database, change(), field="problem.2", rules=rules)
    with pytest.raises(NoSuchTicket):
        await make_ticket_of_problem(database, change("GD-0101-0001"), field="problem.2", rules=rules)


async def test_merging_it_back_undoes_it(told: None, database: Database, clock: SetClock, rules: FollowUpRules) -> None:
    await make_ticket_of_problem(database, change(), field="problem.2", rules=rules)
    await merge_tickets(database, change(SECOND), into=FIRST, rules=rules)
    kept = await row(database, FIRST)
    assert (await row(database, SECOND)).merged_into == kept.id
    assert {one.ticket_id for one in await reminders(database)} == {kept.id}


async def test_a_second_call_about_either_is_joined_to_the_right_one(
    told: None, database: Database, opens: Opens, rules: FollowUpRules
) -> None:
    await make_ticket_of_problem(database, change(), field="problem.2", rules=rules)
    again = await opens(inbound("CA2", local(24, 12)), leak(categories=(heard("noise"),)))
    assert (again.joined, again.number) == (True, SECOND)
    again = await opens(inbound("CA3", local(24, 13)), leak())
    assert (again.joined, again.number) == (True, FIRST)
