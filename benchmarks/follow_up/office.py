"""What the office does apart from tickets: wishes noted, overdue fees imported, campaigns and greetings sent out."""

from datetime import date, datetime, time, timedelta
from random import Random

from benchmarks.follow_up.residents import Residents
from callcenter.db.engine import Database
from callcenter.domain.decent_times import DayPart
from callcenter.domain.fee_file import Fee
from callcenter.domain.recipients_file import Recipient
from callcenter.services.campaigns import NewCampaign, make_campaign, start_campaign
from callcenter.services.fees import import_fees
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.resident_wishes import Wishes, note_wishes

PACE = 6
"""Calls a minute of a campaign."""


class Office:
    """Everything follows from the seed; each piece may be done again, as a durable job is."""

    def __init__(self, database: Database, rules: FollowUpRules, residents: Residents) -> None:
        self._database = database
        self._rules = rules
        self._residents = residents

    async def note_wishes(self, *, now: datetime) -> None:
        """Some residents want no call at some time of day; some agreed to greetings."""
        async with self._database.write() as session:
            for home in range(self._residents.homes):
                draw = Random(f"{self._residents.seed}:wishes:{home}")
                avoided = frozenset({draw.choice(list(DayPart))}) if draw.random() < 0.05 else frozenset()
                greetings = draw.random() < 0.2
                if avoided or greetings:
                    wishes = Wishes(avoided=avoided, greetings=greetings)
                    await note_wishes(session, self._residents[home].number, wishes, by="hewen", now=now)

    async def import_fees(self, day: date, *, now: datetime) -> None:
        """One home in a hundred is behind with its fees; the file is imported twice, by mistake."""
        draw = Random(f"{self._residents.seed}:fees:{day}")
        homes = draw.sample(range(self._residents.homes), self._residents.homes // 100)
        fees = [
            Fee(
                number=self._residents[home].number,
                name=self._residents[home].name,
                place=self._residents[home].place.written(),
                amount_fen=draw.randrange(5_000, 300_000),
                items="物业费",
                due_on=day - timedelta(days=draw.randrange(1, 60)),
            )
            for home in homes
        ]
        for _ in range(2):
            await import_fees(self._database, fees, now=now, rules=self._rules)

    async def announce(self, day: date, kind: str, *, now: datetime) -> None:
        """Tells a part of the homes something, or greets them, within the day."""
        draw = Random(f"{self._residents.seed}:{kind}:{day}")
        homes = draw.sample(range(self._residents.homes), self._residents.homes // 20)
        name = f"{kind} {day}"
        new = NewCampaign(
            name=name,
            kind=kind,
            text="明天下午两点到五点停水" if kind == "announcement" else "祝您节日快乐",
            opens_at=now,
            closes_at=self._rules.calendar.at(day, time(19, 30)),
            calls_a_minute=PACE,
        )
        recipients = [Recipient(number=self._residents[home].number) for home in homes]
        await make_campaign(self._database, new, recipients, by="hewen", now=now)
        await start_campaign(self._database, name, now=now, rules=self._rules)
