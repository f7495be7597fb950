"""`callcenter language-rules check|try|recheck` and `callcenter evaluate language`."""

import re
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import language_checker
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.db.language import LanguageCheckRow
from callcenter.domain.periods import Period, PeriodKind, period_of_date
from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.service_language import CheckContext, LanguageRules, language_rules
from callcenter.domain.service_language.evaluation import Tally, evaluate_language, read_language_labels
from callcenter.domain.service_language.findings import MEASURE_LABELS
from callcenter.domain.understanding.labels import LabelError
from callcenter.domain.understanding.rules_files import default_rules
from callcenter.services.language_decisions import judge_by_decisions
from callcenter.services.schema import in_one_line
from callcenter.services.try_language_rules import Difference, try_rules

MOST_SHOWN = 200


def check_file(file: Path) -> int:
    """0 where the file can be used."""
    try:
        rules = language_rules(file)
    except RuleFileError as error:
        return _refused(str(error))
    print(f"{file}: {len(rules.never)} kinds of forbidden wordings, version {rules.version}")
    return 0


async def try_file(settings: Settings, file: Path, *, month: str | None) -> int:
    """Prints both counts by check and each difference with its call and second."""
    period = _month(month, settings)
    if period is None:
        return _refused(f"{month!r} is no month; write it like 2026-10", code=2)
    try:
        tried = language_rules(file)
    except RuleFileError as error:
        return _refused(str(error))
    checker = language_checker(settings)
    async with opened_database(settings) as database:
        try:
            found = await try_rules(database, checker, tried, since=period.start, until=period.end)
        except SQLAlchemyError as error:
            return _refused(f"the database cannot be read: {in_one_line(error)}")
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{found.calls} calls of {period.start:%Y-%m}: rules {checker.rules().version} and {tried.version}")
    table = Table("check", "", "now", "then", box=None)
    names = _names(tried) | _names(checker.rules())
    for kind in sorted(found.before.keys() | found.after.keys()):
        table.add_row(kind, names.get(kind, ""), str(found.before[kind]), str(found.after[kind]))
    console.print(table)
    for sign, differences in (("+", found.added), ("-", found.gone)):
        for one in differences[:MOST_SHOWN]:
            console.print(_shown(sign, one, settings))
        if len(differences) > MOST_SHOWN:
            console.print(f"{sign} and {len(differences) - MOST_SHOWN} more")
    return 0


def _shown(sign: str, one: Difference, settings: Settings) -> str:
    at = one.started_at.astimezone(settings.zone)
    second = f"{one.finding.start_ms / 1000:.1f}s"
    return f"{sign} {at:%Y-%m-%d %H:%M} {one.call_id} {second:>7} {one.finding.check}: {one.finding.words[:60]}"


async def recheck(settings: Settings, *, since: datetime) -> int:
    """Every call that was checked before, from `since` on."""
    checker, now, done = language_checker(settings), clock_of(settings).now(), 0
    async with opened_database(settings) as database:
        try:
            async with database.read() as session:
                query = select(LanguageCheckRow.call_id).where(LanguageCheckRow.heard_at >= since)
                ids = (await session.scalars(query.order_by(LanguageCheckRow.heard_at))).all()
            for call_id in ids:
                done += await checker.check(database, call_id, now=now)
        except SQLAlchemyError as error:
            return _refused(f"the database cannot be used: {in_one_line(error)}")
    print(f"{done} calls checked again by rules {checker.rules().version}")
    return 0


async def evaluate(settings: Settings, set_file: Path | None, *, rules_file: Path | None, misses: bool) -> int:
    """By a labelled set, or by what supervisors decided."""
    checker = language_checker(settings)
    try:
        rules = language_rules(rules_file) if rules_file else checker.rules()
        if set_file is None:
            async with opened_database(settings) as database:
                tallies: Mapping[str, Tally] = await judge_by_decisions(database, checker, rules)
        else:
            tallies = _by_labels(set_file, rules, settings)
    except (OSError, UnicodeDecodeError) as error:
        return _refused(f"{set_file}: {error}; give a JSON-lines file in UTF-8")
    except (RuleFileError, LabelError) as error:
        return _refused(str(error))
    except SQLAlchemyError as error:
        return _refused(f"the database cannot be read: {in_one_line(error)}")
    if not tallies:
        print("nothing has been decided yet")
        return 0
    _show(tallies, misses=misses)
    return 0


def _by_labels(set_file: Path, rules: LanguageRules, settings: Settings) -> dict[str, Tally]:
    calls = read_language_labels(set_file.read_text("utf-8-sig"))
    heard_at = datetime(2026, 11, 24, 10, 0, tzinfo=settings.zone)
    context = CheckContext(heard_at=heard_at, understanding=default_rules(), company=settings.console.company)
    found = evaluate_language(calls, rules=rules, context=context)
    return {"never": found.never, **dict(sorted(found.checks.items())), "all": found.all}


def _show(tallies: Mapping[str, Tally], *, misses: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    table = Table("check", "precision", "recall", "right", "wrong", "missing", box=None)
    for name, one in tallies.items():
        counts: Iterable[int] = (one.right, one.wrong, one.missing)
        table.add_row(name, f"{one.precision:.3f}", f"{one.recall:.3f}", *map(str, counts))
    console.print(table)
    for one in tallies.values() if misses else ():
        console.print(*one.misses, sep="\n")


def _names(rules: LanguageRules) -> dict[str, str]:
    return {key: label.zh for key, label in {**MEASURE_LABELS, **rules.labels()}.items()}


def _month(written: str | None, settings: Settings) -> Period | None:
    """Last month where none is named."""
    if written is None:
        first = clock_of(settings).now().astimezone(settings.zone).date().replace(day=1)
        return period_of_date(PeriodKind.MONTH, first - timedelta(days=1), settings.zone)
    if not re.fullmatch(r"20\d{2}-(0[1-9]|1[0-2])", written):
        return None
    return period_of_date(PeriodKind.MONTH, date.fromisoformat(f"{written}-15"), settings.zone)


def _refused(problem: str, *, code: int = 1) -> int:
    print(f"callcenter: {problem}", file=sys.stderr)
    return code
