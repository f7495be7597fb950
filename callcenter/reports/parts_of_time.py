"""Rows counted by the parts of a time, so that a report of half a year is some hundred rows and not all of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Cast, ColumnElement, CompoundSelect, and_, bindparam, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

Part = tuple[datetime, datetime]
"""[start, end)."""

LONGEST_PART = timedelta(days=7)


async def count_by_parts(
    session: AsyncSession,
    moment: Any,
    parts: Sequence[Part],
    columns: tuple[Any, ...],
    *conditions: ColumnElement[bool],
    **wanted: tuple[Any, Any],
) -> Sequence[Any]:
    """Rows of (number of the part, count, columns).

    `conditions`: the same objects each time. `wanted`, by any name: a column and what it must be.

    It is a question for each part, all asked as one: each goes through its own stretch of the index and groups what
    little is there, several times as quick as to group everything by columns and a computed part.
    """
    asked = tuple((name, column) for name, (column, _) in wanted.items())
    query = _question(moment, len(parts), columns, conditions, asked)
    values = {name: value for name, (_, value) in wanted.items()}
    for number, (start, end) in enumerate(parts):
        values |= {f"start_{number}": start, f"end_{number}": end}
    found: Sequence[Any] = (await session.execute(query, values)).all()
    return found


@lru_cache(maxsize=64)
def _question(
    moment: Any,
    parts: int,
    columns: tuple[Any, ...],
    conditions: tuple[ColumnElement[bool], ...],
    wanted: tuple[tuple[str, Any], ...],
) -> CompoundSelect[Any]:
    """Built once for each number of parts: that takes as long as the answer to it.

    A cast is made of what each group has, not of each row: to write JSON as text takes longer than to group it.
    """
    asked = [*conditions, *(column == bindparam(name, type_=column.type) for name, column in wanted)]
    return union_all(
        *(
            select(literal(number), func.count(), *columns)
            .where(
                and_(
                    moment >= bindparam(f"start_{number}", type_=moment.type),
                    moment < bindparam(f"end_{number}", type_=moment.type),
                    *asked,
                )
            )
            .group_by(*(column.clause if isinstance(column, Cast) else column for column in columns))
            for number in range(parts)
        )
    )


def seven_days(start: datetime, end: datetime) -> list[Part]:
    """[start, end) in parts of seven days, counted back from the end, so that the last one is whole; at least one."""
    if start >= end:
        return [(start, end)]
    found, until = [], end
    while until > start:
        since = max(start, until - LONGEST_PART)
        found.append((since, until))
        until = since
    return found[::-1]
