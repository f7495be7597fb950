"""The fields of a ticket as they were heard: written as text, and set as columns only where they are sure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.domain.tickets import (
    Evidence,
    Found,
    Place,
    Problem,
    Promise,
    RequestType,
    TicketDraft,
    Urgency,
    Wanted,
)

PLACE_COLUMNS = ("estate", "phase", "lane", "building", "unit", "floor", "room")
_PLACE = re.compile(
    r"(?P<estate>.*?)(?P<phase>(?:\d+(?:\.\d)?|[一二三四五六七八九十]{1,2})期)?(?:(?P<lane>\d+)弄)?"
    r"(?:(?P<building>附?[A-Za-z]?\d*[A-Za-z]?)(?:栋|幢|座|号楼|号))?"
    r"(?:(?P<unit>\d+|[甲乙丙丁东西]|[A-Za-z])单元)?(?:(?P<floor>(?:负|地下)?\d+)[楼层])?(?:(?P<room>\d+[A-Za-z]?)[室房]?)?"
)


class UnreadableField(ValueError):
    """A field's text cannot be read; the message says how to write it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardField:
    """One field: its text, how sure, from which words; `columns` is what it sets on the ticket when sure."""

    name: str
    text: str
    confidence: float
    evidence: tuple[Evidence, ...]
    read_back: bool
    columns: Mapping[str, Any]


def heard_fields(draft: TicketDraft, *, zone: ZoneInfo) -> tuple[HeardField, ...]:
    """All that was heard, sure or not. Further categories and promises are numbered: category.2, promise.1."""
    fields = [
        _simple("request_type", draft.request_type),
        _simple("urgency", draft.urgency),
        _simple("responsibility", draft.responsibility),
        _simple("contact", draft.contact),
        _simple("phone", draft.phone),
        _simple("summary", draft.summary),
    ]
    if draft.place is not None and not draft.place.value.is_empty:
        fields.append(_field("place", draft.place, draft.place.value.written(), place_columns(draft.place.value)))
    if draft.wanted is not None:
        wanted = draft.wanted.value
        columns: dict[str, Any] = {"wanted_from": wanted.start, "wanted_to": wanted.end}
        fields.append(_field("wanted", draft.wanted, written_wanted(wanted, zone), columns))
    for number, category in enumerate(draft.categories, 1):
        columns = {"category": category.value} if number == 1 else {}
        fields.append(_field("category" if number == 1 else f"category.{number}", category, category.value, columns))
    for number, promise in enumerate(draft.promises, 1):
        fields.append(_field(f"promise.{number}", promise, written_promise(promise.value, zone), {}))
    return tuple(field for field in fields if field is not None)


def _simple(name: str, found: Found[Any] | None) -> HeardField | None:
    return _field(name, found, str(found.value), {name: str(found.value)}) if found is not None else None


def _field(name: str, found: Found[Any], text: str, columns: Mapping[str, Any]) -> HeardField:
    return HeardField(
        name=name,
        text=text,
        confidence=found.confidence,
        evidence=found.evidence,
        read_back=found.read_back,
        columns=columns,
    )


def sure_columns(fields: Iterable[HeardField], threshold: float) -> dict[str, Any]:
    """What goes onto the ticket: sure values only."""
    return {name: value for field in fields if field.confidence >= threshold for name, value in field.columns.items()}


def may_be_emergency(fields: Iterable[HeardField], threshold: float) -> bool:
    """An emergency was heard, but below the threshold: the safe side is to take it as one until a person has looked."""
    doubted = {field.name: field.text for field in fields if field.confidence < threshold}
    return Urgency.EMERGENCY.value in (doubted.get("urgency"), doubted.get("request_type"))


def missing_essentials(
    columns: Mapping[str, Any], unsure: Collection[str], *, has_caller_number: bool
) -> tuple[str, ...]:
    """The essential fields that a person must look at: missing, or heard without being sure.

    The caller's number stands in for one that was not spoken. Praise needs no place.
    """
    missing = [name for name in ("request_type", "category") if columns.get(name) is None]
    has_place = any(columns.get(name) is not None for name in PLACE_COLUMNS)
    if "place" in unsure or (not has_place and columns.get("request_type") != RequestType.PRAISE):
        missing.append("place")
    if "phone" in unsure or (columns.get("phone") is None and not has_caller_number):
        missing.append("phone")
    return (*missing, *sorted(name for name in unsure if name.startswith("promise.")))


def place_columns(place: Place) -> dict[str, str | None]:
    return asdict(place)


def read_place(text: str) -> Place:
    """The place from what an agent typed, as a ticket shows it: 3栋2单元501, 198弄4号1103室."""
    match = _PLACE.fullmatch(re.sub(r"\s", "", text))
    parts = {name: value for name, value in (match.groupdict() if match else {}).items() if value}
    if not parts or any(char.isdigit() for char in parts.get("estate", "")):
        raise UnreadableField(f"place {text!r}: write it like 3栋2单元501 or 198弄4号1103室")
    return Place(**parts)


def written_wanted(wanted: Wanted, zone: ZoneInfo) -> str:
    """2026-11-24 15:00 / 2026-11-24 17:00; an open end is left empty."""
    return f"{_written(wanted.start, zone)} / {_written(wanted.end, zone)}".strip()


def read_wanted(text: str, zone: ZoneInfo) -> Wanted:
    start, _, end = text.partition("/")
    wanted = Wanted(start=read_time(start, zone), end=read_time(end, zone))
    if wanted.start and wanted.end and wanted.start >= wanted.end:
        raise UnreadableField(f"time {text!r}: the start must be before the end")
    return wanted


def written_promise(promise: Promise, zone: ZoneInfo) -> str:
    """The words; the time follows after @ where one was said."""
    return f"{promise.text} @ {_written(promise.due, zone)}" if promise.due else promise.text


def written_problem(problem: Problem) -> str:
    """plumbing repair normal：厨房漏水; - where the type was not said."""
    return f"{problem.category} {problem.request_type or '-'} {problem.urgency}：{problem.text}"


def read_problem(text: str) -> Problem | None:
    """None where the text is no problem as `written_problem` writes it."""
    head, colon, words = text.partition("：")
    match head.split(" "):
        case [category, request_type, urgency] if colon and urgency in set(Urgency):
            known = RequestType(request_type) if request_type in set(RequestType) else None
            return Problem(category=category, request_type=known, urgency=Urgency(urgency), text=words)
        case _:
            return None


def read_time(text: str, zone: ZoneInfo) -> datetime | None:
    """A local time such as 2026-11-24 15:00, or None where the text is empty. Raises UnreadableField."""
    if not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UnreadableField(f"time {text.strip()!r}: write it like 2026-11-24 15:00") from error
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _written(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""
