"""`callcenter settings list|reset`: the way out where a change in the console keeps the server from starting."""

import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.services.console_settings import SECRETS, drop_change, read_values
from callcenter.services.schema import in_one_line
from callcenter.services.users import OPERATOR


async def list_changed(settings: Settings) -> int:
    async with opened_database(settings) as database:
        try:
            async with database.read() as session:
                values = await read_values(session)
        except (SQLAlchemyError, OSError) as error:
            return _failed(error)
    table = Table("key", "value", box=None)
    for key, value in sorted(values.items()):
        shown = "(secret)" if key in SECRETS else json.dumps(value, ensure_ascii=False)
        table.add_row(Text(key), Text(shown))
    if values:
        Console().print(table)
    else:
        print("nothing was changed in the console")
    return 0


async def reset(settings: Settings, key: str) -> int:
    async with opened_database(settings) as database:
        try:
            dropped = await drop_change(database, key, login=OPERATOR, now=clock_of(settings).now())
        except (SQLAlchemyError, OSError) as error:
            return _failed(error)
    if not dropped:
        print(f"callcenter: {key}: the console says nothing of it; `callcenter settings list`", file=sys.stderr)
        return 1
    print(f"{key}: as the settings file says from now on")
    return 0


def _failed(error: Exception) -> int:
    print(f"callcenter: the database cannot be used: {in_one_line(error)}", file=sys.stderr)
    return 1
