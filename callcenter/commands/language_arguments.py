"""The command line of service language: `callcenter language-rules` and `evaluate language`."""

import argparse
import asyncio
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from callcenter.config import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_language(commands: Commands, evaluations: Commands) -> None:
    """`evaluations` are the actions of `callcenter evaluate`."""
    about = "the rules of service language: check an edited file, try it over past calls"
    rules = commands.add_parser("language-rules", help=about, description=about)
    actions = rules.add_subparsers(dest="action", required=True, metavar="ACTION")
    what = "say whether a rule file can be used, else name its first wrong line"
    check = actions.add_parser("check", help=what, description=what)
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=_check)
    what = (
        "what an edited file would find on last month's calls that is not found now, and the reverse; nothing is kept"
    )
    tried = actions.add_parser("try", help=what, description=what)
    tried.add_argument("file", type=Path, metavar="FILE")
    tried.add_argument("--month", metavar="MONTH", help="like 2026-10 (default: last month)")
    tried.set_defaults(run=_try)
    what = "check calls again by the rules in force; contests and decisions stay"
    again = actions.add_parser("recheck", help=what, description=what)
    again.add_argument("--since", type=datetime.fromisoformat, required=True, metavar="TIME")
    again.set_defaults(run=_recheck)
    what = "precision and recall of the checks of service language, by labels or by supervisors' decisions"
    evaluated = evaluations.add_parser("language", help=what, description=what)
    evaluated.add_argument("set", type=Path, nargs="?", metavar="SET", help="default: the decisions in the database")
    evaluated.add_argument("--rules", type=Path, metavar="FILE", help="an edited file in place of the rules in force")
    evaluated.add_argument("--misses", action="store_true", help="show every finding that is wrong or missing")
    evaluated.set_defaults(run=_evaluate)


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.language import check_file

    return check_file(options.file)


def _try(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.language import try_file

    return asyncio.run(try_file(settings, options.file, month=options.month))


def _recheck(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.language import recheck

    since = options.since
    return asyncio.run(recheck(settings, since=since.replace(tzinfo=settings.zone) if since.tzinfo is None else since))


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.language import evaluate

    return asyncio.run(evaluate(settings, options.set, rules_file=options.rules, misses=options.misses))
