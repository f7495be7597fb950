"""Calls that we owe residents: what a person must do first, then what is late, under way, waiting, and done today."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.engine import Database
from callcenter.db.reminders import DoNotCallRow, ReminderAttemptRow, ReminderRow, ReminderState
from callcenter.db.tickets import TicketHistoryRow, TicketRow
from callcenter.domain.ticket_life import FINISHED, HistoryAction

PAGE_SIZE = 25
PREVIEW = 10
"""So many of each group where all groups are shown."""

LATE_AFTER = timedelta(minutes=2)
"""A call that is due leaves within seconds; later than this something holds it up."""

_FINISHED = [status.value for status in FINISHED]


class Group(StrEnum):
    """Each is a link on the page; in the order in which they need a person."""

    HANDED_OVER = "handed_over"
    OVERDUE = "overdue"
    UNDER_WAY = "under_way"
    WAITING = "waiting"
    HELD = "held"
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReminderFilter:
    """What is asked for; no `group`: all of them, a few of each. `mine`: of tickets owned under these names."""

    now: datetime
    day_began: datetime
    group: Group | None = None
    kind: str | None = None
    mine: tuple[str, ...] = ()
    page: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class OwedCall:
    reminder: ReminderRow
    group: Group
    ticket: TicketRow | None
    attempts: tuple[ReminderAttemptRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OwedCalls:
    """`groups` holds the rows of each group that has any; the counts stand at the filters."""

    groups: tuple[tuple[Group, tuple[OwedCall, ...]], ...]
    by_group: dict[Group, int]
    by_kind: dict[str, int]
    page: int
    pages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OneReminder:
    call: OwedCall
    do_not_call: bool


async def list_owed(database: Database, wanted: ReminderFilter) -> OwedCalls:
    async with database.read() as session:
        by_group = {group: await _count(session, wanted, group) for group in Group}
        pages, page = 1, 1
        if wanted.group:
            pages = max(1, -(-by_group[wanted.group] // PAGE_SIZE))
            page = min(max(1, wanted.page), pages)
        groups = []
        for group in [wanted.group] if wanted.group else [one for one in Group if one is not Group.HELD]:
            size = PAGE_SIZE if wanted.group else PREVIEW
            rows = await _rows(session, wanted, group, size=size, page=page)
            if rows:
                groups.append((group, rows))
        return OwedCalls(
            groups=tuple(groups),
            by_group=by_group,
            by_kind=await _count_kinds(session, wanted),
            page=page,
            pages=pages,
        )


async def count_owed(database: Database, *, now: datetime) -> int:
    """What a person must see to: handed over, and late."""
    wanted = ReminderFilter(now=now, day_began=now)
    async with database.read() as session:
        return sum([await _count(session, wanted, group) for group in (Group.HANDED_OVER, Group.OVERDUE)])


async def reminders_of_ticket(database: Database, ticket_id: int, *, now: datetime) -> tuple[OwedCall, ...]:
    """All of one ticket's, the next one first, then those that are over."""
    next_first = (ReminderRow.finished_at.is_not(None), ReminderRow.due_at, ReminderRow.id)
    query = _calls().where(ReminderRow.ticket_id == ticket_id).order_by(*next_first)
    async with database.read() as session:
        return await _described(session, query, now=now)


async def read_owed(database: Database, reminder_id: int, *, now: datetime) -> OneReminder | None:
    query = _calls().where(ReminderRow.id == reminder_id)
    async with database.read() as session:
        found = await _described(session, query, now=now)
        if not found:
            return None
        refused = await session.get(DoNotCallRow, found[0].reminder.to_number)
        return OneReminder(call=found[0], do_not_call=refused is not None)


async def _count(session: AsyncSession, wanted: ReminderFilter, group: Group) -> int:
    query = select(func.count()).select_from(ReminderRow)
    if group is Group.HANDED_OVER or wanted.mine:
        query = query.outerjoin(TicketRow, TicketRow.id == ReminderRow.ticket_id)
    return (await session.execute(query.where(_in(group, wanted), *_narrowed(wanted)))).scalar_one()


async def _count_kinds(session: AsyncSession, wanted: ReminderFilter) -> dict[str, int]:
    """Most first. A query a group, since each has an index of its own."""
    found: Counter[str] = Counter()
    for group in [wanted.group] if wanted.group else [one for one in Group if one is not Group.HELD]:
        query = (
            select(ReminderRow.kind, func.count())
            .outerjoin(TicketRow, TicketRow.id == ReminderRow.ticket_id)
            .where(_in(group, wanted), *_narrowed(wanted, kind=False))
            .group_by(ReminderRow.kind)
        )
        found.update({str(kind): count for kind, count in (await session.execute(query)).all()})
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _narrowed(wanted: ReminderFilter, *, kind: bool = True) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if kind and wanted.kind:
        conditions.append(ReminderRow.kind == wanted.kind)
    if wanted.mine:
        conditions.append(TicketRow.owner.in_(wanted.mine))
    return conditions


def _state(state: ReminderState) -> ColumnElement[bool]:
    """As the partial indexes say it."""
    return ReminderRow.state == literal_column(f"'{state.value}'")


def _is_late(now: datetime) -> ColumnElement[bool]:
    return or_(ReminderRow.due_at < now - LATE_AFTER, func.coalesce(ReminderRow.promised_for, now) < now)


def _in(group: Group, wanted: ReminderFilter) -> ColumnElement[bool]:
    row = ReminderRow
    match group:
        case Group.HANDED_OVER:
            return and_(_state(ReminderState.HANDED_OVER), _still_owed())
        case Group.OVERDUE:
            return and_(_state(ReminderState.WAITING), _is_late(wanted.now))
        case Group.UNDER_WAY:
            return row.state.in_([literal_column("'claimed'"), literal_column("'dialling'")])
        case Group.WAITING:
            return and_(_state(ReminderState.WAITING), ~_is_late(wanted.now))
        case Group.HELD:
            return _state(ReminderState.HELD)
        case Group.DONE:
            ended = row.state.in_([ReminderState.DONE.value, ReminderState.CANCELLED.value])
            return and_(ended, row.finished_at >= wanted.day_began)


def _still_owed() -> ColumnElement[bool]:
    """Handed to a person who has not yet spoken to the resident about it; a finished ticket owes no call."""
    history = TicketHistoryRow
    spoken = (
        select(history.id)
        .where(
            history.ticket_id == ReminderRow.ticket_id,
            history.action == HistoryAction.RESIDENT_CALLED.value,
            history.at >= ReminderRow.finished_at,
            history.data["by_person"].as_boolean().is_(True),
        )
        .exists()
    )
    return or_(ReminderRow.ticket_id.is_(None), and_(TicketRow.status.not_in(_FINISHED), ~spoken))


def _calls() -> Select[ReminderRow, TicketRow, bool]:
    """With the ticket, if there is one, and whether a call that was handed over is still to be made."""
    return select(ReminderRow, TicketRow, _still_owed()).outerjoin(TicketRow, TicketRow.id == ReminderRow.ticket_id)


async def _rows(
    session: AsyncSession, wanted: ReminderFilter, group: Group, *, size: int, page: int
) -> tuple[OwedCall, ...]:
    order = (ReminderRow.finished_at.desc(),) if group is Group.DONE else (ReminderRow.due_at,)
    query = (
        _calls()
        .where(_in(group, wanted), *_narrowed(wanted))
        .order_by(*order, ReminderRow.id)
        .limit(size)
        .offset((page - 1) * size)
    )
    return await _described(session, query, now=wanted.now)


async def _described(
    session: AsyncSession, query: Select[ReminderRow, TicketRow, bool], *, now: datetime
) -> tuple[OwedCall, ...]:
    found = (await session.execute(query)).all()
    attempts = await _attempts(session, [reminder.id for reminder, _, _ in found])
    return tuple(
        OwedCall(
            reminder=reminder,
            group=group_of(reminder, still_owed=still_owed, now=now),
            ticket=ticket,
            attempts=tuple(attempts[reminder.id]),
        )
        for reminder, ticket, still_owed in found
    )


async def _attempts(session: AsyncSession, reminder_ids: Sequence[int]) -> dict[int, list[ReminderAttemptRow]]:
    made: dict[int, list[ReminderAttemptRow]] = defaultdict(list)
    query = select(ReminderAttemptRow).where(ReminderAttemptRow.reminder_id.in_(reminder_ids))
    for attempt in await session.scalars(query.order_by(ReminderAttemptRow.reminder_id, ReminderAttemptRow.number)):
        made[attempt.reminder_id].append(attempt)
    return made


def group_of(reminder: ReminderRow, *, still_owed: bool, now: datetime) -> Group:
    """`still_owed`: of one that was handed over, that nobody has spoken to the resident since."""
    match ReminderState(reminder.state):
        case ReminderState.HANDED_OVER:
            return Group.HANDED_OVER if still_owed else Group.DONE
        case ReminderState.CLAIMED | ReminderState.DIALLING:
            return Group.UNDER_WAY
        case ReminderState.HELD:
            return Group.HELD
        case ReminderState.DONE | ReminderState.CANCELLED:
            return Group.DONE
        case ReminderState.WAITING:
            late = reminder.due_at < now - LATE_AFTER or (reminder.promised_for or now) < now
            return Group.OVERDUE if late else Group.WAITING
