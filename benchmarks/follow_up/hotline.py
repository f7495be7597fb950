"""The hotline for as many days as wanted: whatever is next happens, through the product's own services."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

import structlog
from sqlalchemy import func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.follow_up.agents import Agents
from benchmarks.follow_up.calling_in import CallIn, call_in
from benchmarks.follow_up.faults import Changes, Fault, Outages, faults_of, lives_for
from benchmarks.follow_up.office import Office
from benchmarks.follow_up.provider import FarEnd, Mood
from benchmarks.follow_up.residents import Resident, Residents, draft
from benchmarks.follow_up.virtual_time import Agenda, VirtualClock
from callcenter.app.server import when_folded
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.tickets import TicketRow
from callcenter.domain.calls import CallEvent
from callcenter.domain.rings import RingRule
from callcenter.domain.transcript import Segment, Side, Transcript
from callcenter.services.ask_after_calls import ask_after_calls
from callcenter.services.close_gaps import close_gaps
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.fold_calls import CALLS_A_TRANSACTION, fold_pending
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.open_ticket import OpenedTicket, open_ticket
from callcenter.services.spool import Spool

log = structlog.get_logger()

TICK = timedelta(seconds=1)
OUTAGE_TICK = timedelta(seconds=30)
HOUSEKEEPING = timedelta(hours=1)
AGAIN_SOON = timedelta(minutes=3)
PATIENCE_SECONDS = 86_400.0
"""In real time: that the machine is busy with other things, or this run paused, is none of the faults played."""
_NEXT_DUE = select(func.min(ReminderRow.due_at)).where(ReminderRow.state == literal_column("'waiting'"))
SAID = Transcript.of([Segment(side=Side.RESIDENT, start_ms=0, end_ms=900, text="漏水")], duration_ms=60_000)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is played. Afterwards the phones stay silent for up to `quiet_days`, until nothing is owed any more."""

    first_day: date
    days: int
    homes: int
    seed: int = 1
    faults: bool = False
    calls_a_home_a_day: float = 0.015
    quiet_days: int = 15


@dataclass(kw_only=True)
class Tally:
    """How much of what there was."""

    calls_in: int = 0
    ticks: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    wrong_clock: list[tuple[datetime, datetime]] = field(default_factory=list)
    """From when to when, by our own clock and by the true one, the two differed."""
    away: list[tuple[datetime, datetime]] = field(default_factory=list)


class Hotline:
    """One estate with its residents, its agents, its provider and its server."""

    def __init__(self, database: Database, other: Database, rules: FollowUpRules, plan: Plan, folder: Path) -> None:
        self.database = database
        self._other = other
        self.rules = rules
        self.plan = plan
        self.tally = Tally()
        self.began = rules.calendar.at(plan.first_day, datetime.min.time())
        self.clock = VirtualClock(self.began)
        self.agenda = Agenda(self.clock)
        self.residents = Residents(seed=plan.seed, homes=plan.homes)
        self.agents = Agents(database, rules, seed=plan.seed)
        self.office = Office(database, rules, self.residents)
        self.far_end = FarEnd(
            seed=plan.seed,
            residents=self.residents,
            clock=self.clock,
            agenda=self.agenda,
            calendar=rules.calendar,
            deliver=self.deliver,
            asks=self._keep_house,
        )
        spool = Spool(folder / "spool.sqlite")
        self.inbox = EventInbox(
            database,
            spool,
            database_seconds=PATIENCE_SECONDS,
            spool_seconds=PATIENCE_SECONDS,
            replay_seconds=PATIENCE_SECONDS,
        )
        self._outages = (Outages(database), Outages(other))
        self._reminders_change = Changes("reminders", database, other)
        self._due: datetime | None = None
        self._when_folded = when_folded(rules)
        self._kill_after: list[int] = []
        self._kill_folding_after: list[int] = []
        self._schedulers = 1
        self._calls = 0
        self.spooled = 0
        self.days = plan.days
        self.on_day: Callable[[int, Tally], None] = lambda day, tally: None

    @property
    def ends(self) -> datetime:
        return self.rules.calendar.at(self.plan.first_day + timedelta(days=self.days), datetime.min.time())

    def end_today(self) -> None:
        """No further day begins; what is owed by then is still waited for and judged."""
        played = (self.rules.calendar.local(self.clock.at).date() - self.plan.first_day).days + 1
        self.days = min(self.days, played)

    async def run(self) -> None:
        await self.inbox.start()
        try:
            for number in range(self.plan.days):
                day = self.plan.first_day + timedelta(days=number)
                self.agenda.at(self.rules.calendar.at(day, datetime.min.time()), lambda day=day: self._plan_day(day))  # type: ignore[misc]
            self.agenda.at(self.began, self._housekeeping)
            while not await self._is_over():
                await self._next()
            self.spooled = len(await asyncio.to_thread(self.inbox.spool.oldest, 1000))
        finally:
            await self.inbox.close()

    async def _is_over(self) -> bool:
        if self.clock.at < self.ends:
            return False
        return self.clock.at >= self.ends + timedelta(days=self.plan.quiet_days) or not await self._owed()

    async def _owed(self) -> bool:
        if self.clock.at < self.ends + timedelta(days=3):
            return True
        unfinished = [state.value for state in (ReminderState.WAITING, ReminderState.CLAIMED, ReminderState.DIALLING)]
        async with self.database.read() as session:
            query = select(ReminderRow.id).where(ReminderRow.state.in_(unfinished)).limit(1)
            return await session.scalar(query) is not None

    async def _next(self) -> None:
        """Jumps to what comes first: something on the agenda, or a reminder that falls due."""
        happens, due = self.agenda.next_at(), await self._next_due()
        if due is not None and (happens is None or due <= happens):
            self.clock.move_to(due)
            if not await self._tick():
                self.clock.move_to(self.clock.at + (OUTAGE_TICK if self._outages[0].is_on else TICK))
            return
        if happens is None:
            raise RuntimeError("nothing happens any more")
        self.clock.move_to(happens)
        await self.agenda.pop()()

    async def _next_due(self) -> datetime | None:
        """In true time; our own clock decides what is due."""
        if self._reminders_change.take():
            try:
                async with self.database.reader.connect() as connection:
                    self._due = await connection.scalar(_NEXT_DUE)
            except SQLAlchemyError:
                self._due = None
        return max(self._due - self.clock.skew, self.clock.at) if self._due else None

    # The server

    async def _tick(self) -> int:
        """How many calls were claimed; a scheduler may die at any of its steps, and there may be two."""
        self.tally.ticks += 1
        if self._kill_after:
            died = await lives_for(self._kill_after.pop(), self._round(self.database, "to be killed"))
            self.tally.failed["schedulers killed"] += died
            self._ticks_again()
            return 1
        rounds = [self._round(self.database, "one")]
        rounds += [self._round(self._other, f"number {number}") for number in range(2, self._schedulers + 1)]
        return sum(await asyncio.gather(*rounds))

    async def _round(self, database: Database, claimer: str) -> int:
        try:
            return await dial_due_reminders(
                database, clock=self.clock, dialler=self.far_end, rules=self.rules, claimer=claimer
            )
        except (SQLAlchemyError, OSError):
            self.tally.failed["rounds without a database"] += 1
            return 0

    async def deliver(self, events: Sequence[CallEvent]) -> None:
        await self.inbox.store(events, received_at=self.clock.now())
        await self._fold()

    async def _fold(self) -> None:
        """As the server's folding loop does: what cannot be folded now is folded later."""
        try:
            if self._kill_folding_after:
                self.tally.failed["foldings killed"] += await lives_for(
                    self._kill_folding_after.pop(), self._fold_all()
                )
            await self._fold_all()
        except (SQLAlchemyError, OSError):
            self.tally.failed["foldings put off"] += 1

    async def _fold_all(self) -> None:
        """Until a turn leaves room: then nothing is left."""
        folded = CALLS_A_TRANSACTION
        while folded == CALLS_A_TRANSACTION:
            folded = await fold_pending(self.database, RingRule(), now=self.clock.now(), when_folded=self._when_folded)

    async def _housekeeping(self) -> None:
        self.agenda.after(HOUSEKEEPING, self._housekeeping)
        await self._keep_house()

    async def _keep_house(self) -> None:
        """What the server's other ticks do every half a minute or minute."""
        if self._outages[0].is_on:
            self.agenda.after(timedelta(minutes=11), self._keep_house)
            return
        await self.inbox.replay_once()
        await self._fold()
        await ask_after_calls(self.database, self.inbox, {"twilio": self.far_end}, now=self.clock.now())
        await self._fold()
        await close_gaps(self.database, now=self.clock.now(), rules=self.rules)
        await self._tick()

    async def _durably(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """As a durable job: where the database is away it is done again later."""
        try:
            await work()
        except (SQLAlchemyError, OSError):
            self.tally.failed[f"{name} put off"] += 1
            self.agenda.after(AGAIN_SOON, lambda: self._durably(name, work))

    # Residents

    async def _plan_day(self, day: date) -> None:
        if (day - self.plan.first_day).days >= self.days:
            return
        self.on_day((day - self.plan.first_day).days, self.tally)
        calls = self.residents.calls_of(day, calendar=self.rules.calendar, calls_a_home=self.plan.calls_a_home_a_day)
        for at, home in calls:
            self.agenda.at(at, lambda home=home: self._calls_in(self.residents[home]))  # type: ignore[misc]
        self._plan_office(day)
        if self.plan.faults:
            midnight = self.rules.calendar.at(day, datetime.min.time())
            for fault in faults_of(day, seed=self.plan.seed, midnight=midnight):
                self.agenda.at(fault.at, lambda fault=fault: self._goes_wrong(fault))  # type: ignore[misc]

    def _plan_office(self, day: date) -> None:
        """Wishes on the first day, fees on every fifth of a month, an announcement every fortnight, a greeting a month."""
        number, nine = (day - self.plan.first_day).days, self.rules.calendar.at(day, time(9, 20))

        def at_nine(work: Callable[[datetime], Awaitable[None]]) -> None:
            self.agenda.at(nine, lambda: self._durably("work of the office", lambda: work(self.clock.now())))

        if number == 0:
            at_nine(lambda now: self.office.note_wishes(now=now))
        if day.day == 5:
            at_nine(lambda now: self.office.import_fees(day, now=now))
        if number % 14 == 3:
            at_nine(lambda now: self.office.announce(day, "announcement", now=now))
        if number % 30 == 11:
            at_nine(lambda now: self.office.announce(day, "festival_greeting", now=now))

    async def _calls_in(self, resident: Resident, about: str | None = None) -> None:
        self._calls += 1
        self.tally.calls_in += 1
        call_id = f"twilio:IN{self._calls}"
        draw = Random(f"{self.plan.seed}:in:{self._calls}")
        call = call_in(call_id, resident.shown_number, self.clock.at, draw)
        await self.deliver(call.begins)
        self.agenda.at(call.ended_at + TICK, lambda: self._hangs_up(resident, call, draw, about))

    async def _hangs_up(self, resident: Resident, call: CallIn, draw: Random, about: str | None) -> None:
        events = list(call.ends)
        if draw.random() < self.far_end.mood.loses_last_event:
            self.far_end.loses(call.call_id, events.pop())
        await self.deliver(events)
        if call.is_recorded and draw.random() < 0.98:
            delay = timedelta(minutes=draw.uniform(0.5, 6))
            self.agenda.after(delay, lambda: self._durably("tickets", lambda: self._open(resident, call, draw, about)))
        elif not call.is_recorded and draw.random() < resident.phones_again:
            delay = timedelta(minutes=draw.uniform(1, 40))
            self.agenda.after(delay, lambda: self._calls_in(resident, about))

    async def _open(self, resident: Resident, call: CallIn, draw: Random, about: str | None) -> None:
        heard = draft(
            resident, self.rules.calendar.local(call.at), Random(f"{self.plan.seed}:{call.call_id}"), category=about
        )
        async with self.database.write() as session:
            row = await session.get(CallRow, call.call_id)
            if row is None or row.ended_at is None:
                self.agenda.after(
                    AGAIN_SOON, lambda: self._durably("tickets", lambda: self._open(resident, call, draw, about))
                )
                return
            opened = await open_ticket(
                session, call=row, transcript=SAID, draft=heard, now=self.clock.now(), rules=self.rules
            )
        await self._goes_on(resident, opened, draw)

    async def _goes_on(self, resident: Resident, opened: OpenedTicket, draw: Random) -> None:
        """Agents work on a new ticket; now and then the resident phones again about the same thing."""
        if not opened.joined:
            for delay, act in self.agents.plan(opened.number):
                self.agenda.after(delay, lambda act=act: self._acts(opened.number, act))  # type: ignore[misc]
        if draw.random() < resident.phones_again:
            async with self.database.read() as session:
                about = await session.scalar(select(TicketRow.category).where(TicketRow.number == opened.number))
            delay = timedelta(hours=draw.choice((0.2, 0.7, 2, 5, 20, 50)) * draw.uniform(0.8, 1.2))
            if self.clock.at + delay < self.ends:
                self.agenda.after(delay, lambda: self._calls_in(resident, about))

    async def _acts(self, number: str, act: str) -> None:
        await self._durably("acts of agents", lambda: self.agents.do(number, act, now=self.clock.now()))

    # Faults

    async def _ticks(self) -> None:
        await self._tick()

    def _ticks_again(self) -> None:
        """A tick a second would find what was left unfinished as soon as it counts as that; so we look just then."""
        self.agenda.after(self.rules.claim_lapses + TICK, self._ticks)
        self.agenda.after(self.rules.unfinished + TICK, self._ticks)
        self.agenda.after(self.rules.no_outcome + TICK, self._ticks)

    async def _goes_wrong(self, fault: Fault) -> None:
        self.tally.faults[fault.name] += 1
        until = self.clock.at + fault.lasts
        match fault.name:
            case "killed":
                self._kill_after.append(int(fault.amount))
            case "folding killed":
                self._kill_folding_after.append(int(fault.amount))
            case "two schedulers":
                self._schedulers = 2
                self.agenda.at(until, self._one_scheduler)
            case "provider fails":
                self.far_end.mood = Mood(
                    refuses=0.15,
                    takes_and_says_500=0.1,
                    drops_and_says_500=0.05,
                    reports_before_it_answers=0.3,
                    loses_last_event=0.1,
                    repeats_events=0.4,
                )
                self.agenda.at(until, self._provider_is_well)
            case "database away":
                for outages in self._outages:
                    outages.begin(after_statements=int(fault.amount))
                self.tally.away.append((self.clock.at, until))
                for minute in range(int(fault.lasts / timedelta(minutes=1))):
                    self.agenda.after(timedelta(minutes=minute), self._ticks)
                self.agenda.at(until, self._database_is_back)
            case "clock jumps":
                self.clock.skew = timedelta(minutes=fault.amount)
                self.tally.wrong_clock.append(
                    (min(self.clock.at, self.clock.now()), max(until, until + self.clock.skew))
                )
                self.agenda.at(until, self._clock_is_right)

    async def _one_scheduler(self) -> None:
        self._schedulers = 1

    async def _provider_is_well(self) -> None:
        self.far_end.mood = Mood()

    async def _database_is_back(self) -> None:
        for outages in self._outages:
            outages.end()
        self._reminders_change.mark()
        self._ticks_again()
        await self.inbox.replay_once()
        await self._fold()

    async def _clock_is_right(self) -> None:
        self.clock.skew = timedelta()
