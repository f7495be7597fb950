"""All rows after the run, and the phones that really rang, put together for the checks."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, select

from benchmarks.follow_up.hotline import Hotline, Tally
from benchmarks.follow_up.provider import Rang
from callcenter.db.base import Base
from callcenter.db.calls import CallRow
from callcenter.db.events import CallEventRow
from callcenter.db.reminders import DoNotCallRow, ReminderAttemptRow, ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.db.wishes import ResidentWishRow
from callcenter.domain.calls import Direction, OutboundOutcome
from callcenter.domain.dialling import REFUSED_BY_PROVIDER
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.rings import Disposition
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.may_call import UNDERSTOOD_AFTER

Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True, kw_only=True, slots=True)
class Try:
    """An attempt with its reminder, and the phone that rang for it, if one did."""

    attempt: ReminderAttemptRow
    reminder: ReminderRow
    rang: Rang | None

    @property
    def at(self) -> datetime:
        """By our own clock, which the rules go by."""
        return self.attempt.at

    @property
    def may_have_rung(self) -> bool:
        return self.rang is not None or self.attempt.outcome != REFUSED_BY_PROVIDER

    @property
    def reached(self) -> bool:
        return self.rang is not None and self.rang.outcome is OutboundOutcome.REACHED


@dataclass(frozen=True, kw_only=True)
class World:
    rules: FollowUpRules
    tally: Tally
    days: int
    ended_at: datetime
    reminders: dict[int, ReminderRow]
    tries: list[Try]
    orphans: list[Rang]
    calls: dict[str, CallRow]
    tickets: dict[int, TicketRow]
    deadlines: list[TicketDeadlineRow]
    history: dict[int, list[TicketHistoryRow]]
    ticket_of_call: dict[str, int]
    do_not_call: dict[str, DoNotCallRow]
    wishes: dict[str, ResidentWishRow]
    unfolded: int
    spooled: int

    def local_day(self, at: datetime) -> date:
        return self.rules.calendar.local(at).date()

    def by_topic(self) -> dict[str, list[Try]]:
        return grouped((one.reminder.topic, one) for one in self.tries if one.may_have_rung)

    def by_number(self) -> dict[str, list[Try]]:
        return grouped((one.attempt.to_number, one) for one in self.tries if one.may_have_rung)

    def of_reminder(self) -> dict[int, list[Try]]:
        return grouped((one.reminder.id, one) for one in self.tries)

    def of_ticket(self) -> dict[int, list[Try]]:
        found = ((one.reminder.ticket_id, one) for one in self.tries if one.may_have_rung)
        return grouped((ticket, one) for ticket, one in found if ticket is not None)

    def reminders_of_ticket(self) -> dict[int, list[ReminderRow]]:
        return grouped((row.ticket_id, row) for row in self.reminders.values() if row.ticket_id is not None)

    def inbound(self) -> list[CallRow]:
        return [call for call in self.calls.values() if call.direction == Direction.INBOUND]

    def calls_of_number(self) -> dict[str, list[CallRow]]:
        """Calls in from a number and out to it."""
        pairs = (
            (dialable(call.from_number if call.direction == Direction.INBOUND else call.to_number), call)
            for call in self.calls.values()
        )
        return grouped((number, call) for number, call in pairs if number is not None)

    def line_was_taken(self, number: str, at: datetime) -> bool:
        """A call from or to the number was under way, or one in so lately that its ticket may still be unwritten."""
        return any(
            call.started_at <= at and (call.ended_at is None or at <= call.ended_at + _stays_taken(call))
            for call in self.calls_of_number().get(number, [])
        )

    def clock_was_wrong(self, begin: datetime, end: datetime) -> bool:
        return _touches(self.tally.wrong_clock, begin, end)

    def was_disturbed(self, begin: datetime, end: datetime) -> bool:
        """The database was away or the clock wrong in that time, or shortly before."""
        return _touches([*self.tally.away, *self.tally.wrong_clock], begin - timedelta(hours=1), end)


def _stays_taken(call: CallRow) -> timedelta:
    answered = call.direction == Direction.INBOUND and call.disposition == Disposition.ANSWERED
    return UNDERSTOOD_AFTER if answered else timedelta()


def _touches(spans: Sequence[tuple[datetime, datetime]], begin: datetime, end: datetime) -> bool:
    return any(start <= end and begin <= stop for start, stop in spans)


Key = TypeVar("Key")
Value = TypeVar("Value")


def grouped(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    found: defaultdict[Key, list[Value]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)


async def look_at(hotline: Hotline) -> World:
    async with hotline.database.read() as session:

        async def all_of(table: type[Row], order: Any) -> list[Row]:
            return list((await session.scalars(select(table).order_by(order))).all())

        reminders = {row.id: row for row in await all_of(ReminderRow, ReminderRow.id)}
        attempts = await all_of(ReminderAttemptRow, ReminderAttemptRow.id)
        history = await all_of(TicketHistoryRow, TicketHistoryRow.id)
        links = await all_of(TicketCallRow, TicketCallRow.call_id)
        unfolded = await session.scalar(
            select(func.count()).select_from(CallEventRow).where(CallEventRow.folded.is_(False))
        )
        calls = {row.id: row for row in await all_of(CallRow, CallRow.id)}
        tickets = {row.id: row for row in await all_of(TicketRow, TicketRow.id)}
        deadlines = await all_of(TicketDeadlineRow, TicketDeadlineRow.id)
        refused = {row.number: row for row in await all_of(DoNotCallRow, DoNotCallRow.number)}
        wishes = {row.number: row for row in await all_of(ResidentWishRow, ResidentWishRow.number)}
    rang = hotline.far_end.rang
    keys = {attempt.idempotency_key for attempt in attempts}
    tries = [
        Try(attempt=attempt, reminder=reminders[attempt.reminder_id], rang=rang.get(attempt.idempotency_key))
        for attempt in attempts
    ]
    return World(
        rules=hotline.rules,
        tally=hotline.tally,
        days=hotline.days,
        ended_at=hotline.clock.at,
        reminders=reminders,
        tries=sorted(tries, key=lambda one: (one.at, one.attempt.id)),
        orphans=[one for key, one in rang.items() if key not in keys],
        calls=calls,
        tickets=tickets,
        deadlines=deadlines,
        history=grouped((row.ticket_id, row) for row in history),
        ticket_of_call={link.call_id: link.ticket_id for link in links},
        do_not_call=refused,
        wishes=wishes,
        unfolded=unfolded or 0,
        spooled=hotline.spooled,
    )
