"""Any order of calls, promises, moves, mergings and splittings: no ticket, no call and no promise is ever lost."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select, text

from callcenter.config import CalendarSettings, ConsoleSettings, FollowUpSettings
from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.domain.ticket_life import FINISHED, TRANSITIONS, TicketStatus, TransitionRefused
from callcenter.domain.tickets import Promise, PromiseKind
from callcenter.services import tickets
from callcenter.services.follow_up_rules import follow_up_rules
from callcenter.services.hand_over import hand_over_tickets
from callcenter.services.merge_tickets import MergeRefused, merge_tickets, undo_merge
from callcenter.services.split_ticket import SplitRefused, split_ticket
from callcenter.services.tickets import Change, StaleTicket
from tests.conftest import SetClock
from tests.follow_up.conftest import Opens, call_back, heard, inbound, leak, reminders

T = TypeVar("T")
WHICH = st.integers(0, 20)
AGENTS = ("hewen", "lijia", "chenmin")
OPEN = frozenset({"waiting", "claimed", "dialling", "handed_over"})


class TicketLife(RuleBasedStateMachine):
    """One home with a lot of trouble, three agents, and a database."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(url)
        self.clock = SetClock()
        self.rules = follow_up_rules(FollowUpSettings(), CalendarSettings(), ConsoleSettings())
        self.opens = Opens(self.database, self.clock, self.rules)
        self.calls = 0
        self.seen: dict[str, int] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        async def clean() -> None:
            async with self.database.write() as session:
                for table in ("reminder_attempts", "reminders", "ticket_deadlines"):
                    await session.execute(text(f"DELETE FROM {table}"))
                await session.execute(text("UPDATE tickets SET merged_into = NULL"))
                for row in (TicketHistoryRow, TicketCallRow, TicketRow, CallRow):
                    await session.execute(delete(row))

        self.run(clean())

    def pick(self, which: int) -> TicketRow | None:
        rows = self.run(self.rows())
        return rows[which % len(rows)] if rows else None

    async def rows(self) -> list[TicketRow]:
        async with self.database.read() as session:
            return list((await session.scalars(select(TicketRow).order_by(TicketRow.id))).all())

    def change(self, ticket: TicketRow) -> Change:
        return Change(number=ticket.number, version=ticket.version, actor="chenmin", now=self.clock.now())

    @rule(category=st.sampled_from(["plumbing", "lift", "noise"]), promised=st.booleans())
    def a_call(self, category: str, promised: bool) -> None:
        self.calls += 1
        due = self.clock.now().replace(hour=9, minute=0)
        promises = (call_back(due),) if promised and due > self.clock.now() else ()
        draft = leak(categories=(heard(category),), promises=promises)
        self.run(self.opens(inbound(f"CA{self.calls}", self.clock.now()), draft))

    @rule(which=WHICH, to=st.sampled_from(TicketStatus))
    def moves_on(self, which: int, to: TicketStatus) -> None:
        ticket = self.pick(which)
        if ticket is None:
            return
        allowed = to in TRANSITIONS[TicketStatus(ticket.status)] and ticket.merged_into is None
        try:
            self.run(tickets.change_status(self.database, self.change(ticket), to=to, rules=self.rules))
        except TransitionRefused:
            assert not allowed
        else:
            assert allowed

    @rule(which=WHICH, minutes=st.integers(10, 300))
    def promises(self, which: int, minutes: int) -> None:
        ticket = self.pick(which)
        if ticket is None:
            return
        self.clock.advance(minutes=1)
        due = self.clock.now().replace(hour=10, minute=minutes % 60)
        promised = Promise(kind=PromiseKind.CALL_BACK, text="给您回电", due=due)
        try:
            self.run(tickets.promise(self.database, self.change(ticket), promised=promised, rules=self.rules))
        except TransitionRefused:
            assert ticket.merged_into is not None

    @rule(which=WHICH, into=WHICH)
    def merge(self, which: int, into: int) -> None:
        ticket, kept = self.pick(which), self.pick(into)
        if ticket is None or kept is None:
            return
        try:
            self.run(merge_tickets(self.database, self.change(ticket), into=kept.number, rules=self.rules))
        except MergeRefused:
            finished = any(TicketStatus(one.status) in FINISHED for one in (ticket, kept))
            assert ticket.id == kept.id or finished or ticket.merged_into or kept.merged_into

    @rule(which=WHICH)
    def undo(self, which: int) -> None:
        ticket = self.pick(which)
        if ticket is None:
            return
        try:
            self.run(undo_merge(self.database, self.change(ticket), rules=self.rules))
        except MergeRefused:
            rows = {row.id: row for row in self.run(self.rows())}
            kept = rows.get(ticket.merged_into or 0)
            assert kept is None or kept.merged_into is not None

    @rule(which=WHICH)
    def split(self, which: int) -> None:
        if not self.calls:
            return
        call_id = f"CA{which % self.calls + 1}"
        ticket = self.run(self.ticket_of(call_id))
        try:
            self.run(split_ticket(self.database, self.change(ticket), call_id=call_id, rules=self.rules))
        except SplitRefused:
            firsts = {row.first_call_id for row in self.run(self.rows())}
            assert call_id in firsts

    async def ticket_of(self, call_id: str) -> TicketRow:
        query = select(TicketRow).join(TicketCallRow, TicketCallRow.ticket_id == TicketRow.id)
        async with self.database.read() as session:
            return (await session.scalars(query.where(TicketCallRow.call_id == call_id))).one()

    @rule(of=st.sampled_from(AGENTS), to=st.sampled_from(AGENTS))
    def hand_over(self, of: str, to: str) -> None:
        hand = hand_over_tickets(self.database, from_owner=of, to=to, actor="manager", now=self.clock.now())
        moved = self.run(hand)
        owners = {row.number: row.owner for row in self.run(self.rows())}
        assert all(owners[number] == to for number in moved)

    @rule(which=WHICH)
    def somebody_else_was_faster(self, which: int) -> None:
        ticket = self.pick(which)
        if ticket is None:
            return
        old = self.change(ticket)
        self.run(tickets.add_note(self.database, old, text="x"))
        try:
            self.run(tickets.assign(self.database, old, to="lijia"))
        except StaleTicket:
            return
        raise AssertionError("what nobody has seen was overwritten")

    @rule(minutes=st.sampled_from([1, 30, 600]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @invariant()
    def nothing_is_lost(self) -> None:
        rows = {row.id: row for row in self.run(self.rows())}
        links = Counter(self.run(self.links()))
        assert sorted(links) == sorted(f"CA{number + 1}" for number in range(self.calls))
        assert set(links.values()) <= {1}
        for row in rows.values():
            assert row.version >= self.seen.get(row.number, 0)
            assert row.owner is not None
            assert row.call_count >= 1 or row.merged_into is not None
            if row.merged_into is not None:
                assert row.status == TicketStatus.CLOSED
                assert rows[row.merged_into].id != row.id
            assert (row.closed_at is not None) == (row.status == TicketStatus.CLOSED)
        self.seen = {row.number: row.version for row in rows.values()}

    @invariant()
    def what_is_owed_stands_on_a_ticket_that_goes_on(self) -> None:
        rows = {row.id: row for row in self.run(self.rows())}
        for reminder in self.run(reminders(self.database)):
            if reminder.state in OPEN and reminder.ticket_id is not None:
                assert rows[reminder.ticket_id].merged_into is None
        for limit in self.run(self.open_limits()):
            assert TicketStatus(rows[limit.ticket_id].status) not in FINISHED
            assert limit.paused_at is None or rows[limit.ticket_id].status == TicketStatus.WAITING

    async def links(self) -> list[str]:
        async with self.database.read() as session:
            return list((await session.scalars(select(TicketCallRow.call_id))).all())

    async def open_limits(self) -> list[TicketDeadlineRow]:
        query = select(TicketDeadlineRow).where(
            TicketDeadlineRow.met_at.is_(None), TicketDeadlineRow.cancelled_at.is_(None)
        )
        async with self.database.read() as session:
            return list((await session.scalars(query)).all())

    @invariant()
    def the_history_tells_the_state(self) -> None:
        async def told() -> dict[int, str]:
            query = select(TicketHistoryRow).where(TicketHistoryRow.action == "status_changed")
            async with self.database.read() as session:
                lines = (await session.scalars(query.order_by(TicketHistoryRow.id))).all()
            return {line.ticket_id: line.data["to"] for line in lines}

        last = self.run(told())
        for row in self.run(self.rows()):
            if row.id in last and last[row.id] in {status.value for status in FINISHED} and row.merged_into is None:
                assert row.status == last[row.id]

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()


def test_the_life_of_tickets(database_url: str) -> None:
    with structlog.testing.capture_logs():
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: TicketLife(database_url),
            settings=settings(
                max_examples=12,
                phases=(Phase.explicit, Phase.reuse, Phase.generate),
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
