"""`callcenter reminders list|explain|preview`."""

import asyncio
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from callcenter.app.parts import rules_of
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.db.reminders import ReminderState
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.services.call_speech import example_speech
from callcenter.services.explain_reminder import (
    Explanation,
    NoSuchReminder,
    explain_reminder,
    list_reminders,
    masked,
)
from callcenter.voice.speech import SPEECH_FOLDER, OfflineSpeech, SpeechFailed

UNFINISHED = (ReminderState.WAITING, ReminderState.CLAIMED, ReminderState.DIALLING, ReminderState.HANDED_OVER)


async def list_all(settings: Settings, *, finished_too: bool) -> int:
    async with opened_database(settings) as database:
        reminders = await list_reminders(database, states=() if finished_too else UNFINISHED)
    table = Table("id", "due", "kind", "state", "to", "attempts", "reason", box=None)
    for row in reminders:
        due = f"{row.due_at.astimezone(settings.zone):%Y-%m-%d %H:%M}"
        attempts, number = str(row.attempts), masked(row.to_number)
        table.add_row(str(row.id), due, row.kind, row.state, number, attempts, row.reason or "")
    Console().print(table if reminders else "nothing is owed to anybody")
    return 0


async def explain(settings: Settings, reminder_id: int) -> int:
    async with opened_database(settings) as database:
        try:
            found = await explain_reminder(
                database, reminder_id, now=clock_of(settings).now(), rules=rules_of(settings), language="en"
            )
        except NoSuchReminder as error:
            print(f"callcenter: {error}; `callcenter reminders list --all` shows them", file=sys.stderr)
            return 1
    due = f"{found.due_at.astimezone(settings.zone):%Y-%m-%d %H:%M:%S}"
    print(f"reminder {found.reminder_id}: {found.label}, ticket {found.ticket_number or '-'}, to {found.to_number}")
    print(f"  due   {due}: {found.basis}")
    print(f"  state {found.state}{_by_whom(found, settings)}: {found.why}")
    for attempt in found.attempts:
        at = f"{attempt.at.astimezone(settings.zone):%Y-%m-%d %H:%M:%S}"
        keys = f", keys {attempt.keys}" if attempt.keys else ""
        keys += f" ({attempt.answer})" if attempt.answer else ""
        print(f"  try {attempt.number} {at}: {attempt.outcome}{keys}")
    if found.now:
        print(f"  now   {found.now}")
    return 0


def _by_whom(found: Explanation, settings: Settings) -> str:
    if found.ended_by is None or found.ended_at is None:
        return ""
    return f" by {found.ended_by}, {found.ended_at.astimezone(settings.zone):%Y-%m-%d %H:%M}"


async def preview(settings: Settings, kind: str | None, *, wav: Path | None = None) -> int:
    """What the calls say, with the operator's own texts, for an example; with `wav` as a file to listen to."""
    kinds = reminder_kinds()
    if kind is not None and kind not in kinds:
        print(f"callcenter: there is no kind {kind!r}; use {', '.join(kinds)}", file=sys.stderr)
        return 2
    if wav is not None and kind is None:
        print(f"callcenter: --wav speaks one kind of call: name it, {', '.join(kinds)}", file=sys.stderr)
        return 2
    rules, now = rules_of(settings), clock_of(settings).now()
    for name in [kind] if kind else sorted(kinds):
        print(f"{name} ({kinds[name].label_en}, {kinds[name].label_zh})")
        print(f"  {example_speech(name, now=now, rules=rules)}")
        print(f"  again without a key: {kinds[name].key_prompt}")
        for digit, key in kinds[name].keys.items():
            print(f"  {digit}: {key.reply}{key.then_asks}{key.then_reply}")
    if kind is None or wav is None:
        return 0
    return await _speak(settings, f"{example_speech(kind, now=now, rules=rules)}{kinds[kind].key_prompt}", wav)


async def _speak(settings: Settings, text: str, wav: Path) -> int:
    """The text as the console speaks it: offline, so that nothing leaves the machine."""
    try:
        spoken = await OfflineSpeech(settings.server.data_dir / SPEECH_FOLDER).speak(text)
        await asyncio.to_thread(shutil.copyfile, spoken, wav)
    except SpeechFailed as error:
        print(f"callcenter: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"callcenter: {error.filename or wav}: {error.strerror or error}", file=sys.stderr)
        return 1
    print(f"{wav} says it")
    return 0
