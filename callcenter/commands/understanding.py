"""`callcenter understand`, `evaluate understanding` and `register import`."""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import rule_folder
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.tickets import Evidence, Found, Place, TicketDraft, Wanted
from callcenter.domain.transcript import Segment, Side, Transcript, Word
from callcenter.domain.understanding import (
    CallContext,
    EstateRegister,
    Rules,
    details_to_json,
    draft_to_json,
    understand,
)
from callcenter.domain.understanding.draft import transcript_of_text
from callcenter.domain.understanding.evaluation import Evaluation, evaluate
from callcenter.domain.understanding.labels import LabelError, Labelled, read_labels
from callcenter.domain.understanding.register_file import RegisterFile, RegisterFileError, read_register
from callcenter.services.register import import_register

FAR_APART = 0.15
"""Confidence and share right that differ by so much are named."""

COLOURS = {
    "urgency": "bold red",
    "place": "bold cyan",
    "phone": "bold green",
    "contact": "bold magenta",
    "category": "bold yellow",
    "promise": "bold blue",
    "wanted": "bold bright_green",
    "demand": "bold bright_magenta",
    "amount": "bold bright_cyan",
    "do_not_call": "bold white on red",
}


class Refused(Exception):
    """Nothing can be understood; the message says why and what to do."""


class Understanding:
    """Settings, rules and register of one command."""

    def __init__(
        self, settings: Settings, *, register: Path | None, at: datetime | None = None, caller: str | None = None
    ) -> None:
        heard_at = (at or clock_of(settings).now()).astimezone(settings.zone)
        area_code = settings.understanding.area_code or None
        self.context = CallContext(
            heard_at=heard_at, caller_number=caller, area_code=area_code, register=_register(register)
        )
        self.rules = _rules(settings)

    def __call__(self, transcript: Transcript) -> TicketDraft:
        return understand(transcript, context=self.context, rules=self.rules)

    def of_row(self, row: Labelled) -> TicketDraft:
        """What was heard of a labelled call, else its text; at its own time, where the row tells one."""
        heard_at = row.heard_at.astimezone(self.context.heard_at.tzinfo) if row.heard_at else self.context.heard_at
        transcript = row.transcript or transcript_of_text(row.text)
        return understand(transcript, context=replace(self.context, heard_at=heard_at), rules=self.rules)


def _rules(settings: Settings) -> Rules:
    try:
        return rule_folder(settings).current()
    except RuleFileError as error:
        raise Refused(str(error)) from error


def _register(path: Path | None) -> EstateRegister | None:
    return _register_file(path).register() if path is not None else None


def _register_file(path: Path) -> RegisterFile:
    try:
        return read_register(path.read_bytes())
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; give a CSV file that can be read") from error
    except RegisterFileError as error:
        raise Refused("\n".join(f"{path}: {one}" for one in error.errors)) from error


def understand_and_print(
    settings: Settings,
    *,
    text: str | None,
    as_json: bool,
    details: bool,
    register: Path | None,
    at: datetime | None,
    caller: str | None,
) -> int:
    """A text or file as a coloured page, or every line of standard input as a JSON object."""
    try:
        machine = Understanding(settings, register=register, at=at, caller=caller)
        transcripts = _transcripts(text)
        if as_json:
            _write_utf_8()
            for transcript in transcripts:
                print(_as_json(machine(transcript), details=details), flush=True)
            return 0
        for transcript in transcripts:
            _show(transcript, machine(transcript))
    except Refused as error:
        return _refused(error)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return 0


def _write_utf_8() -> None:
    """Whatever the terminal's own encoding: the objects are read by programs."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def _transcripts(text: str | None) -> Iterator[Transcript]:
    """Of standard input each line is a call (\\n in it divides its turns); a file is one call, as is a text."""
    if text is None or text == "-":
        for line in sys.stdin.buffer:
            yield transcript_of_text(_unescaped(line.decode("utf-8", "replace").removeprefix("\ufeff").rstrip("\r\n")))
        return
    path = Path(text)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if is_file:
        yield from _transcripts_of_file(path)
    else:
        yield transcript_of_text(_unescaped(text))


def _unescaped(line: str) -> str:
    return line.replace("\\n", "\n")


def _transcripts_of_file(path: Path) -> Iterator[Transcript]:
    """A plain text, or what `callcenter transcribe --json` printed: an object a line."""
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; give a text file that can be read") from error
    try:
        objects = [json.loads(line) for line in text.splitlines() if line.strip()]
        yield from [_transcript_of_json(one) for one in objects]
    except (ValueError, KeyError, TypeError, IndexError):
        yield transcript_of_text(text)


def _transcript_of_json(found: dict[str, Any]) -> Transcript:
    segments = (
        Segment(
            side=Side(one["side"]),
            start_ms=one["start_ms"],
            end_ms=one["end_ms"],
            text=one["text"],
            words=tuple(Word(**word) for word in one["words"]),
            alternatives=tuple(one["alternatives"]),
        )
        for one in found["segments"]
    )
    return Transcript.of(segments, duration_ms=found["duration_ms"])


def _as_json(draft: TicketDraft, *, details: bool) -> str:
    found = draft_to_json(draft) | ({"details": details_to_json(draft)} if details else {})
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def _show(transcript: Transcript, draft: TicketDraft) -> None:
    console = Console(highlight=False)
    named = list(_named(draft))
    for segment in transcript.segments:
        if segment.text.strip():
            console.print(_highlighted(segment, named))
    table = Table(
        "field", Column("value", overflow="fold"), "sure", Column("from the words", overflow="fold"), box=None
    )
    for name, found, value in named:
        shown = value if found.confidence >= 0.6 else f"({value})"
        sure = f"{found.confidence:.2f}" + (" read back" if found.read_back else "")
        words = " … ".join(dict.fromkeys(_where(evidence) for evidence in found.evidence))
        table.add_row(Text(name, COLOURS.get(name.split(".")[0], "bold")), shown, sure, words)
    console.print(table if named else "nothing was understood")
    if draft.must_listen or draft.notes:
        console.print(f"must listen: {'yes' if draft.must_listen else 'no'}  notes: {', '.join(draft.notes) or '-'}")
    console.print("(in brackets: heard, but too unsure to be asserted)", style="dim")


def _where(evidence: Evidence) -> str:
    return evidence.words + (f" @{evidence.start_ms / 1000:.1f}s" if evidence.end_ms else "")


def _highlighted(segment: Segment, named: list[tuple[str, Found[Any], str]]) -> Text:
    text = Text(f"{segment.side.value:9}", style="dim")
    said = Text(segment.text.strip(), style="default")
    for name, found, _ in named:
        for evidence in found.evidence:
            at = segment.text.strip().find(evidence.words) if evidence.words else -1
            if at >= 0 and evidence.side is segment.side and len(evidence.words) < max(len(segment.text) * 0.9, 12):
                said.stylize(COLOURS.get(name.split(".")[0], "bold"), at, at + len(evidence.words))
    return text + said


def _named(draft: TicketDraft) -> Iterable[tuple[str, Found[Any], str]]:
    singles: tuple[tuple[str, Found[Any] | None], ...] = (
        ("type", draft.request_type),
        ("urgency", draft.urgency),
        ("responsibility", draft.responsibility),
        ("place", draft.place),
        ("contact", draft.contact),
        ("phone", draft.phone),
        ("wanted", draft.wanted),
        ("summary", draft.summary),
        ("solved", draft.solved_on_call),
        ("do_not_call", draft.do_not_call),
    )
    yield from ((name, found, _written(found.value)) for name, found in singles if found is not None)
    yield from (("category", found, found.value) for found in draft.categories)
    for number, promise in enumerate(draft.promises, 1):
        due = f", by {promise.value.due:%Y-%m-%d %H:%M}" if promise.value.due else ""
        yield f"promise.{number}", promise, f"{promise.value.kind}: {promise.value.text}{due}"
    yield from ((f"amount.{n}", one, f"{one.value.yuan} yuan") for n, one in enumerate(draft.amounts, 1))
    yield from ((f"demand.{n}", one, one.value) for n, one in enumerate(draft.demands, 1))
    yield from (
        (f"consent.{n}", one, "given" if one.value.given else "refused") for n, one in enumerate(draft.consents, 1)
    )
    yield from (
        (f"problem.{n}", one, f"{one.value.category}: {one.value.text}") for n, one in enumerate(draft.problems, 1)
    )


def _written(value: Any) -> str:
    if isinstance(value, Place):
        return value.written()
    if isinstance(value, Wanted):
        ends = (f"{end:%Y-%m-%d %H:%M}" if end else "..." for end in (value.start, value.end))
        return " to ".join(ends)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(getattr(value, "number", value) or "the caller's number")


def evaluate_set(
    settings: Settings, set_file: Path, *, register: Path | None, as_json: bool, misses: bool, at: datetime
) -> int:
    """Prints how well a labelled set is understood. 1 where the set cannot be read."""
    try:
        machine = Understanding(settings, register=register, at=at)
        if not machine.context.area_code:
            machine.context = replace(machine.context, area_code="021")
        rows = read_labels(set_file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return _refused(Refused(f"{set_file}: {error}; give a JSON-lines file in UTF-8"))
    except LabelError as error:
        return _refused(Refused(f"{set_file}: {error}"))
    except Refused as error:
        return _refused(error)
    result = evaluate(rows, machine.of_row)
    if as_json:
        print(json.dumps(result.as_json(), ensure_ascii=False))
    else:
        _show_evaluation(result, misses=misses)
    return 0


def _show_evaluation(result: Evaluation, *, misses: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    table = Table("slot", "precision", "recall", "right", "wrong", "missing", "invented", "rightly empty", box=None)
    for slot, score in result.scores.items():
        counts = (score.right, score.wrong, score.missing, score.invented, score.rightly_empty)
        table.add_row(slot, _share(score.precision), _share(score.recall), *map(str, counts))
    console.print(f"{result.rows} rows", table)
    for slot, confusion in result.confusion.items():
        console.print(f"\n{slot}, confusion", _confusion_table(confusion))
    invented = sum(score.invented for score in result.scores.values())
    console.print(f"\ninvented values: {invented}; figures asserted that were not said: {result.unsaid}")
    bins = Table("confidence", "mean", "share right", "values", box=None)
    for lower, mean, right, count in result.bins():
        bins.add_row(f"from {lower:.1f}", f"{mean:.2f}", f"{right:.2f}", str(count))
    console.print("\ncalibration, values of every confidence", bins)
    console.print(f"expected calibration error {_share(result.calibration_error)}")
    slots = Table("slot", "mean confidence", "share right", "values", "", box=None)
    for slot, mean, right, count in result.reliability():
        slots.add_row(slot, f"{mean:.2f}", f"{right:.2f}", str(count), _how_sure(mean - right))
    console.print("\nhow sure, and how often right, by slot", slots)
    for miss in result.misses if misses else ():
        console.print(
            f"line {miss.line} {miss.slot}: expected {miss.expected or '-'}, got {miss.got or '-'}: {miss.text}"
        )


def _how_sure(too_much: float) -> str:
    """In words where confidence and truth are apart."""
    if abs(too_much) < FAR_APART:
        return ""
    return "too sure" if too_much > 0 else "too modest"


def _confusion_table(confusion: dict[tuple[str, str], int]) -> Table:
    """A line for each expected value: with two dozen categories a square would not fit on any screen."""
    table = Table("expected", "right", "got instead", box=None)
    for expected in sorted({expected for expected, _ in confusion}):
        others = sorted(((got, rows) for (one, got), rows in confusion.items() if one == expected and got != expected))
        instead = ", ".join(f"{got} {rows}" for got, rows in others)
        table.add_row(expected, str(confusion.get((expected, expected), 0)), instead or "-")
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


async def import_file(settings: Settings, path: Path, *, dry_run: bool) -> int:
    try:
        file = _register_file(path)
    except Refused as error:
        return _refused(error, "\nnothing was imported")
    async with opened_database(settings) as database:
        try:
            now = clock_of(settings).now()
            done = await import_register(database, file, source=path.name, now=now, dry_run=dry_run)
        except SQLAlchemyError as error:
            print(f"callcenter: {error}; has the database been migrated (callcenter migrate)?", file=sys.stderr)
            return 1
    for name in file.ignored:
        print(f"callcenter: column {name!r} says nothing to us and is left out", file=sys.stderr)
    print(f"{'would import' if dry_run else 'imported'} {done.rooms} rooms with {done.residents} residents")
    estates = ", ".join(filter(None, done.estates)) or "-"
    print(f"  {done.added} rooms new, {done.removed} no longer there; estates: {estates}")
    return 0


def _refused(error: Refused, more: str = "") -> int:
    lines = str(error).split("\n")
    print("\n".join(f"callcenter: {line}" for line in lines) + more, file=sys.stderr)
    return 1
