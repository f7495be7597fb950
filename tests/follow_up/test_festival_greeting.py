"""Festival greetings go only to those who agreed to them, and nobody chases who does not answer."""

from callcenter.db.engine import Database
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.recipients_file import Recipient
from callcenter.services.campaigns import NewCampaign, make_campaign, start_campaign
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.resident_wishes import Wishes, note_wishes
from tests.conftest import SetClock
from tests.follow_up.conftest import RESIDENT, FarEnd, Round, attempts, ends, local, outbound, reminders

OTHER = "+8613800000001"


async def test_only_to_those_who_agreed(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    clock.at = local(1, 9, month=10)
    async with database.write() as session:
        await note_wishes(session, RESIDENT, Wishes(greetings=True), by="hewen", now=clock.now())
    new = NewCampaign(
        name="国庆", kind="festival_greeting", text="祝您节日快乐", opens_at=local(1, 9, month=10),
        closes_at=local(1, 19, month=10), calls_a_minute=60,
    )  # fmt: skip
    recipients = [Recipient(number=RESIDENT, name="王女士"), Recipient(number=OTHER)]
    await make_campaign(database, new, recipients, by="chenmin", now=clock.now())
    await start_campaign(database, "国庆", now=clock.now(), rules=rules)
    clock.advance(minutes=2)
    await tick()
    assert [call.to_number for call in far_end.calls] == [RESIDENT]
    assert far_end.calls[0].speech.startswith("王女士，您好，上午好，这里是翠湖物业客服中心。祝您节日快乐。")
    for number in range(3):
        (attempt,) = (await attempts(database))[number:]
        call = outbound(
            str(attempt.call_id), clock.now(), OutboundOutcome.NO_ANSWER, reminder_id=attempt.reminder_id,
            to_number=RESIDENT,
        )  # fmt: skip
        await ends(database, call, clock, rules)
        clock.at = max((await reminders(database))[0].due_at, clock.now())
        await tick()
    agreed, other = await reminders(database)
    assert (other.state, other.reason) == ("cancelled", "not_agreed")
    assert agreed.state == "cancelled", "no person takes over a greeting"


async def test_who_takes_the_agreement_back_hears_none(
    database: Database, clock: SetClock, tick: Round, far_end: FarEnd, rules: FollowUpRules
) -> None:
    new = NewCampaign(
        name="元旦", kind="festival_greeting", text="祝您新年快乐", opens_at=local(24, 10), closes_at=local(24, 19),
        calls_a_minute=60,
    )  # fmt: skip
    async with database.write() as session:
        await note_wishes(session, RESIDENT, Wishes(greetings=True), by="hewen", now=clock.now())
    await make_campaign(database, new, [Recipient(number=RESIDENT)], by="chenmin", now=clock.now())
    await start_campaign(database, "元旦", now=clock.now(), rules=rules)
    async with database.write() as session:
        await note_wishes(session, RESIDENT, Wishes(), by="hewen", now=clock.now())
    await tick()
    assert far_end.calls == []
