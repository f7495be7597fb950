"""A setting as a form shows it and as it comes back: text in the reader's hands, JSON in the settings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a value is written: HOURS 09:00-12:00 14:00-18:00, DATES 2026-10-01 2026-10-02, WORDS divided by blanks."""

    TEXT = "text"
    LONG = "long"
    SECRET = "secret"  # noqa: S105 - the name of a kind
    NUMBER = "number"
    YES = "yes"
    CHOICE = "choice"
    HOURS = "hours"
    DATES = "dates"
    WORDS = "words"


class Unreadable(Exception):
    """What was typed is no value of its kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """`label` and `hint` are of the catalogue; `hint` says what may be typed. `choices`: value and label.

    `spoken`: callers hear it, and so may whoever writes it.
    """

    key: str
    label: str
    hint: str = ""
    kind: Kind = Kind.TEXT
    choices: tuple[tuple[str, str], ...] = ()
    spoken: bool = False
    optional: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """A list of tables, as a row each; what the columns do not show of a row stays as it is."""

    key: str
    label: str
    hint: str
    columns: tuple[Setting, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Settings that stand together under a heading."""

    title: str
    settings: tuple[Setting | Rows, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A page of the administration: its address, title, what it is about, and what is set there."""

    name: str
    title: str
    about: str
    groups: tuple[Group, ...]


_DIVIDERS = re.compile(r"[\s,，;；、]+")
_RANGE = re.compile(r"(\d{1,2}:\d{2})[-–—至到](\d{1,2}:\d{2})")


def value_at(dumped: Mapping[str, Any], key: str) -> Any:
    """The value under a dotted key; None where there is none."""
    found: Any = dumped
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def written(value: Any, kind: Kind) -> str:
    """A value as the form shows it; a secret is never shown."""
    if value is None or kind is Kind.SECRET:
        return ""
    match kind:
        case Kind.YES:
            return "on" if value else ""
        case Kind.HOURS:
            return " ".join(f"{one['start'][:5]}-{one['end'][:5]}" for one in value)
        case Kind.DATES | Kind.WORDS:
            return " ".join(map(str, value))
        case Kind.NUMBER:
            return f"{value:g}" if isinstance(value, float) else str(value)
        case _:
            return str(value)


def read(text: str, kind: Kind) -> Any:
    """What was typed, as the settings hold it. Raises Unreadable."""
    text = text.strip()
    try:
        match kind:
            case Kind.YES:
                return bool(text)
            case Kind.NUMBER:
                return float(text) if "." in text else int(text)
            case Kind.HOURS:
                return [_hours(one) for one in _parts(text)]
            case Kind.DATES:
                return [date.fromisoformat(one).isoformat() for one in _parts(text)]
            case Kind.WORDS:
                return _parts(text)
            case Kind.LONG:
                return " ".join(text.split())
            case _:
                return text
    except ValueError as error:
        raise Unreadable from error


def _parts(text: str) -> list[str]:
    return [one for one in _DIVIDERS.split(text) if one]


def _hours(text: str) -> dict[str, str]:
    match = _RANGE.fullmatch(text.replace("：", ":"))
    if match is None:
        raise ValueError(text)
    start, end = (time.fromisoformat(one.zfill(5)) for one in match.groups())
    return {"start": start.isoformat(), "end": end.isoformat()}
