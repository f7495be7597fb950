"""The counts at the filters of the list of tickets: two passes over the tickets, whatever is shown.

Tickets are counted by all that filters distinguish at once, and the counts of each filter are sums of those.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.tickets import TicketRow
from callcenter.domain.ticket_life import FINISHED, TicketStatus

UNFINISHED = tuple(status for status in TicketStatus if status not in FINISHED)
"""Named one by one, so that the index by status is used."""

NARROWED_BY = ("request_type", "category", "building")


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """`by_view` for the filters as they are; each of the others as if its own filter were not set, most first."""

    by_view: dict[str, int]
    by_value: dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """How many tickets of these values are in each view."""

    values: tuple[str | None, ...]
    views: dict[str, int]


async def count_tickets(
    session: AsyncSession,
    *,
    view: str,
    narrowed: dict[str, str | None],
    found: ColumnElement[bool],
    open_views: dict[str, ColumnElement[bool]],
) -> Counts:
    """`open_views`: what each view of unfinished tickets asks for besides; `found`: what search asks for."""
    groups = await _unfinished(session, found, open_views)
    if view in ("closed", "all"):
        groups += await _finished(session, found)
        finished = 0
    else:
        finished = await _how_many_finished(session, found, narrowed)
    by_view = Counter[str]()
    for group in groups:
        if _fits(group, narrowed):
            by_view.update(group.views)
    by_view["closed"] += finished
    by_view["all"] += finished
    return Counts(
        by_view=dict(by_view), by_value={name: _by_value(groups, name, view, narrowed) for name in NARROWED_BY}
    )


def _fits(group: _Group, narrowed: dict[str, str | None], leave_out: str = "") -> bool:
    wanted = zip(NARROWED_BY, group.values, strict=True)
    return all(not narrowed[name] or name == leave_out or narrowed[name] == value for name, value in wanted)


def _by_value(groups: Iterable[_Group], name: str, view: str, narrowed: dict[str, str | None]) -> dict[str, int]:
    counts = Counter[str]()
    place = NARROWED_BY.index(name)
    for group in groups:
        value = group.values[place]
        if value is not None and group.views.get(view) and _fits(group, narrowed, leave_out=name):
            counts[value] += group.views[view]
    return dict(sorted(sorted(counts.items()), key=lambda pair: pair[1], reverse=True))


_VALUES = tuple(getattr(TicketRow, name) for name in NARROWED_BY)


async def _unfinished(
    session: AsyncSession, found: ColumnElement[bool], open_views: dict[str, ColumnElement[bool]]
) -> list[_Group]:
    sums = [func.sum(case((asked, 1), else_=0)).label(view) for view, asked in open_views.items()]
    query = select(*_VALUES, func.count(), *sums).where(TicketRow.status.in_(UNFINISHED), found).group_by(*_VALUES)
    return [
        _Group(
            values=tuple(row[:3]),
            views={"all": row[3], "open": row[3]} | dict(zip(open_views, map(int, row[4:]), strict=True)),
        )
        for row in await session.execute(query)
    ]


async def _finished(session: AsyncSession, found: ColumnElement[bool]) -> list[_Group]:
    query = select(*_VALUES, func.count()).where(TicketRow.status.in_(FINISHED), found).group_by(*_VALUES)
    return [
        _Group(values=tuple(row[:3]), views={"all": row[3], "closed": row[3]}) for row in await session.execute(query)
    ]


async def _how_many_finished(session: AsyncSession, found: ColumnElement[bool], narrowed: dict[str, str | None]) -> int:
    asked = [getattr(TicketRow, name) == value for name, value in narrowed.items() if value]
    query = select(func.count()).where(TicketRow.status.in_(FINISHED), found, *asked)
    return (await session.execute(query)).scalar_one()
