"""A place kept in the line is a call that we owe, as soon as somebody is free."""

from dataclasses import replace
from datetime import timedelta

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderState
from callcenter.domain.dialling import Reason
from callcenter.domain.rings import Disposition
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.missed_calls import plan_missed_call
from callcenter.services.queue_call_backs import plan_queue_call_back
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, inbound, local, missed, reminders

NIGHT = local(24, 23, 30)
KEPT = [["queue", "1"]]


async def folded(database: Database, call: CallRow, rules: FollowUpRules) -> None:
    async with database.write() as session:
        await session.merge(call)
        for _ in range(2):
            await plan_queue_call_back(session, call, NIGHT)
            await plan_missed_call(session, call, NIGHT, rules=rules)


async def test_it_is_owed_once_at_any_hour_instead_of_a_missed_calls(database: Database, rules: FollowUpRules) -> None:
    await folded(database, missed("CA1", NIGHT, Disposition.RANG_OUT, keys=KEPT), rules)
    (one,) = await reminders(database)
    assert (one.kind, one.state, one.due_at) == ("queue_call_back", "waiting", NIGHT + timedelta(minutes=1))
    assert one.promised_for == one.due_at


async def test_without_a_number_a_person_sees_to_it(database: Database, rules: FollowUpRules) -> None:
    await folded(database, missed("CA1", NIGHT, Disposition.LEFT_BEFORE_RINGING, keys=KEPT, from_number=None), rules)
    (one,) = await reminders(database)
    assert (one.kind, one.state, one.reason) == ("queue_call_back", "handed_over", Reason.NOT_DIALABLE.value)


async def test_it_waits_until_somebody_is_free(
    database: Database, rules: FollowUpRules, clock: SetClock, far_end: FarEnd
) -> None:
    await folded(database, missed("CA1", NIGHT, Disposition.LEFT_BEFORE_RINGING, keys=KEPT), rules)
    free = False
    asks = replace(rules, somebody_is_free=lambda: free)
    clock.at = NIGHT + timedelta(minutes=2)
    await dial_due_reminders(database, clock=clock, dialler=far_end, rules=asks, claimer="a")
    (one,) = await reminders(database)
    assert (one.state, one.reason) == (ReminderState.WAITING, Reason.NOBODY_FREE.value)
    assert far_end.calls == []
    free = True
    clock.at = NIGHT + timedelta(minutes=3)
    await dial_due_reminders(database, clock=clock, dialler=far_end, rules=asks, claimer="a")
    (call,) = far_end.calls
    assert call.kind == "queue_call_back"
    assert "马上接通人工客服请按1" in call.speech


async def test_who_got_through_meanwhile_is_not_phoned(database: Database, rules: FollowUpRules) -> None:
    await folded(database, missed("CA1", NIGHT, Disposition.LEFT_BEFORE_RINGING, keys=KEPT), rules)
    await folded(database, inbound("CA2", NIGHT + timedelta(minutes=2)), rules)
    (one,) = await reminders(database)
    assert (one.state, one.reason) == ("cancelled", Reason.RESIDENT_CALLED_IN.value)
