"""The command line of answering: `callcenter ledger`, `callcenter rollups`. The work is imported when it is run."""

import argparse
import asyncio
from pathlib import Path
from typing import TypeAlias

from callcenter.config import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_answering(commands: Commands) -> None:
    about = "a month's calls in a file that shows when it was changed"
    ledger = commands.add_parser("ledger", help=about, description=about)
    actions = ledger.add_subparsers(dest="action", required=True, metavar="ACTION")
    what = "write a month's calls, ring times and figures; keep the hash that is printed elsewhere"
    export = actions.add_parser("export", help=what, description=what)
    export.add_argument("month", metavar="MONTH", help="like 2026-11")
    export.add_argument("file", metavar="FILE", type=Path)
    export.set_defaults(run=_export)
    what = "say whether a ledger is as it was written, else name its first broken line"
    verify = actions.add_parser("verify", help=what, description=what)
    verify.add_argument("file", metavar="FILE", type=Path)
    verify.add_argument("--hash", metavar="HASH", help="the hash that was printed when it was written")
    verify.set_defaults(run=_verify)
    _add_rollups(commands)


def _add_rollups(commands: Commands) -> None:
    about = "what is kept of each day so that reports are quick"
    rollups = commands.add_parser("rollups", help=about, description=about)
    actions = rollups.add_subparsers(dest="action", required=True, metavar="ACTION")
    what = "count every day anew; the server does by itself whatever is needed, and reports stay right meanwhile"
    rebuild = actions.add_parser("rebuild", help=what, description=what)
    rebuild.add_argument("--from-events", action="store_true", help="fold every call from its stored events first")
    rebuild.set_defaults(run=_rebuild)
    what = "say whether each day is kept as its events tell it; exit code 1 where one is not"
    check = actions.add_parser("verify", help=what, description=what)
    check.set_defaults(run=_verify_rollups)


def _rebuild(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.rollups import rebuild

    return asyncio.run(rebuild(settings, from_events=options.from_events))


def _verify_rollups(_: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.rollups import verify

    return asyncio.run(verify(settings))


def _export(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.ledger import export

    return asyncio.run(export(settings, options.month, options.file))


def _verify(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.ledger import verify

    return verify(options.file, expected=options.hash)
