"""Three levels are told, repeated until acknowledged, once each however many schedulers there are."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from callcenter.config import EscalationSettings, NotifySettings
from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow, NoticeRow
from callcenter.db.tickets import TicketDeadlineRow, TicketHistoryRow
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.ports import Notice, NotTold
from callcenter.services import tickets
from callcenter.services.escalate import NOTHING_MORE, escalate
from callcenter.services.escalation_rules import Colleague, colleagues, escalation_rules, recipients
from callcenter.services.escalations import NoSuchEscalation, acknowledge_escalation
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.send_notices import TRIES, send_notices
from callcenter.services.tickets import Change
from tests.conftest import SetClock
from tests.follow_up.conftest import Opens, heard, inbound, leak, local

PEOPLE = colleagues(
    [
        NotifySettings(name="何雯", level=1, agent="hewen", urls=("json://a",)),
        NotifySettings(name="陈敏", level=1, agent="chenmin", urls=("json://b",)),
        NotifySettings(name="主管", level=2, urls=("json://c", "json://d")),
        NotifySettings(name="副总", level=3, urls=("json://e",)),
    ]
)
COMPLAINT = leak(request_type=heard(RequestType.COMPLAINT))
EMERGENCY = leak(urgency=heard(Urgency.EMERGENCY))


class Notifier:
    """Takes everything; `failing` persons cannot be told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, Notice]] = []
        self.failing: set[str] = set()

    async def tell(self, person: str, channel: int, notice: Notice) -> None:
        if person in self.failing:
            raise NotTold("json: error=503")
        self.told.append((person, channel, notice))


class Escalation:
    def __init__(self, database: Database, clock: SetClock, rules: FollowUpRules) -> None:
        self.database, self.clock = database, clock
        self.rules = escalation_rules(EscalationSettings(), rules.calendar)
        self.notifier = Notifier()

    async def tick(self) -> list[str]:
        """Who was told in this round, once a channel."""
        before = len(self.notifier.told)
        await escalate(
            self.database, now=self.clock.now(), rules=self.rules, people=PEOPLE, public_url="https://hotline.example"
        )
        await send_notices(self.database, clock=self.clock, notifier=self.notifier, claimer="one")
        return [person for person, _, _ in self.notifier.told[before:]]

    async def rows(self) -> list[EscalationRow]:
        async with self.database.read() as session:
            return list((await session.scalars(select(EscalationRow).order_by(EscalationRow.id))).all())

    async def notices(self) -> list[NoticeRow]:
        async with self.database.read() as session:
            return list((await session.scalars(select(NoticeRow).order_by(NoticeRow.id))).all())

    async def levels(self) -> list[tuple[int, str]]:
        return [(row.level, row.cause) for row in await self.rows()]


@pytest.fixture
def escalation(database: Database, clock: SetClock, rules: FollowUpRules) -> Escalation:
    return Escalation(database, clock, rules)


def change(escalation: Escalation, version: int) -> Change:
    return Change(number="GD-1124-0001", version=version, actor="hewen", now=escalation.clock.now())


async def only_first_reply(database: Database) -> None:
    """The same-day limit is out of the way."""
    async with database.write() as session:
        for row in (await session.scalars(select(TicketDeadlineRow))).all():
            if row.kind == "settled":
                row.met_at = row.due_at


async def test_each_level_hears_in_its_turn(opens: Opens, database: Database, escalation: Escalation) -> None:
    escalation.clock.at = local(24, 16)
    await opens(inbound("CA1", local(24, 16)), COMPLAINT)
    await only_first_reply(database)
    assert await escalation.tick() == []
    escalation.clock.at = local(25, 12)
    assert await escalation.tick() == ["何雯"]
    assert await escalation.tick() == []
    escalation.clock.at = local(25, 14)
    assert sorted(set(await escalation.tick())) == ["主管", "何雯"]
    escalation.clock.at = local(25, 16)
    assert "副总" in await escalation.tick()
    assert await escalation.levels() == [(1, "limit_near"), (2, "limit_near"), (3, "limit_passed")]
    async with database.read() as session:
        rows = (await session.scalars(select(TicketDeadlineRow).where(TicketDeadlineRow.kind == "first_reply"))).all()
        history = await session.scalars(select(TicketHistoryRow).where(TicketHistoryRow.action == "escalated"))
        assert [row.data["level"] for row in history] == [1, 2, 3]
    assert rows[0].escalate_at == NOTHING_MORE


async def test_a_notice_names_the_ticket_and_the_limit_and_never_the_resident(
    opens: Opens, database: Database, escalation: Escalation
) -> None:
    await opens(inbound("CA1", local(24, 10)), EMERGENCY)
    await escalation.tick()
    notice = escalation.notifier.told[0][2]
    assert notice.title == "【经办人】GD-1124-0001 紧急事件"
    assert notice.body == "时限：11-24 10:03\n请登录确认：https://hotline.example/tickets/GD-1124-0001"
    assert notice.urgent


async def test_an_emergency_goes_up_at_once_at_night_too(opens: Opens, escalation: Escalation) -> None:
    escalation.clock.at = local(25, 3)
    await opens(inbound("CA1", local(25, 3)), EMERGENCY)
    assert sorted(await escalation.tick()) == ["主管", "主管", "何雯"]
    escalation.clock.at = local(25, 3, 3)
    assert await escalation.tick() == ["副总"]


async def test_a_serious_complaint_goes_up_at_once(opens: Opens, database: Database, escalation: Escalation) -> None:
    await opens(inbound("CA1", local(24, 10)), COMPLAINT)
    assert await escalation.tick() == []
    escalation.clock.at = local(24, 10, 30)
    await opens(inbound("CA2", local(24, 10, 30)), COMPLAINT)
    assert sorted(set(await escalation.tick())) == ["主管", "何雯"]
    assert await escalation.levels() == [(1, "serious"), (2, "serious")]


async def test_it_is_repeated_until_acknowledged(opens: Opens, database: Database, escalation: Escalation) -> None:
    await opens(inbound("CA1", local(24, 10)), EMERGENCY)
    await escalation.tick()
    escalation.clock.at = local(24, 10, 5)
    assert sorted(set(await escalation.tick())) == ["主管", "何雯", "副总"]
    assert "第 2 次提醒" in escalation.notifier.told[-2][2].body
    by_level = {row.level: row.id for row in await escalation.rows()}
    assert await acknowledge_escalation(database, by_level[2], actor="zhuguan", now=escalation.clock.now())
    assert not await acknowledge_escalation(database, by_level[1], actor="hewen", now=escalation.clock.now())
    escalation.clock.at = local(24, 10, 10)
    assert await escalation.tick() == ["副总"]
    with pytest.raises(NoSuchEscalation):
        await acknowledge_escalation(database, 999, actor="hewen", now=escalation.clock.now())


async def test_unacknowledged_it_goes_up(opens: Opens, database: Database, escalation: Escalation) -> None:
    await opens(
        inbound("CA1", local(24, 8)), leak(request_type=heard(RequestType.COMPLAINT), categories=(heard("attitude"),))
    )
    escalation.clock.at = local(24, 8)
    for _ in range(3):
        await escalation.tick()
        escalation.clock.at = max(row.next_at for row in await escalation.rows())
    await escalation.tick()
    assert (3, "not_acknowledged") in await escalation.levels()


async def test_what_is_done_or_waits_or_moved_is_not_told_any_more(
    opens: Opens, database: Database, escalation: Escalation, rules: FollowUpRules
) -> None:
    await opens(inbound("CA1", local(24, 10)), COMPLAINT)
    await tickets.pass_on(database, change(escalation, 1), department="工程部", rules=rules)
    async with database.write() as session:
        for row in (await session.scalars(select(TicketDeadlineRow))).all():
            if row.kind == "first_reply":
                row.met_at = row.due_at
    escalation.clock.at = local(27, 7)
    assert await escalation.tick() == ["何雯"]
    await tickets.change_status(database, change(escalation, 2), to=TicketStatus.WAITING, rules=rules)
    escalation.clock.at = local(27, 12)
    assert await escalation.tick() == []
    await tickets.change_status(database, change(escalation, 3), to=TicketStatus.IN_PROGRESS, rules=rules)
    assert await escalation.tick() == ["何雯"], "the limit is at three now, so this is its warning"
    escalation.clock.at = local(27, 13)
    assert sorted(set(await escalation.tick())) == ["主管", "何雯"]
    await tickets.change_status(database, change(escalation, 4), to=TicketStatus.SOLVED, rules=rules)
    escalation.clock.at = local(28, 12)
    assert await escalation.tick() == []
    assert all(row.ended_at for row in await escalation.rows())


async def test_two_schedulers_tell_once(opens: Opens, database: Database, escalation: Escalation) -> None:
    for number in range(10):
        draft = leak(urgency=heard(Urgency.EMERGENCY), phone=None, place=None)
        await opens(inbound(f"CA{number}", local(24, 10), from_number=f"+86138000000{number:02}"), draft)
    for _ in range(3):
        await asyncio.gather(*(escalation.tick() for _ in range(4)))
        escalation.clock.advance(minutes=5)
    notices = await escalation.notices()
    keys = {(one.escalation_id, one.telling, one.person, one.channel) for one in notices}
    assert len(keys) == len(notices)
    sent = [one for one in notices if one.state == "sent"]
    assert len(escalation.notifier.told) == len(sent)
    rows = await escalation.rows()
    assert len({(row.topic, row.level) for row in rows}) == len(rows) == 30
    assert {row.tellings for row in rows if row.level == 1} == {3}


async def test_a_failure_is_tried_again_with_growing_intervals_and_then_shown(
    opens: Opens, database: Database, escalation: Escalation
) -> None:
    await opens(inbound("CA1", local(24, 10)), EMERGENCY)
    escalation.notifier.failing = {"何雯"}
    assert sorted(await escalation.tick()) == ["主管", "主管"]
    waits = []
    for _ in range(TRIES):
        failing = (await escalation.notices())[0]
        waits.append(failing.next_at - escalation.clock.now())
        escalation.clock.at = max(failing.next_at, escalation.clock.now())
        await send_notices(database, clock=escalation.clock, notifier=escalation.notifier, claimer="one")
    failed = (await escalation.notices())[0]
    assert (failed.person, failed.state, failed.attempts, failed.error) == ("何雯", "failed", TRIES, "json: error=503")
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]


async def test_a_retry_that_nobody_needs_any_more_is_dropped(
    opens: Opens, database: Database, escalation: Escalation
) -> None:
    await opens(inbound("CA1", local(24, 10)), EMERGENCY)
    escalation.notifier.failing = {"何雯"}
    await escalation.tick()
    await acknowledge_escalation(database, (await escalation.rows())[0].id, actor="hewen", now=escalation.clock.now())
    escalation.clock.advance(seconds=31)
    escalation.notifier.failing = set()
    await send_notices(database, clock=escalation.clock, notifier=escalation.notifier, claimer="one")
    assert (await escalation.notices())[0].state == "dropped"


async def test_a_process_that_died_while_sending_is_made_up_for(
    opens: Opens, database: Database, escalation: Escalation
) -> None:
    await opens(inbound("CA1", local(24, 10)), EMERGENCY)

    class Dies(Notifier):
        async def tell(self, person: str, channel: int, notice: Notice) -> None:
            raise RuntimeError("killed")

    await escalate(database, now=escalation.clock.now(), rules=escalation.rules, people=PEOPLE, public_url="")
    await send_notices(database, clock=escalation.clock, notifier=Dies(), claimer="dead")
    assert {one.state for one in await escalation.notices()} == {"sending"}
    escalation.clock.advance(minutes=2)
    await send_notices(database, clock=escalation.clock, notifier=escalation.notifier, claimer="one")
    assert escalation.notifier.told == []
    escalation.clock.advance(minutes=4)
    await send_notices(database, clock=escalation.clock, notifier=escalation.notifier, claimer="one")
    assert len(escalation.notifier.told) == 3


async def test_a_limit_that_passed_while_we_were_down_is_told_to_all_as_what_it_is(
    opens: Opens, database: Database, escalation: Escalation
) -> None:
    await opens(inbound("CA1", local(24, 10)), COMPLAINT)
    await only_first_reply(database)
    escalation.clock.at = datetime.fromisoformat("2026-11-26T09:00:00+08:00")
    assert sorted(set(await escalation.tick())) == ["主管", "何雯", "副总"]
    assert {cause for _, cause in await escalation.levels()} == {"limit_passed"}


def test_agents_hear_of_their_own_tickets_only() -> None:
    generic = Colleague(name="前台", level=PEOPLE[0].level, agent=None, channels=1)
    assert [one.name for one in recipients((*PEOPLE, generic), PEOPLE[0].level, "chenmin")] == ["陈敏", "前台"]
    assert [one.name for one in recipients(PEOPLE, PEOPLE[0].level, None)] == []
