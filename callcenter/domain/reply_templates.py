"""Templates for replies to residents: what the ticket knows is filled in, what it does not is left to the agent."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from string import Formatter
from zoneinfo import ZoneInfo

FIELDS = frozenset({"contact", "company", "agent", "ticket", "reported", "place", "due"})
ASKED = {"contact": "（称呼）", "agent": "（经办人）", "reported": "（事项）", "place": "（地址）", "due": "（时间）"}
"""What stands in the text where the ticket does not know it."""


class UnusableTemplate(ValueError):
    """The template cannot be filled in; the message names its field and those that there are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyTemplate:
    name: str
    label_zh: str
    label_en: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyMatter:
    """What the ticket knows; `due` is the next limit that the resident was told of."""

    company: str
    ticket: str
    contact: str | None = None
    agent: str | None = None
    reported: str | None = None
    place: str | None = None
    due: datetime | None = None


@cache
def _built_in() -> Mapping[str, ReplyTemplate]:
    read = tomllib.loads(files("callcenter.domain").joinpath("reply_templates.toml").read_text(encoding="utf-8"))
    return {
        name: ReplyTemplate(name=name, label_zh=one["zh"], label_en=one["en"], text=one["text"])
        for name, one in read.items()
    }


def reply_templates(own: Mapping[str, str]) -> tuple[ReplyTemplate, ...]:
    """The built-in ones with the operator's own texts in their places or behind them. Raises UnusableTemplate."""
    found = dict(_built_in())
    for name, text in own.items():
        check_template(name, text)
        known = found.get(name)
        label_zh, label_en = (known.label_zh, known.label_en) if known else (name, name)
        if text:
            found[name] = ReplyTemplate(name=name, label_zh=label_zh, label_en=label_en, text=text)
        else:
            found.pop(name, None)
    return tuple(found.values())


def check_template(name: str, text: str) -> None:
    """Raises UnusableTemplate."""
    try:
        used = [(field, spec, how) for _, field, spec, how in Formatter().parse(text) if field is not None]
    except ValueError as error:
        raise UnusableTemplate(f"{name}: a brace is left open; write {{{{ for a brace that is meant") from error
    for field, spec, how in used:
        if field not in FIELDS:
            raise UnusableTemplate(f"{name}: {{{field}}} is not known; use {', '.join(sorted(FIELDS))}")
        if spec or how:
            raise UnusableTemplate(f"{name}: write {{{field}}} alone, without ':' or '!'")


@dataclass(frozen=True, kw_only=True, slots=True)
class FilledIn:
    """The text for the agent to send, change or read out; `gaps` are what stands in it for what is not known."""

    text: str
    gaps: tuple[str, ...] = ()


def filled_in(template: ReplyTemplate, matter: ReplyMatter, *, zone: ZoneInfo) -> FilledIn:
    due = matter.due.astimezone(zone) if matter.due else None
    known = {
        "company": matter.company,
        "ticket": matter.ticket,
        "contact": matter.contact,
        "agent": matter.agent,
        "reported": matter.reported,
        "place": matter.place,
        "due": f"{due.month}月{due.day}日{due:%H:%M}" if due else None,
    }
    used = [field for _, field, _, _ in Formatter().parse(template.text) if field is not None]
    gaps = dict.fromkeys(ASKED[field] for field in used if field in ASKED and not known[field])
    text = template.text.format_map({name: value or ASKED.get(name, "") for name, value in known.items()})
    return FilledIn(text=text, gaps=tuple(gaps))
