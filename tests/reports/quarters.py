"""Quarters of an hour since 1970: every time zone's offset is a multiple of one, so they can be put into its hours."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

QUARTER_SECONDS = 900


class quarter_of(FunctionElement[int]):  # noqa: N801 - an SQL function
    """The quarter that a moment lies in, rounded down on both databases."""

    type = BigInteger()
    inherit_cache = True


@compiles(quarter_of, "sqlite")
def _sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"(CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER) / {QUARTER_SECONDS})"


@compiles(quarter_of, "postgresql")
def _postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    inner = compiler.process(element.clauses, **kw)
    return f"CAST(floor(extract(epoch FROM {inner}) / {QUARTER_SECONDS}) AS BIGINT)"
