"""Where it is: the addresses of both sides put together, corrected, read back and held against the register."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from callcenter.domain.tickets import Evidence, Found, Place
from callcenter.domain.understanding.estates import estate_in
from callcenter.domain.understanding.heard_places import DISPUTED, as_heard, begins_amid_a_number
from callcenter.domain.understanding.place_mentions import SLOTS, Mention, mentions_in
from callcenter.domain.understanding.register import EstateRegister
from callcenter.domain.understanding.text import Line, line_of
from callcenter.domain.understanding.turns import answer_to, is_corrected_at, is_denied_at, is_next_door, room_was_asked

NOT_IN_REGISTER = 0.4
"""Confidence of a place that the estate's register does not have: shown to the reviewer, never asserted."""

CALLERS_HOME = 0.3
"""Confidence of a place that nobody said: the home of the resident whose number called. Never asserted."""

_CONFLICT = 0.55
_SAID_AGAIN = 0.8
"""The agent read it back otherwise, and the resident said the same once more."""


_UPPER = ("estate", "phase", "lane")
_NAMES_A_BUILDING = re.compile(r"栋|幢|号楼|座|弄|\d号|单元")
_LINE_CORRECTS = re.compile(r"说错了?|搞错了?|弄错了?|更正|不对[,，是]?")


@dataclass(kw_only=True, slots=True)
class _Heard:
    """What has been put together so far: slot to value, with how sure and from where."""

    parts: dict[str, str] = field(default_factory=dict)
    sure: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    read_back: bool = False

    def take(self, mention: Mention, slots: Iterator[str] | list[str], *, sure: float | None = None) -> None:
        for slot in slots:
            self.parts[slot] = mention.parts[slot]
            self.sure[slot] = mention.sure if sure is None else sure
            self.evidence[slot] = mention.line.evidence(mention.start, mention.end)

    def drop(self, slots: list[str]) -> None:
        for slot in slots:
            for known in (self.parts, self.sure, self.evidence):
                known.pop(slot, None)

    def conflicts(self, mention: Mention) -> list[str]:
        return [slot for slot, value in mention.parts.items() if self.parts.get(slot, value) != value]


def find_place(lines: tuple[Line, ...], register: EstateRegister | None) -> Found[Place] | None:
    """The place of the request, or None where no address was said."""
    heard = _Heard()
    estate: Found[str] | None = None
    for line in lines:
        mentions = _mentions(lines, line, register)
        estate = _better(estate, estate_in(line, mentions, register))
        for mention in mentions:
            _hear(heard, mention, lines)
    return _place(heard, estate, lines, register)


def home_of_caller(register: EstateRegister | None, caller_number: str | None) -> Found[Place] | None:
    """A hint for the reviewer where no address was said."""
    home = register.home_of(caller_number) if register is not None else None
    return Found(value=home, confidence=CALLERS_HOME) if home is not None else None


def _mentions(lines: tuple[Line, ...], line: Line, register: EstateRegister | None) -> tuple[Mention, ...]:
    expected = not line.by_agent and room_was_asked(lines, line.index)
    found = tuple(_resolved(mention, register) for mention in mentions_in(line, room_expected=expected))
    return as_heard(line, found, register, room_expected=expected)


def _better(known: Found[str] | None, new: Found[str] | None) -> Found[str] | None:
    if known is None or (new is not None and new.confidence > known.confidence):
        return new
    return known


def _hear(heard: _Heard, mention: Mention, lines: tuple[Line, ...]) -> None:
    text = mention.line.written
    if is_denied_at(text, mention.start):
        heard.drop(
            [slot for slot, value in mention.parts.items() if heard.parts.get(slot) == value and slot != "building"]
        )
        return
    if mention.line.by_agent:
        _hear_agent(heard, mention, lines)
    elif is_next_door(text, mention.start) and heard.parts:
        return
    elif is_corrected_at(text, mention.start) or _opens_with_correction(mention):
        _correct(heard, mention)
    else:
        _hear_resident(heard, mention)


def _opens_with_correction(mention: Mention) -> bool:
    return _LINE_CORRECTS.search(mention.line.written[: mention.start][-14:]) is not None


def _hear_resident(heard: _Heard, mention: Mention) -> None:
    conflicts = heard.conflicts(mention)
    if not conflicts:
        repeated = [slot for slot in mention.parts if heard.sure.get(slot) == _CONFLICT]
        heard.sure |= dict.fromkeys(repeated, _SAID_AGAIN)
        new = [slot for slot in mention.parts if slot not in heard.parts or mention.sure > heard.sure[slot]]
        heard.take(mention, new)
    elif "room" in mention.parts and "room" not in heard.parts:
        unlike = "building" in conflicts and mention.line.has_words
        heard.drop(list(heard.parts))
        heard.take(mention, list(mention.parts), sure=_CONFLICT if unlike else None)


def _correct(heard: _Heard, mention: Mention) -> None:
    """A correction that names the estate, phase or lane says the whole address anew."""
    if any(slot in mention.parts for slot in _UPPER):
        heard.drop(list(heard.parts))
    elif "room" in mention.parts:
        heard.drop(["floor"])
    heard.take(mention, list(mention.parts))


def _hear_agent(heard: _Heard, mention: Mention, lines: tuple[Line, ...]) -> None:
    """The agent's read-back: agreed to, it confirms or puts right; denied, it says nothing."""
    answer = answer_to(lines, mention.line.index)
    if mention.sure <= DISPUTED:
        heard.sure |= dict.fromkeys(heard.conflicts(mention), _CONFLICT)
        return
    if answer is False:
        _keep_undenied(heard, mention, lines)
        return
    conflicts = heard.conflicts(mention)
    shared = [slot for slot in mention.parts if slot in heard.parts]
    if answer:
        heard.take(mention, list(mention.parts), sure=0.97 if shared and not conflicts else 0.85)
        heard.read_back = heard.read_back or bool(shared)
    elif not conflicts:
        heard.take(mention, [slot for slot in mention.parts if slot not in heard.parts], sure=0.65)
    else:
        heard.sure |= dict.fromkeys(conflicts, _CONFLICT)


def _keep_undenied(heard: _Heard, mention: Mention, lines: tuple[Line, ...]) -> None:
    """是三栋四零四吗 / 不是四零四,是四零五: only the room was wrong."""
    answer = next((line for line in lines[mention.line.index + 1 :] if not line.by_agent), None)
    if answer is None or "room" not in mention.parts or _NAMES_A_BUILDING.search(answer.written):
        return
    if re.search(r"(?<!\d)\d{3,4}(?!\d)", answer.written):
        upper = [slot for slot in mention.parts if slot not in ("room", "floor") and slot not in heard.parts]
        heard.take(mention, upper, sure=0.7)


def _resolved(mention: Mention, register: EstateRegister | None) -> Mention:
    """1984号 is 198弄4号 if and only if the register has that and nothing else fits (the recogniser swallowed 弄)."""
    number = mention.parts.get("building")
    if register is None or not number or "lane" in mention.parts or len(number) < 3:
        return mention
    if register.contains(Place(building=number)):
        return mention
    if begins_amid_a_number(mention):
        return mention
    unglued = [
        parts
        for lane in register.lanes
        if number.startswith(lane) and number != lane
        if register.contains(Place(**(parts := mention.parts | {"lane": lane, "building": number.removeprefix(lane)})))
    ]
    return replace(mention, parts=unglued[0], sure=0.8) if len(unglued) == 1 else mention


def _place(
    heard: _Heard, estate: Found[str] | None, lines: tuple[Line, ...], register: EstateRegister | None
) -> Found[Place] | None:
    if estate is not None:
        heard.parts["estate"] = estate.value
        heard.sure["estate"] = estate.confidence
        heard.evidence["estate"] = estate.evidence[0]
    if not heard.parts:
        return None
    found = Found(
        value=Place(**heard.parts),
        confidence=_confidence(heard),
        evidence=tuple(dict.fromkeys(heard.evidence[slot] for slot in SLOTS if slot in heard.evidence)),
        read_back=heard.read_back,
    )
    return _checked(found, lines, register)


def _confidence(heard: _Heard) -> float:
    """The weakest part decides; a name of an estate alone does not pull the address down."""
    sure = [value for slot, value in heard.sure.items() if slot != "estate"]
    return min(sure) if sure else heard.sure["estate"]


def _checked(found: Found[Place], lines: tuple[Line, ...], register: EstateRegister | None) -> Found[Place]:
    if register is None or not register.places:
        return found
    numbered = replace(found.value, estate=None, floor=None)
    if found.value.estate is not None and register.estates and found.value.estate not in register.estates:
        if numbered.is_empty:
            return replace(found, confidence=min(found.confidence, NOT_IN_REGISTER))
        found = replace(found, value=replace(found.value, estate=None))
    if numbered.is_empty or register.contains(replace(found.value, floor=None)):
        return found
    if register.contains(numbered):
        return replace(found, value=replace(found.value, estate=None))
    other = _from_alternatives(found, lines, register)
    return other or replace(found, confidence=min(found.confidence, NOT_IN_REGISTER))


def _from_alternatives(found: Found[Place], lines: tuple[Line, ...], register: EstateRegister) -> Found[Place] | None:
    """Another reading of the same words by the recogniser that the register has, if only one does."""
    spoken = {evidence.words for evidence in found.evidence}
    texts = [text for line in lines if any(words in line.raw for words in spoken) for text in line.alternatives]
    places = {
        place
        for text in texts
        for mention in mentions_in(line_of(text))
        if (place := Place(**mention.parts)).room and register.contains(place)
    }
    if len(places) != 1:
        return None
    return replace(found, value=places.pop(), confidence=0.65)
