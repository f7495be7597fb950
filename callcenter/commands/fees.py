"""`callcenter fees import|list|paid`."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from callcenter.app.parts import rules_of
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.domain.fee_file import read_fees
from callcenter.domain.table_file import TableRefused
from callcenter.services.explain_reminder import masked
from callcenter.services.fees import NoSuchFee, import_fees, list_fees, mark_paid


async def import_file(settings: Settings, file: Path, *, dry_run: bool) -> int:
    try:
        fees = read_fees(file.read_bytes())
    except OSError as error:
        print(f"callcenter: {file}: {error.strerror}; give a CSV file that can be read", file=sys.stderr)
        return 1
    except TableRefused as error:
        for one in error.errors:
            print(f"callcenter: {file}: {one}", file=sys.stderr)
        print("callcenter: nothing was imported", file=sys.stderr)
        return 1
    if dry_run:
        print(f"{len(fees)} fees can be imported")
        return 0
    async with opened_database(settings) as database:
        done = await import_fees(database, fees, now=clock_of(settings).now(), rules=rules_of(settings))
    print(f"{done.fees} fees imported, {done.known} were known already; {done.calls} calls planned")
    return 0


async def list_all(settings: Settings) -> int:
    async with opened_database(settings) as database:
        fees = await list_fees(database)
    table = Table("id", "due", "place", "amount", "items", "number", "state", "agreed for", box=None)
    for fee in fees:
        agreed = fee.agreed_on.isoformat() if fee.agreed_on else ""
        amount, number = f"{fee.amount_fen / 100:.2f}", masked(fee.number)
        table.add_row(str(fee.id), fee.due_on.isoformat(), fee.place, amount, fee.items, number, fee.state, agreed)
    Console().print(table if fees else "no fee is overdue")
    return 0


async def paid(settings: Settings, fee_id: int) -> int:
    async with opened_database(settings) as database:
        try:
            await mark_paid(database, fee_id, now=clock_of(settings).now())
        except NoSuchFee as error:
            print(f"callcenter: {error}; `callcenter fees list` shows them", file=sys.stderr)
            return 1
    return 0
