"""Why a reminder is when it is, in both languages, without showing the number."""

import pytest

from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderState
from callcenter.domain.calls import OutboundOutcome
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.explain_reminder import NoSuchReminder, explain_reminder, list_reminders
from callcenter.services.follow_up_rules import FollowUpRules
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Opens, call_back, ends, inbound, leak, local, outbound


async def test_a_promise_is_explained_before_and_after_a_busy_line(
    opens: Opens, database: Database, clock: SetClock, rules: FollowUpRules, far_end: FarEnd
) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 10, 30)),)))
    said = await explain_reminder(database, 1, now=clock.now(), rules=rules)
    assert said.basis == "承诺 2026-11-24 10:30 前回电"
    assert said.now == "等到 2026-11-24 10:25：尚未到期"
    assert said.to_number == "+86139****4471"
    clock.at = local(24, 10, 25)
    await dial_due_reminders(database, clock=clock, dialler=far_end, rules=rules, claimer="one")
    await ends(database, outbound("CA-reminder-1-1", clock.now(), OutboundOutcome.BUSY, reminder_id=1), clock, rules)
    said = await explain_reminder(database, 1, now=clock.now(), rules=rules, language="en")
    assert said.why == "busy: tried again soon"
    assert [(one.number, one.outcome) for one in said.attempts] == [(1, "busy")]
    assert said.now == "it waits until 2026-11-24 10:36: it is not due yet"


async def test_the_list_shows_the_next_first(opens: Opens, database: Database) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 12)),)))
    await opens(inbound("CA2", local(24, 10)), leak(promises=(call_back(local(24, 10, 45)),)))
    assert [one.promised_for for one in await list_reminders(database)] == [local(24, 10, 45), local(24, 12)]
    assert await list_reminders(database, states=[ReminderState.HANDED_OVER]) == []


async def test_no_such_reminder(database: Database, clock: SetClock, rules: FollowUpRules) -> None:
    with pytest.raises(NoSuchReminder):
        await explain_reminder(database, 7, now=clock.now(), rules=rules)
