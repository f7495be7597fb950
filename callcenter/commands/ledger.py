"""`callcenter ledger export|verify`: a month's calls in a file that shows when it was changed."""

import os
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import ring_rule
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.domain.figures import Groups
from callcenter.domain.figures_table import figures_row
from callcenter.domain.ledger_file import FORMAT, BrokenLedger, Chain, cell_of_entry
from callcenter.domain.ledger_file import verify as verify_lines
from callcenter.domain.periods import Period, PeriodKind, period_of_date
from callcenter.reports.call_scope import Scope
from callcenter.reports.ledger_entries import entries
from callcenter.services.schema import in_one_line


async def export(settings: Settings, month: str, file: Path) -> int:
    """A file that is there is never written over: a ledger is not corrected."""
    period = _month(month, settings)
    if period is None:
        print(f"callcenter: {month!r} is no month; write it like 2026-11", file=sys.stderr)
        return 2
    if file.exists():
        print(f"callcenter: {file} is there already; a ledger is not written over", file=sys.stderr)
        return 1
    now = clock_of(settings).now()
    part = file.with_name(f"{file.name}.part")
    async with opened_database(settings) as database:
        try:
            calls, last_hash = await _write(database, settings, period, part, now)
            os.replace(part, file)
        except (SQLAlchemyError, OSError) as error:
            part.unlink(missing_ok=True)
            print(f"callcenter: the ledger cannot be written: {in_one_line(error)}", file=sys.stderr)
            return 1
    print(f"{calls} calls of {month} written to {file}\nhash {last_hash}")
    if now < period.end:
        print(f"callcenter: {month} is not over: calls will be missing from this file", file=sys.stderr)
    return 0


def _month(written: str, settings: Settings) -> Period | None:
    if not re.fullmatch(r"20\d{2}-(0[1-9]|1[0-2])", written):
        return None
    return period_of_date(PeriodKind.MONTH, date.fromisoformat(f"{written}-15"), settings.zone)


async def _write(database: Database, settings: Settings, period: Period, part: Path, now: datetime) -> tuple[int, str]:
    in_time_ms = settings.counting.in_time_ms
    scope = Scope(start=period.start, end=period.end)
    chain, groups, calls = Chain(), Groups(), 0
    head = {
        "ledger": FORMAT,
        "month": f"{period.start:%Y-%m}",
        "zone": settings.calendar.timezone,
        "rule": ring_rule(settings).version,
        "in_time_ms": in_time_ms,
        "made_at": now.astimezone(UTC).isoformat(),
    }
    with part.open("w", encoding="utf-8", newline="\n") as out:
        out.write(chain.line(head) + "\n")
        async with database.read() as session:
            async for entry in entries(session, scope):
                groups.add(cell_of_entry(entry, in_time_ms=in_time_ms))
                calls += 1
                out.write(chain.line(entry) + "\n")
        out.write(chain.line({"end": calls, "figures": figures_row(groups.figures())}) + "\n")
        out.flush()
        os.fsync(out.fileno())
    return calls, chain.last_hash


def verify(file: Path, *, expected: str | None) -> int:
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            found = verify_lines(lines)
    except BrokenLedger as error:
        print(f"callcenter: {file} was changed: {error}", file=sys.stderr)
        return 1
    except UnicodeDecodeError as error:
        print(f"callcenter: {file} was changed: it is not UTF-8 any more (byte {error.start})", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"callcenter: {file}: {error.strerror}; give a file that can be read", file=sys.stderr)
        return 1
    if expected is not None and expected != found.last_hash:
        print(f"callcenter: {file} is whole, but it is not the file with that hash: {found.last_hash}", file=sys.stderr)
        return 1
    print(f"{file} is as it was written: {found.calls} calls of {found.month}\nhash {found.last_hash}")
    return 0
