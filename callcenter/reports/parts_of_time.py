"""Into which part of the time a row falls, so that the database can count by parts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, literal


def part_of(moment: Any, cuts: Sequence[datetime], *, first: int = 0) -> ColumnElement[int]:
    """0 before the first of the ascending `cuts`, 1 from it on, and so forth; a search by halves, not a long chain."""
    if not cuts:
        return literal(first)
    middle = len(cuts) // 2
    earlier = part_of(moment, cuts[:middle], first=first)
    later = part_of(moment, cuts[middle + 1 :], first=first + middle + 1)
    return case((moment < cuts[middle], earlier), else_=later)
