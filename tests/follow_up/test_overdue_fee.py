"""Overdue fees: imported whole, one call a home, a date agreed by key, never while a complaint is open."""

from datetime import date

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.fees import FeeRow
from callcenter.db.reminders import ReminderRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.fee_file import Fee
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import RequestType
from callcenter.services import tickets
from callcenter.services.fees import ImportedFees, NoSuchFee, import_fees, list_fees, mark_paid
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import (
    RESIDENT,
    FarEnd,
    Opens,
    Round,
    ends,
    heard,
    inbound,
    leak,
    local,
    outbound,
    reminders,
    the_reminder,
)


def fee(items: str = "物业费", amount_fen: int = 123450, **other: object) -> Fee:
    values: dict[str, object] = {
        "number": RESIDENT,
        "name": "王女士",
        "place": "3栋2单元501",
        "amount_fen": amount_fen,
        "items": items,
        "due_on": date(2026, 10, 31),
    }
    return Fee(**values | other)  # type: ignore[arg-type]


async def fees(database: Database) -> list[FeeRow]:
    async with database.read() as session:
        return list((await session.scalars(select(FeeRow).order_by(FeeRow.id))).all())


async def answered(tick: Round, *keys: tuple[str, str]) -> ReminderRow:
    reminder = await the_reminder(tick.database)
    call = outbound(f"CA-reminder-{reminder.id}-1", tick.clock.now(), OutboundOutcome.REACHED, reminder_id=reminder.id)
    call.keys = [list(pair) for pair in keys]
    for _ in range(2):
        await ends(tick.database, call, tick.clock, tick.rules)
    return await the_reminder(tick.database)


async def test_one_call_a_home_names_the_amount_and_the_items(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    done = await import_fees(database, [fee(), fee("停车费", 30000)], now=clock.now(), rules=rules)
    assert done == ImportedFees(fees=2, known=0, calls=1)
    await tick()
    (call,) = far_end.calls
    assert "王女士，您好，上午好" in call.speech
    assert "物业费、停车费，共一千五百三十四元五角，原定十月三十一日前缴纳" in call.speech


async def test_the_same_file_again_changes_nothing_and_a_new_item_joins_the_waiting_call(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await import_fees(database, [fee()], now=clock.now(), rules=rules)
    again = await import_fees(database, [fee(), fee("水费", 5000)], now=clock.now(), rules=rules)
    assert again == ImportedFees(fees=1, known=1, calls=0)
    await tick()
    assert "物业费、水费，共一千二百八十四元五角" in far_end.calls[0].speech
    assert len(await reminders(database)) == 1


async def test_only_on_working_days_in_office_hours_and_not_before_it_is_overdue(
    database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    clock.at = local(27, 18, 30)
    await import_fees(database, [fee()], now=clock.now(), rules=rules)
    await import_fees(database, [fee(number="+8613800000001", due_on=date(2026, 12, 31))], now=clock.now(), rules=rules)
    overdue, not_yet = await reminders(database)
    assert overdue.due_at == local(30, 9)
    assert not_yet.due_at > local(31, 23, 59, month=12)


async def test_key_1_and_a_day_record_the_date(
    tick: Round, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await import_fees(database, [fee(), fee("停车费")], now=clock.now(), rules=rules)
    await tick()
    reminder = await answered(tick, ("answer", "1"), ("then", "09"))
    assert reminder.state == "done"
    assert {(one.state, one.agreed_on) for one in await fees(database)} == {("agreed", date(2026, 12, 9))}


@pytest.mark.parametrize("keys", [[("answer", "1")], [("answer", "1"), ("then", "77")], [("answer", "2")]])
async def test_without_a_date_a_person_calls_to_agree_one(
    keys: list[tuple[str, str]], tick: Round, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await import_fees(database, [fee()], now=clock.now(), rules=rules)
    await tick()
    reminder = await answered(tick, *keys)
    assert (reminder.state, reminder.reason) == ("handed_over", "wants_a_person")
    assert [one.state for one in await fees(database)] == ["open"]


async def test_never_to_a_caller_with_an_open_complaint(
    opens: Opens, tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    opened = await opens(inbound("CA1", local(24, 9)), leak(request_type=heard(RequestType.COMPLAINT)))
    await import_fees(database, [fee()], now=clock.now(), rules=rules)
    await tick()
    waiting = next(one for one in await reminders(database) if one.kind == "overdue_fee")
    assert (far_end.calls, waiting.state, waiting.reason) == ([], "waiting", "open_complaint")
    assert waiting.due_at == local(25, 9)
    version = 1
    for to in (TicketStatus.SOLVED, TicketStatus.CLOSED):
        change = Change(number=opened.number, version=version, actor="hewen", now=clock.now())
        version = await tickets.change_status(database, change, to=to, rules=rules)
    clock.at = local(25, 9)
    await tick()
    assert [call.kind for call in far_end.calls] == ["overdue_fee"]


async def test_a_resident_who_called_in_about_fees_is_not_phoned_about_them(
    opens: Opens, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await import_fees(database, [fee()], now=clock.now(), rules=rules)
    await opens(
        inbound("CA1", local(24, 10)), leak(request_type=heard(RequestType.ENQUIRY), categories=(heard("fees"),))
    )
    assert [one.reason for one in await reminders(database) if one.kind == "overdue_fee"] == ["resident_called_in"]


async def test_what_is_paid_is_not_spoken_of(
    tick: Round, far_end: FarEnd, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    await import_fees(database, [fee(), fee("停车费", 30000)], now=clock.now(), rules=rules)
    await import_fees(database, [fee(number="+8613800000001")], now=clock.now(), rules=rules)
    first, _, other = await list_fees(database)
    await mark_paid(database, first.id, now=clock.now())
    await mark_paid(database, other.id, now=clock.now())
    await tick()
    (call,) = far_end.calls
    assert "停车费，共三百元" in call.speech
    assert [one.reason for one in await reminders(database)][1] == "no_longer_owed"
    with pytest.raises(NoSuchFee):
        await mark_paid(database, 99, now=clock.now())
