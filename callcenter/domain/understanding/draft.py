"""From what was said to the draft of a ticket, and the draft as JSON."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.domain.tickets import Found, Problem, TicketDraft
from callcenter.domain.transcript import Segment, Side, Transcript
from callcenter.domain.understanding.amounts import find_amounts
from callcenter.domain.understanding.contact_wishes import find_consents, find_do_not_call
from callcenter.domain.understanding.context import CallContext
from callcenter.domain.understanding.demands import find_demands
from callcenter.domain.understanding.outcome import find_solved
from callcenter.domain.understanding.people import find_contact
from callcenter.domain.understanding.phones import find_phone
from callcenter.domain.understanding.places import find_place, home_of_caller
from callcenter.domain.understanding.problems import find_problems
from callcenter.domain.understanding.promises import find_promises
from callcenter.domain.understanding.responsibility import find_responsibility
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.rules_files import default_rules
from callcenter.domain.understanding.summary import find_summary
from callcenter.domain.understanding.text import Line, lines_of
from callcenter.domain.understanding.topics import find_categories, find_request_type
from callcenter.domain.understanding.urgency import find_urgency
from callcenter.domain.understanding.wishes import find_wanted

LONGEST_CALL = 20_000
"""Characters that the rules read; what is longer is kept whole in `written` but flagged for a person."""

MOST_LINES = 3000
BADLY_HEARD = 0.5
"""Mean confidence of the resident's words below which a person must listen (a dialect, a bad line)."""

ENOUGH_OF_A_DIALECT = 2
"""Different words."""

_SIDES = {
    "客服": Side.AGENT, "坐席": Side.AGENT, "agent": Side.AGENT, "接待": Side.AGENT,
    "住户": Side.RESIDENT, "业主": Side.RESIDENT, "居民": Side.RESIDENT,
    "来电人": Side.RESIDENT, "resident": Side.RESIDENT,
}  # fmt: skip
_PREFIX = re.compile(rf"^\s*({'|'.join(_SIDES)})\s*[:：]\s*", re.IGNORECASE)
_INLINE = re.compile(rf"[ \t\u3000](?=(?:{'|'.join(_SIDES)})[:：])", re.IGNORECASE)


def understand(transcript: Transcript, *, context: CallContext, rules: Rules | None = None) -> TicketDraft:
    """The draft of a ticket. Every value carries the words it came from; what was not said stays None."""
    rules = rules or default_rules()
    lines = lines_of(transcript)
    if not lines:
        return TicketDraft(must_listen=True, notes=("nothing_said",))
    read = _readable(lines)
    urgency = find_urgency(lines, rules)
    problems = find_problems(read, rules)
    categories = _with_problems(find_categories(read, rules), problems)
    request_type = find_request_type(read, urgency, categories, rules)
    draft = TicketDraft(
        request_type=request_type,
        categories=categories,
        urgency=urgency,
        responsibility=find_responsibility(read),
        place=find_place(read, context.register) or home_of_caller(context.register, context.caller_number),
        contact=find_contact(read, rules),
        phone=find_phone(read, caller_number=context.caller_number, area_code=context.area_code),
        wanted=find_wanted(read, context.heard_at),
        promises=find_promises(read, context.heard_at),
        summary=find_summary(read, rules),
        amounts=find_amounts(read),
        demands=find_demands(read),
        solved_on_call=find_solved(read, request_type.value if request_type else None),
        do_not_call=find_do_not_call(read),
        consents=find_consents(read),
        problems=problems,
        written="\n".join(line.written for line in lines),
    )
    heard_badly = _mean_confidence(transcript) < BADLY_HEARD
    return _judged(draft, read, rules, cut=len(read) < len(lines), heard_badly=heard_badly)


def _with_problems(categories: tuple[Found[str], ...], problems: tuple[Found[Problem], ...]) -> tuple[Found[str], ...]:
    """The second of two problems may be said in few words and yet is one."""
    named = {found.value for found in categories}
    more = (
        Found(value=problem.value.category, confidence=problem.confidence, evidence=problem.evidence)
        for problem in problems
        if problem.value.category not in named
    )
    return (*categories, *more)


def understand_text(text: str, *, context: CallContext, rules: Rules | None = None) -> TicketDraft:
    """The same for typed text: the resident's, or lines that begin with 客服： and 住户： (agent:, resident:)."""
    return understand(transcript_of_text(text), context=context, rules=rules)


def transcript_of_text(text: str) -> Transcript:
    """Each line of the text a segment, without times; a line with no name goes on for the speaker before.

    A blank before 客服： or 住户： divides a line too.
    """
    side = Side.RESIDENT
    segments = []
    for line in (turn for whole in text.splitlines() for turn in _INLINE.split(whole)):
        match = _PREFIX.match(line)
        side = _SIDES[match.group(1).lower()] if match else side
        said = line[match.end() :] if match else line
        segments.append(Segment(side=side, start_ms=0, end_ms=0, text=said))
    return Transcript(segments=tuple(segments), duration_ms=0)


def _mean_confidence(transcript: Transcript) -> float:
    """Of the resident's recognised words; 1 where the text was typed."""
    words = [
        word.confidence for segment in transcript.segments if segment.side is not Side.AGENT for word in segment.words
    ]
    return sum(words) / len(words) if words else 1.0


def _readable(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    length = 0
    for count, line in enumerate(lines):
        length += len(line.raw)
        if length > LONGEST_CALL or count >= MOST_LINES:
            return lines[: max(count, 1)]
    return lines


def _judged(draft: TicketDraft, lines: tuple[Line, ...], rules: Rules, *, cut: bool, heard_badly: bool) -> TicketDraft:
    """Flags what a person must hear: nothing understood, hardly recognisable, or too long."""
    notes = [
        *(["too_long"] if cut else []),
        *(["heard_badly"] if heard_badly else []),
        *(f"dialect:{key}" for key in _dialects(lines, rules)),
        *(["resident_said_nothing"] if all(line.by_agent for line in lines) else []),
        *(["nothing_understood"] if not draft.categories and draft.request_type is None else []),
        *(f"unsure:{name}" for name, _ in unsure_fields(draft, rules.threshold)),
    ]
    must_listen = any(note.startswith(_FOR_A_PERSON) for note in notes)
    values = {name: getattr(draft, name) for name in TicketDraft.__dataclass_fields__}
    return TicketDraft(**values | {"notes": tuple(notes), "must_listen": must_listen})


_FOR_A_PERSON = ("resident_said_nothing", "nothing_understood", "heard_badly", "dialect:")


def _dialects(lines: tuple[Line, ...], rules: Rules) -> tuple[str, ...]:
    """Of which dialects the resident used two words or more; one alone may be a name, or a joke."""
    said = "\n".join(line.raw for line in lines if not line.by_agent)
    return tuple(
        dialect.key
        for dialect in rules.dialects
        if sum(pattern.search(said) is not None for pattern in dialect.words) >= ENOUGH_OF_A_DIALECT
    )


_FIELDS = ("request_type", "urgency", "responsibility", "place", "contact", "phone", "wanted", "summary")


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitDraft:
    """The draft's fields by name: `sure` may be asserted, `unsure` is for the reviewer only."""

    sure: dict[str, Found[Any]]
    unsure: dict[str, Found[Any]]


def split(draft: TicketDraft, *, threshold: float = 0.6) -> SplitDraft:
    """Single fields only; `categories` and `promises` carry their confidence one by one."""
    found = {name: value for name in _FIELDS if (value := getattr(draft, name)) is not None}
    return SplitDraft(
        sure={name: value for name, value in found.items() if value.confidence >= threshold},
        unsure={name: value for name, value in found.items() if value.confidence < threshold},
    )


def unsure_fields(draft: TicketDraft, threshold: float) -> tuple[tuple[str, Found[Any]], ...]:
    return tuple(split(draft, threshold=threshold).unsure.items())


def draft_to_json(draft: TicketDraft, *, threshold: float = 0.6) -> dict[str, Any]:
    """The asserted values only, null where nothing was said; times as ISO 8601 with their offset."""
    sure = split(draft, threshold=threshold).sure
    value = {name: sure[name].value if name in sure else None for name in _FIELDS}
    place, wanted = value["place"], value["wanted"]
    slots = ("estate", "phase", "lane", "building", "unit", "floor", "room")
    return {
        "type": value["request_type"],
        "categories": [found.value for found in draft.categories if found.confidence >= threshold],
        "urgency": value["urgency"],
        "responsibility": value["responsibility"],
        "place": {slot: getattr(place, slot) if place else None for slot in slots},
        "contact": value["contact"],
        "phone": value["phone"],
        "wanted": {"from": _iso(wanted.start if wanted else None), "to": _iso(wanted.end if wanted else None)},
        "promises": [
            {"kind": found.value.kind, "text": found.value.text, "due": _iso(found.value.due)}
            for found in draft.promises
            if found.confidence >= threshold
        ],
        "written": draft.written,
    }


def details_to_json(draft: TicketDraft, *, threshold: float = 0.6) -> dict[str, Any]:
    """What `draft_to_json` leaves out, asserted values only."""

    def sure(found: tuple[Found[Any], ...]) -> list[Any]:
        return [one.value for one in found if one.confidence >= threshold]

    solved, stop, summary = draft.solved_on_call, draft.do_not_call, draft.summary
    return {
        "summary": summary.value if summary and summary.confidence >= threshold else None,
        "amounts": [{"yuan": str(amount.yuan), "text": amount.text} for amount in sure(draft.amounts)],
        "demands": sure(draft.demands),
        "solved_on_call": solved.value if solved and solved.confidence >= threshold else None,
        "do_not_call": stop is not None and stop.confidence >= threshold,
        "consents": [{"asked": consent.asked, "given": consent.given} for consent in sure(draft.consents)],
        "problems": [
            {"category": one.category, "type": one.request_type, "urgency": one.urgency, "text": one.text}
            for one in sure(draft.problems)
        ],
        "must_listen": draft.must_listen,
        "notes": list(draft.notes),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
