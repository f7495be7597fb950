"""The spoken text of a call: an operator's template, checked at start, and what is filled into it, said properly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from string import Formatter
from zoneinfo import ZoneInfo

from callcenter.domain.reminder_kind import ReminderKind
from callcenter.domain.spoken import spoken_amount, spoken_date, spoken_place, spoken_ticket_number, spoken_time
from callcenter.domain.spoken_text import spoken_words
from callcenter.domain.tickets import Place

LONGEST = 800
"""Characters of a template: a minute and a half of speech, and the provider takes no longer document."""

LONGEST_REPORT = 60


class UnusableText(ValueError):
    """A spoken text cannot be used; the message names what is wrong with it and what to write instead."""


class UnknownTextField(UnusableText):
    """A spoken text names a field that there is not; the message says which and what there is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenMatter:
    """What a call is about, as known: whatever is None is left out of the text. `address` is a place as written."""

    reported: str | None = None
    place: Place | None = None
    address: str | None = None
    ticket_number: str | None = None
    promised_for: datetime | None = None
    agent: str | None = None
    name: str | None = None
    amount_fen: int | None = None
    items: str | None = None
    due_on: date | None = None
    text: str | None = None


def check_text(template: str, kind: ReminderKind) -> None:
    """Raises UnusableText, so that an operator's own text is refused at start and not on the phone."""
    used = set()
    for name in _fields_of(template):
        if name not in kind.known_fields:
            raise UnknownTextField(_unknown(name, kind))
        used.add(name)
    missing = sorted(kind.required - used)
    if missing:
        raise UnusableText(f"this text must say {{{missing[0]}}}")
    threat = next((word for word in kind.forbidden_words if word in template), None)
    if threat is not None:
        raise UnusableText(f"“{threat}” must not be said on such a call")
    if len(template) > LONGEST:
        raise UnusableText(f"{len(template)} characters are too long to listen to; use at most {LONGEST}")


def _fields_of(template: str) -> list[str]:
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise UnusableText(f"a brace stands alone ({error}); write a field as {{company}}") from error
    for _, name, form, conversion in parsed:
        if form or conversion:
            raise UnusableText(f"{{{name}}}: write the name alone, without ':' or '!'")
    return [name for _, name, _, _ in parsed if name is not None]


def _unknown(name: str, kind: ReminderKind) -> str:
    close = get_close_matches(name, kind.known_fields, n=1)
    meant = f"; did you mean {{{close[0]}}}?" if close else ""
    return f"{{{name}}} is not known{meant} Use {', '.join(sorted(kind.known_fields))}"


def spoken_text(
    template: str, kind: ReminderKind, matter: SpokenMatter, *, company: str, now: datetime, zone: ZoneInfo
) -> str:
    """The text of a call with everything in it said properly. Raises UnusableText."""
    check_text(template, kind)
    today = now.astimezone(zone).date()
    reported = _clipped(matter.reported)
    fields: Mapping[str, str] = {
        "company": company,
        "greeting": _greeting(now.astimezone(zone).hour),
        "agent": f"我是客服{matter.agent}" if matter.agent else "我是客服专员",
        "reported": f"您反映的“{spoken_words(reported)}”" if reported else "您反映的事项",
        "place": f"，地址{_place(matter)}" if _place(matter) else "",
        "ticket": f"，工单号{spoken_ticket_number(matter.ticket_number)}" if matter.ticket_number else "",
        "promised": spoken_time(matter.promised_for, now=now, zone=zone) if matter.promised_for else "约定的时间",
        "name": f"{matter.name}，" if matter.name else "",
        "amount": spoken_amount(matter.amount_fen) if matter.amount_fen is not None else "",
        "items": spoken_words(matter.items) if matter.items else "",
        "due": spoken_date(matter.due_on, today=today) if matter.due_on else "",
        "text": spoken_words(matter.text) if matter.text else "",
    }
    return template.format_map(fields)


def _place(matter: SpokenMatter) -> str:
    if matter.address:
        return spoken_words(matter.address)
    return spoken_place(matter.place) if matter.place and not matter.place.is_empty else ""


def _clipped(reported: str | None) -> str:
    """The summary, cut where it would be too long to listen to."""
    if not reported or len(reported) <= LONGEST_REPORT:
        return reported or ""
    end = max(reported.rfind(mark, 0, LONGEST_REPORT) for mark in "，。；、")
    return reported[: end if end > 0 else LONGEST_REPORT]


def _greeting(hour: int) -> str:
    if 5 <= hour < 12:
        return "上午好"
    return "下午好" if 12 <= hour < 18 else "晚上好"
