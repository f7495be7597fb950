"""Any order of planning, ticking, dying, answering and calling in: no rule broken, nobody forgotten, nobody twice."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings, TrunkSettings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow, ReminderAttemptRow, ReminderRow, ReminderState
from callcenter.db.wishes import ResidentWishRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.decent_times import DayPart
from callcenter.domain.dialling import REFUSED_BY_PROVIDER
from callcenter.ports import DialRefused, DialUncertain, OutboundCall
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.follow_up_rules import follow_up_rules
from callcenter.services.missed_calls import plan_missed_call
from callcenter.services.reminders import NewReminder, claim_due, plan_reminder
from callcenter.services.resident_wishes import Wishes, note_wishes, wishes_of
from tests.conftest import SetClock
from tests.follow_up.conftest import attempts, ends, inbound, outbound, reminders

T = TypeVar("T")
NUMBERS = ("+8613800000001", "+8613800000002")
KINDS = st.sampled_from(["call_back_promised", "missed_call", "overdue_fee", "announcement", "satisfaction"])
MATTER = {"text": "3栋停水", "amount_fen": 12345, "items": "物业费", "due_on": "2026-10-31"}
LINES = 3
ENDS = st.sampled_from([one for one in OutboundOutcome if one is not OutboundOutcome.UNDER_WAY])
FAR_ENDS = st.sampled_from(["takes", "takes", "takes", "refuses", "unclear", "we die"])


class ReminderLife(RuleBasedStateMachine):
    """Two schedulers, two residents, a provider that fails in every way, on a real database."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(url)
        self.clock = SetClock()
        few_lines = FollowUpSettings(trunks=(TrunkSettings(calls_at_once=LINES),))
        self.rules = follow_up_rules(few_lines, CalendarSettings(), ConsoleSettings())
        self.far_end = "takes"
        self.placed: list[tuple[OutboundCall, ReminderRow]] = []
        self.topics = 0
        self.calls = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        async def clean() -> None:
            async with self.database.write() as session:
                for table in (ReminderAttemptRow, ReminderRow, DoNotCallRow, ResidentWishRow, CallRow):
                    await session.execute(delete(table))

        self.run(clean())

    async def place_call(self, call: OutboundCall) -> str:
        async with self.database.read() as session:
            reminder = await session.get_one(ReminderRow, call.reminder_id)
            asked_not_to = await session.get(DoNotCallRow, call.to_number)
            wishes = await wishes_of(session, call.to_number)
        assert asked_not_to is None
        assert self.rules.dialling.part_of_day(self.clock.now()) not in wishes.avoided
        assert reminder.expires_at is None or self.clock.now() < reminder.expires_at
        assert len([one for one in await attempts(self.database) if one.outcome is None]) <= LINES
        assert reminder.state == ReminderState.DIALLING
        self._in_decent_hours_or_promised(reminder)
        if self.far_end == "refuses":
            raise DialRefused("503")
        self.placed.append((call, reminder))
        if self.far_end == "unclear":
            raise DialUncertain("time-out")
        if self.far_end == "we die":
            raise asyncio.CancelledError
        return f"CA-{call.idempotency_key}"

    def _in_decent_hours_or_promised(self, reminder: ReminderRow) -> None:
        now = self.clock.now()
        promised = reminder.promised_for
        near = promised is not None and now <= promised + timedelta(minutes=30)
        of_kind = self.rules.dialling_of(reminder.kind)
        assert of_kind.is_decent(now) or (reminder.kind == "call_back_promised" and near)

    @precondition(lambda self: self.topics < 6)
    @rule(number=st.sampled_from(NUMBERS), minutes=st.integers(0, 600), kind=KINDS, hours=st.integers(1, 30))
    def owe_a_call(self, number: str, minutes: int, kind: str, hours: int) -> None:
        self.topics += 1
        due = self.clock.now() + timedelta(minutes=minutes)
        new = NewReminder(
            kind=kind,
            topic=f"topic:{self.topics}",
            to_number=number,
            due_at=due,
            promised_for=due + timedelta(minutes=5) if kind == "call_back_promised" else None,
            expires_at=due + timedelta(hours=hours) if kind == "announcement" else None,
            matter=MATTER if kind in ("announcement", "overdue_fee") else None,
        )

        async def plan() -> None:
            for _ in range(2):
                async with self.database.write() as session:
                    await plan_reminder(session, new, now=self.clock.now())

        self.run(plan())

    @rule(number=st.sampled_from(NUMBERS), avoided=st.sets(st.sampled_from(DayPart), max_size=2))
    def the_resident_has_a_wish(self, number: str, avoided: set[DayPart]) -> None:
        async def note() -> None:
            async with self.database.write() as session:
                wishes = Wishes(avoided=frozenset(avoided))
                await note_wishes(session, number, wishes, by="hewen", now=self.clock.now())

        self.run(note())

    @rule(far_end=FAR_ENDS)
    def two_schedulers_tick(self, far_end: str) -> None:
        self.far_end = far_end

        async def ticks() -> None:
            await asyncio.gather(*(self._tick(claimer) for claimer in ("one", "two")))

        self.run(ticks())

    async def _tick(self, claimer: str) -> None:
        await dial_due_reminders(
            self.database, clock=self.clock, dialler=self, rules=self.rules, claimer=claimer, limit=2
        )

    @rule()
    def die_after_claiming(self) -> None:
        self.run(claim_due(self.database, now=self.clock.now(), claimer="dead", limit=1))

    @rule(minutes=st.sampled_from([1, 6, 15, 130, 700, 1440, -1, -90]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @rule(which=st.integers(0, 3), outcome=ENDS, keys=st.sampled_from(["", "", "", "1", "9"]), times=st.integers(1, 2))
    def a_call_ends(self, which: int, outcome: OutboundOutcome, keys: str, times: int) -> None:
        """The events come back, also of a call whose placing we never saw confirmed, and perhaps twice."""
        if not self.placed:
            return
        call, reminder = self.placed[-1 - which % len(self.placed)]
        row = outbound(
            f"CA-{call.idempotency_key}",
            self.clock.now(),
            outcome,
            reminder_id=reminder.id,
            to_number=call.to_number,
            keys=keys if outcome is OutboundOutcome.REACHED else "",
        )
        for _ in range(times):
            self.run(ends(self.database, row, self.clock, self.rules))

    @rule(number=st.sampled_from(NUMBERS))
    def the_resident_calls_in(self, number: str) -> None:
        self.calls += 1
        call = inbound(f"CA-in-{self.calls}", self.clock.now(), from_number=number)

        async def answered() -> None:
            async with self.database.write() as session:
                row = await session.merge(call)
                await session.flush()
                await plan_missed_call(session, row, self.clock.now(), rules=self.rules)

        self.run(answered())

    @invariant()
    def no_rule_is_broken(self) -> None:
        rows, tries = self.run(reminders(self.database)), self.run(attempts(self.database))
        keys = Counter(call.idempotency_key for call, _ in self.placed)
        assert all(count == 1 for count in keys.values())
        rang = [one for one in tries if one.outcome != REFUSED_BY_PROVIDER]
        assert max(Counter(one.reminder_id for one in rang).values(), default=0) <= 3
        days = Counter((one.to_number, one.at.astimezone(self.rules.zone).date()) for one in rang)
        assert max(days.values(), default=0) <= 5
        reached = Counter(
            (one.reminder_id, one.at.astimezone(self.rules.zone).date()) for one in rang if one.outcome == "reached"
        )
        assert max(reached.values(), default=0) <= 1
        for row in rows:
            assert (row.finished_at is None) == (row.state in ("waiting", "held", "claimed", "dialling"))
            open_tries = [one for one in tries if one.reminder_id == row.id and one.outcome is None]
            assert len(open_tries) == (1 if row.state == "dialling" else 0) or row.state == "cancelled"

    def teardown(self) -> None:
        """Given time, every call that is owed comes to an end: nobody is forgotten."""
        for _ in range(200):
            under_way = [row for row in self.run(reminders(self.database)) if row.finished_at is None]
            if not under_way:
                break
            next_due = min(row.due_at for row in under_way)
            self.clock.at = max(self.clock.at + timedelta(minutes=6), next_due)
            self.far_end = "takes"
            self.run(self._tick("at last"))
            self.run(self._nobody_answers())
        states = {row.state for row in self.run(reminders(self.database))}
        self.run(self.database.close())
        self.runner.close()
        assert states <= {"done", "cancelled", "handed_over"}

    async def _nobody_answers(self) -> None:
        async with self.database.read() as session:
            query = select(ReminderAttemptRow).where(
                ReminderAttemptRow.outcome.is_(None), ReminderAttemptRow.call_id.is_not(None)
            )
            under_way = (await session.scalars(query)).all()
        for one in under_way:
            call = outbound(
                str(one.call_id),
                self.clock.now(),
                OutboundOutcome.NO_ANSWER,
                reminder_id=one.reminder_id,
                to_number=one.to_number,
            )
            await ends(self.database, call, self.clock, self.rules)


def test_the_life_of_reminders(database_url: str) -> None:
    with structlog.testing.capture_logs():
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: ReminderLife(database_url),
            settings=settings(
                max_examples=12,
                phases=(Phase.explicit, Phase.reuse, Phase.generate),
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
