"""A visit is confirmed by phone beforehand, once it is worth a call, and again when its time changes."""

from datetime import datetime

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketHistoryRow, TicketRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.tickets import Found, Promise, PromiseKind
from callcenter.services import tickets
from callcenter.services.appointments import confirmation_due
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Opens, Round, ended, heard, inbound, leak, local, reminders, the_reminder


def visit(due: datetime) -> Found[Promise]:
    return heard(Promise(kind=PromiseKind.VISIT, text="明天下午师傅上门", due=due))


@pytest.mark.parametrize(
    ("visit_at", "due"),
    [
        (local(25, 15), local(25, 11, 30)),
        (local(25, 9, 30), local(24, 19, 30)),
        (local(24, 16), local(24, 14)),
        (local(24, 12), local(24, 11)),
        (local(24, 11), None),
    ],
)
def test_confirmed_two_decent_hours_before_unless_it_was_only_just_agreed(
    visit_at: datetime, due: datetime | None, rules: FollowUpRules
) -> None:
    assert confirmation_due(visit_at, now=local(24, 10), rules=rules) == due


async def test_the_call_says_company_name_report_and_time_and_key_1_confirms(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(visit(local(25, 15)),)))
    clock.at = local(25, 11, 30)
    await tick()
    (call,) = far_end.calls
    assert (
        "翠湖物业客服中心，我是客服何雯。您反映的“厨房水管漏水”，地址三栋二单元五零幺，我们约定今天下午三点上门处理"
        in call.speech
    )
    assert (call.kind, call.key_prompt) == ("appointment", "时间没有问题请按1，需要改时间请按2。")
    for _ in range(2):
        reminder = await ended(tick, OutboundOutcome.REACHED, local(25, 11, 31), keys="1")
    assert reminder.state == "done"
    async with database.read() as session:
        ticket = (await session.scalars(select(TicketRow))).one()
        answers = (
            await session.scalars(select(TicketHistoryRow).where(TicketHistoryRow.action == "resident_answered"))
        ).all()
    assert (ticket.visit_at, ticket.visit_confirmed_at) == (local(25, 15), local(25, 11, 32))
    assert [answer.data["answer"] for answer in answers] == ["confirmed:1"]


async def test_key_2_asks_for_a_person(opens: Opens, tick: Round, database: Database, clock: SetClock) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(visit(local(25, 15)),)))
    clock.at = local(25, 11, 30)
    await tick()
    reminder = await ended(tick, OutboundOutcome.REACHED, local(25, 11, 31), keys="2")
    assert (reminder.state, reminder.reason) == ("handed_over", "wants_a_person")
    async with database.read() as session:
        assert (await session.scalars(select(TicketRow))).one().visit_confirmed_at is None


async def test_a_new_time_replaces_the_call_for_the_old_one(
    opens: Opens, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    opened = await opens(inbound("CA1", local(24, 10)), leak(promises=(visit(local(25, 15)),)))
    moved = Promise(kind=PromiseKind.VISIT, text="改到后天", due=local(26, 10))
    change = Change(number=opened.number, version=1, actor="hewen", now=clock.now())
    await tickets.promise(database, change, promised=moved, rules=rules)
    found = [(one.promised_for, one.state, one.reason) for one in await reminders(database)]
    assert found == [
        (local(25, 15), "cancelled", "no_longer_owed"),
        (local(26, 10), "waiting", "not_yet_due"),
    ]


async def test_nobody_is_phoned_about_a_visit_that_is_over(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(visit(local(24, 16)),)))
    clock.at = local(24, 16)
    await tick()
    assert far_end.calls == []
    assert (await the_reminder(database)).reason == "too_late"


async def test_not_reached_before_the_visit_goes_to_a_person(
    opens: Opens, tick: Round, database: Database, clock: SetClock
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(visit(local(24, 16)),)))
    clock.at = local(24, 14)
    await tick()
    reminder = await ended(tick, OutboundOutcome.NO_ANSWER, local(24, 14, 1))
    assert (reminder.state, reminder.reason) == ("handed_over", "too_late")
