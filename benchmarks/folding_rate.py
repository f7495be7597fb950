"""What marks and counted days cost the folding of calls: its rate with them beside its rate without."""

import statistics
import time
from datetime import datetime, timedelta

from sqlalchemy import text

from benchmarks.report_calls import AGENTS, NUMBERS, RULE
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow, event_values
from callcenter.domain.calls import CallEvent, EventKind
from callcenter.domain.counted_calls import Counting
from callcenter.domain.moments import Clock, Moment
from callcenter.reports.count_days import count_some_days
from callcenter.services.fold_calls import fold_pending


def call_events(number: int, now: datetime) -> list[CallEvent]:
    """A call that one agent answers, of yesterday or the day before."""
    start, leg = now - timedelta(hours=20 + number % 24, seconds=number % 3000), f"LEG{number}"

    def event(kind: EventKind, seconds: float, leg_id: str | None = None, **data: object) -> CallEvent:
        at = Moment.exactly(start + timedelta(seconds=seconds), Clock.PROVIDER)
        name = f"{number}:{kind.value}"
        return CallEvent(
            event_id=name, provider="twilio", call_id=f"FOLD{number}", kind=kind, at=at, leg_id=leg_id, data=data
        )

    return [
        event(EventKind.CALL_STARTED, 0, direction="inbound", **{"from": "+8613800016207", "to": NUMBERS[0]}),
        event(EventKind.LEG_INITIATED, 1, leg, agent=AGENTS[number % len(AGENTS)]),
        event(EventKind.LEG_RINGING, 1.4, leg),
        event(EventKind.LEG_ANSWERED, 6 + number % 20, leg),
        event(EventKind.LEG_ENDED, 90, leg, reason="completed"),
        event(EventKind.CALL_ENDED, 90, reason="completed"),
    ]


async def folds_a_second(
    database: Database, first: int, calls: int, counting: Counting | None, *, now: datetime
) -> float:
    """Calls whose events come in and are folded, half their events at a time, so that each is folded twice."""
    began = time.perf_counter()
    for begin in range(first, first + calls, 40):
        for half in (slice(0, 3), slice(3, None)):
            async with database.write() as session:
                for number in range(begin, min(begin + 40, first + calls)):
                    session.add_all(CallEventRow(**event_values(one, now)) for one in call_events(number, now)[half])
            while await fold_pending(database, RULE, now=now):
                continue
    if counting is not None:  # as the server does every twenty seconds
        await count_some_days(database, counting, now=now)
    return calls / (time.perf_counter() - began)


TRIGGERS = {
    "SQLite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
    "PostgreSQL": "SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid)"
    " FROM pg_trigger WHERE NOT tgisinternal",
}


async def ingest_ratio(
    database: Database, kind: str, counting: Counting, *, now: datetime, calls: int, pairs: int
) -> float:
    """The rate with marks and counting of days beside the rate without: the median of pairs, measured in turn."""
    async with database.read() as session:
        triggers = (await session.execute(text(TRIGGERS[kind]))).all()
    first = round(time.time()) * 1000  # a database that is kept has the calls of an earlier run
    await folds_a_second(database, first - 80, 80, None, now=now)
    ratios = []
    for pair in range(pairs):
        rates = {}
        for counted in (True, False) if pair % 2 else (False, True):
            await _set_triggers(database, kind, triggers, on=counted)
            rates[counted] = await folds_a_second(database, first, calls, counting if counted else None, now=now)
            first += calls
        ratios.append(rates[True] / rates[False])
    await _set_triggers(database, kind, triggers, on=True)
    print("  pairs: " + ", ".join(f"{one:.2f}" for one in ratios))
    print(f"  folding: {rates[True]:.0f} calls/s, without {rates[False]:.0f}; ratio {statistics.median(ratios):.2f}")
    return statistics.median(ratios)


async def _set_triggers(database: Database, kind: str, triggers: object, *, on: bool) -> None:
    async with database.write() as session:
        for name, table, sql in triggers:  # type: ignore[attr-defined]
            drop = f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if kind == "PostgreSQL" else "")
            await session.execute(text(drop))
            if on:
                connection = await session.connection()
                await connection.exec_driver_sql(sql)
