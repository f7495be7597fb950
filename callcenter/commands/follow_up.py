"""The command line of following up: `callcenter reminders`, `campaign` and `fees`. Each is imported when it is run."""

import argparse
import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from callcenter.config import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Command = Callable[[argparse.Namespace, Settings], int]


def add_follow_up(commands: Commands) -> None:
    _add_reminders(commands)
    _add_campaign(commands)
    _add_fees(commands)


def _add(commands: Commands, name: str, run: Command | None, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(run=run)
    return parser


def _actions(commands: Commands, name: str, help_text: str) -> Any:
    return _add(commands, name, None, help_text).add_subparsers(dest="action", required=True, metavar="ACTION")


def _add_reminders(commands: Commands) -> None:
    actions = _actions(commands, "reminders", "calls that we owe residents")
    listing = _add(actions, "list", _list, "reminders and their state")
    listing.add_argument("--all", action="store_true", help="finished ones too")
    explain = _add(actions, "explain", _explain, "why a reminder is when it is, and what came of its calls")
    explain.add_argument("id", type=int)
    preview = _add(actions, "preview", _preview, "what a kind of call says, for an example")
    preview.add_argument("kind", metavar="KIND", nargs="?", help="default: every kind")
    preview.add_argument("--wav", metavar="FILE", type=Path, help="speak the text of KIND into this file")


def _list(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.reminders import list_all

    return asyncio.run(list_all(settings, finished_too=options.all))


def _explain(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.reminders import explain

    return asyncio.run(explain(settings, options.id))


def _preview(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.reminders import preview

    return asyncio.run(preview(settings, options.kind, wav=options.wav))


def _add_campaign(commands: Commands) -> None:
    actions = _actions(commands, "campaign", "one text for many homes, in a window of time and at a pace")
    importing = _add(actions, "import", _campaign_import, "make a campaign; nobody is phoned before it is started")
    importing.add_argument("name", metavar="NAME")
    importing.add_argument("file", metavar="FILE", type=Path, nargs="?", help="CSV with the numbers (number, name)")
    importing.add_argument("--place", help="instead of FILE: these homes of the register, like 3栋 or 3栋2单元")
    importing.add_argument("--text", required=True, help="what is announced, like 今天14:00至18:00停水")
    importing.add_argument("--kind", default="announcement", help="announcement (default) or festival_greeting")
    importing.add_argument("--from", dest="opens_at", type=datetime.fromisoformat, metavar="TIME", help="default: now")
    importing.add_argument("--until", dest="closes_at", type=datetime.fromisoformat, metavar="TIME", required=True)
    importing.add_argument("--pace", type=int, default=20, metavar="CALLS", help="calls a minute (default: 20)")
    for name, help_text in (
        ("start", "begin the calls, or go on after a pause"),
        ("pause", "hold every call that has not been placed"),
        ("cancel", "make no further call"),
    ):
        _add(actions, name, _campaign_move, help_text).add_argument("name", metavar="NAME")
    status = _add(actions, "status", _campaign_status, "how far a campaign is; without NAME: all campaigns")
    status.add_argument("name", metavar="NAME", nargs="?")


def _campaign_import(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.campaigns import make

    return asyncio.run(make(settings, options))


def _campaign_move(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.campaigns import move

    return asyncio.run(move(settings, options.action, options.name))


def _campaign_status(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.campaigns import status

    return asyncio.run(status(settings, options.name))


def _add_fees(commands: Commands) -> None:
    actions = _actions(commands, "fees", "overdue fees and the calls about them")
    importing = _add(actions, "import", _fees_import, "take the fees of a CSV file and plan a call a home")
    importing.add_argument("file", metavar="FILE", type=Path, help="number, name, place, amount, items, due")
    importing.add_argument("--dry-run", action="store_true", help="check the file only")
    _add(actions, "list", _fees_list, "fees that are not paid, and the dates agreed")
    paid = _add(actions, "paid", _fees_paid, "a fee has been paid: its call speaks of it no more")
    paid.add_argument("id", type=int)


def _fees_import(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.fees import import_file

    return asyncio.run(import_file(settings, options.file, dry_run=options.dry_run))


def _fees_list(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.fees import list_all

    return asyncio.run(list_all(settings))


def _fees_paid(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.fees import paid

    return asyncio.run(paid(settings, options.id))
