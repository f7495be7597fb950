"""The fields of a ticket as the page shows them: value, how it came about, what was heard, how it is corrected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.domain.heard_fields import PLACE_COLUMNS, UnreadableField, read_time, read_wanted
from callcenter.domain.tickets import Place
from callcenter.web.formats import masked
from callcenter.web.rendering import Reader
from callcenter.web.script import Piece, pieces

CHOICES = ("request_type", "category", "urgency", "responsibility")
FIELDS = ("request_type", "category", "urgency", "place", "contact", "phone", "responsibility", "wanted", "summary")
LONGEST = {"summary": 200, "place": 60, "contact": 40, "phone": 32, "wanted": 60}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldView:
    """`state` is heard / unsure / confirmed / corrected / caller (the number that phoned) / empty.

    `raw` is what its form starts with.
    """

    name: str
    number: int
    label: str
    value: str
    raw: str
    state: str
    heard: str | None
    confidence: float | None
    read_back: bool
    evidence: tuple[Piece, ...]
    choices: tuple[tuple[str, str], ...]
    longest: int
    corrected_by: str | None
    corrected_at: datetime | None

    @property
    def is_low(self) -> bool:
        return self.state == "unsure"

    @property
    def can_be_corrected(self) -> bool:
        return not self.name.startswith("promise.")


def field_views(ticket: TicketRow, rows: Mapping[str, TicketFieldRow], reader: Reader) -> tuple[FieldView, ...]:
    """All fields in the order of their keys 1 to 9; further categories and promises follow."""
    more = sorted(name for name in rows if name.startswith(("promise.", "category.")))
    return tuple(
        _view(name, number, ticket, rows.get(name), reader) for number, name in enumerate([*FIELDS, *more], start=1)
    )


def unsure_first(views: Iterable[FieldView]) -> tuple[FieldView, ...]:
    """What is to be decided on top, the least sure first; the others keep their order."""
    return tuple(sorted(views, key=lambda view: (not view.is_low, view.confidence if view.is_low else 0.0)))


def _view(name: str, number: int, ticket: TicketRow, row: TicketFieldRow | None, reader: Reader) -> FieldView:
    kind = name.split(".")[0]
    raw = _current(name, ticket, row)
    shown = raw or (row.heard if row and row.state == "unsure" else None)
    state = row.state if row else ("confirmed" if raw else "empty")
    if name == "phone" and not shown and ticket.caller_number:
        shown, state = ticket.caller_number, "caller"
    return FieldView(
        name=name,
        number=number,
        label=reader.labels("field", kind),
        value=written(kind, shown, reader) if shown else "",
        raw="" if kind == "phone" else (shown or ""),
        state=state,
        heard=written(kind, row.heard, reader) if row and row.heard else None,
        confidence=row.confidence if row else None,
        read_back=bool(row and row.read_back),
        evidence=pieces([row]) if row else (),
        choices=tuple(reader.labels.choices(kind)) if kind in CHOICES else (),
        longest=LONGEST.get(kind, 200),
        corrected_by=row.corrected_by if row else None,
        corrected_at=row.corrected_at if row else None,
    )


def _current(name: str, ticket: TicketRow, row: TicketFieldRow | None) -> str | None:
    """What the ticket says now, as text; the ticket's own columns are the truth where there are such."""
    if name == "place":
        return place_of(ticket) or None
    if name == "wanted" or "." in name:
        return row.value if row else None
    return getattr(ticket, name) or None


def place_of(ticket: TicketRow) -> str:
    return Place(**{column: getattr(ticket, column) for column in PLACE_COLUMNS}).written()


def written(kind: str, text: str | None, reader: Reader) -> str:
    """A field's text as people read it."""
    if not text:
        return ""
    if kind in CHOICES:
        return reader.labels(kind, text)
    if kind == "phone":
        return masked(text)
    if kind == "wanted":
        return _wanted(text, reader)
    if kind == "promise":
        return _promise(text, reader)
    return text


def _wanted(text: str, reader: Reader) -> str:
    try:
        wanted = read_wanted(text, reader.zone)
    except UnreadableField:
        return text
    start, end = wanted.start, wanted.end
    f, say = reader.formats, reader.catalog.gettext
    if start and end:
        same_day = f.local(start).date() == f.local(end).date()
        return f"{f.when(start)}–{f.clock(end) if same_day else f.when(end)}"
    if start:
        return say("%(time)s 以后", time=f.when(start))
    return say("%(time)s 以前", time=f.when(end)) if end else text


def _promise(text: str, reader: Reader) -> str:
    words, _, time = text.rpartition(" @ ")
    try:
        at = read_time(time, reader.zone) if words else None
    except UnreadableField:
        return text
    return f"{words}·{reader.formats.when(at)}" if at else text
