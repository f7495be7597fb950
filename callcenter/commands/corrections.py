"""`callcenter corrections export`: what agents made of the machine's tickets, as a set to measure it against."""

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import rules_of
from callcenter.app.surroundings import opened_database
from callcenter.config import Settings
from callcenter.services.corrected_speech import CorrectedSpeech, corrected_speech
from callcenter.services.corrections import CorrectedCall, corrected_calls


async def export_corrections(settings: Settings, file: Path, *, since: datetime | None, speech: bool) -> int:
    """Writes an object a line, readable by our own user only. 1 where the file or the database cannot be used.

    `speech`: the calls whose words a person put right, instead of those whose fields one did.
    """
    rules = rules_of(settings)
    try:
        async with opened_database(settings) as database:
            rows: list[CorrectedCall] | list[CorrectedSpeech]
            if speech:
                rows = [row async for row in corrected_speech(database, since=since, rules=rules)]
            else:
                rows = [row async for row in corrected_calls(database, since=since, rules=rules)]
        _write(file, rows)
    except OSError as error:
        print(f"callcenter: {file}: {error.strerror}; give a file that can be written", file=sys.stderr)
        return 1
    except SQLAlchemyError as error:
        print(f"callcenter: {error}; has the database been migrated (callcenter migrate)?", file=sys.stderr)
        return 1
    print(f"exported {len(rows)} calls to {file}; they hold residents' words: keep the file as you keep recordings")
    for name, count in sorted(Counter(f"{slot} {how}" for row in rows for slot, how in row.by.items()).items()):
        print(f"  {name}: {count}")
    if not rows and speech:
        print("  no call has a passage that a person corrected")
    elif not rows:
        print("  no ticket has a field that a person corrected or confirmed")
    return 0


def _write(file: Path, rows: Sequence[CorrectedCall | CorrectedSpeech]) -> None:
    with open(file, "w", encoding="utf-8", opener=_for_us_alone) as out:
        out.writelines(json.dumps(row.as_json(), ensure_ascii=False) + "\n" for row in rows)


def _for_us_alone(path: str, flags: int) -> int:
    handle = os.open(path, flags, 0o600)
    os.fchmod(handle, 0o600)
    return handle
