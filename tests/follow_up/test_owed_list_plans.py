"""The list of owed calls reads what is owed, never every reminder there ever was: each group has its own index."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event

from callcenter.db.engine import Database
from callcenter.reports.reminders import Group, ReminderFilter, count_owed, list_owed
from tests.conftest import SetClock

OF_ONE_GROUP = ("ix_reminders_due", "ix_reminders_under_way", "ix_reminders_handed_over", "ix_reminders_held")
"""Partial indexes: reading one from end to end reads no other call than those that the page is about."""

Report = Callable[[Database, ReminderFilter], Awaitable[object]]


async def _counted(database: Database, wanted: ReminderFilter) -> object:
    return await count_owed(database, now=wanted.now)


@pytest.mark.parametrize("report", [list_owed, _counted])
@pytest.mark.parametrize("group", [None, *Group])
async def test_no_query_reads_every_reminder(
    database: Database, clock: SetClock, report: Report, group: Group | None
) -> None:
    asked: list[tuple[str, Any]] = []

    @event.listens_for(database.reader.sync_engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if "FROM reminders" in statement:
            asked.append((statement, parameters))

    await report(database, ReminderFilter(now=clock.now(), day_began=clock.now(), group=group, kind="missed_call"))
    questions = asked[:]
    assert questions
    for statement, parameters in questions:
        for step in await _plan(database, statement, parameters):
            assert "Seq Scan on reminders" not in step, statement
            assert not step.startswith("SCAN reminders") or step.endswith(OF_ONE_GROUP), (step, statement)


async def _plan(database: Database, statement: str, parameters: Any) -> list[str]:
    """PostgreSQL reads a small table whole if it may: the plan is asked for as if that were dear."""
    async with database.reader.connect() as connection:
        if connection.dialect.name == "postgresql":
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        found = await connection.exec_driver_sql(f"{explain} {statement}", parameters)
        return [str(row[-1]) for row in found.fetchall()]
