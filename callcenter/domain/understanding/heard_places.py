"""Addresses that a recogniser wrote: held against its other readings, and against the register by their sound.

三七八幢 is 三期八幢 if the register has that and not the other: 期 and 七 sound alike. Nothing is taken that the
register does not have, nothing that neither a reading nor the sound of the words supports, and nothing where two homes
fit alike.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, product

from pypinyin import Style, pinyin

from callcenter.domain.tickets import Place
from callcenter.domain.understanding.place_mentions import Mention, mentions_in
from callcenter.domain.understanding.register import EstateRegister
from callcenter.domain.understanding.text import PAUSE_MS, Line, divided, line_of, respelled

DISPUTED = 0.5
"""Confidence of what as many other readings hear otherwise: kept for the reviewer, not asserted."""

REPAIRED = 0.7
_ENOUGH_TO_DISPUTE = 3
"""Readings: one digit more and one less are among the next best of any number, however plainly it was said."""
_ALONE = 2
_SPOKEN_DIGITS = "零〇一二三四五六七八九幺两"

_ADDRESS_LETTERS = "零一二三四五六七八九幺十百栋幢号楼座弄室期附杠"
_NEARBY = 6
"""Letters on either side of an address that may belong to it."""
_MOST_RESPELLINGS = 80
_MOST_READINGS = 4
_ROOM_BEHIND = re.compile(r"[,，]?[一-龥]?[,，]?(?P<room>\d{3,4})(?!\d)")
_FIGURES_SOON = re.compile(r"[^。！？!?]{0,6}?\d{3}")
_VERB = re.compile(r"(?:[我你您他她它们家里边儿址号这那就问]|小区)是$")
_ANOTHER_ROOM = re.compile(r"(?:(?![不错应])[一-龥,，]){0,4}是[,，]?(?P<room>\d{3,4})(?:(?P=room))?(?!\d)")
"""Behind a room: a correction whose first words came out as others (二零一伯父是二零二)."""
_TWICE = 2

Parts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ear:
    """What a mention is held against."""

    line: Line
    register: EstateRegister
    room_expected: bool

    def heard_in(self, line: Line) -> Iterator[Mention]:
        yield from mentions_in(line, room_expected=self.room_expected)

    def knows(self, parts: dict[str, str]) -> bool:
        return self.register.contains(Place(**parts))


def as_heard(
    line: Line, mentions: tuple[Mention, ...], register: EstateRegister | None, *, room_expected: bool
) -> tuple[Mention, ...]:
    """The mentions of a recognised line, repaired where the register does not have them, doubted where disputed."""
    if not line.has_words:
        return mentions
    if register is None or not register.places:
        return tuple(_disputed(mention, None, room_expected=room_expected) for mention in mentions)
    ear = _Ear(line=line, register=register, room_expected=room_expected)
    held = _divided(tuple(_held(mention, ear) for mention in mentions), ear)
    return tuple(_without_building(one) if begins_amid_a_number(one) else one for one in held)


def _divided(mentions: tuple[Mention, ...], ear: _Ear) -> tuple[Mention, ...]:
    """12015栋 is 1201 and 5栋 where the speaker paused between them, if the register has both and not the whole."""
    if all(ear.knows(mention.parts) for mention in mentions):
        return mentions
    line = divided(ear.line)
    again = tuple(ear.heard_in(line)) if line.written != ear.line.written else ()
    slots = {slot for mention in mentions if ear.knows(mention.parts) for slot in mention.parts}
    more = {slot for mention in again for slot in mention.parts} - slots
    return again if more and all(ear.knows(mention.parts) for mention in again) else mentions


def _held(mention: Mention, ear: _Ear) -> Mention:
    if not ear.knows(mention.parts):
        return _repaired(mention, ear) or mention
    return _completed(mention, ear) or _disputed(mention, ear.register, room_expected=ear.room_expected)


def begins_amid_a_number(mention: Mention) -> bool:
    """Whether the letter before sounds like 十 or 百: 家园是二号楼 may be 家园十二号楼. 我是二号楼 has its verb."""
    line = mention.line
    start = line.origin[mention.start]
    if not line.has_words or start == 0 or not set(_sounding_like(line.raw[start - 1])) & set("十百"):
        return False
    return not _VERB.search(line.raw[max(0, start - 3) : start])


def _without_building(mention: Mention) -> Mention:
    return replace(mention, parts={slot: value for slot, value in mention.parts.items() if slot != "building"})


def _completed(mention: Mention, ear: _Ear) -> Mention | None:
    """三号楼冯五零五: figures soon behind a building are its room if the register has it (嗯 was heard as 冯)."""
    parts, line = mention.parts, mention.line
    if "building" not in parts or "room" in parts or not _FIGURES_SOON.match(line.written, mention.end):
        return None
    behind = _ROOM_BEHIND.match(line.written, mention.end)
    joined = [replace(mention, end=behind.end(), parts=parts | {"room": behind["room"]})] if behind else []
    readings = [line_of(text, side=line.side) for text in line.alternatives]
    for lines in (readings, _respellings(line, mention, most=1)):
        longer = (found for one in lines for found in ear.heard_in(one) if found.parts.items() >= parts.items())
        if votes := _votes("room", ear, [*joined, *longer]):
            return _elected(mention, votes)
    return None


def _disputed(mention: Mention, register: EstateRegister | None, *, room_expected: bool) -> Mention:
    """A number that as many other readings of the line hear otherwise is not sure, however plainly it stands there.

    A reading with the very same words agrees; one that has no such part says nothing about it, nor does one whose
    address the register does not have.
    """
    another = _ANOTHER_ROOM.match(mention.line.written, mention.end)
    if another is not None and "room" in mention.parts and another["room"] != mention.parts["room"]:
        return replace(mention, sure=min(mention.sure, DISPUTED))
    words = mention.line.evidence(mention.start, mention.end).words
    same_words = re.compile(f"(?<![{_SPOKEN_DIGITS}十百]){re.escape(words)}(?![{_SPOKEN_DIGITS}])")
    texts = [text for text in mention.line.alternatives if same_words.search(text) is None]
    same = len(mention.line.alternatives) - len(texts)
    others = [
        [
            other
            for other in mentions_in(line_of(text, side=mention.line.side), room_expected=room_expected)
            if register is None or register.contains(Place(**other.parts))
        ]
        for text in texts
    ]
    for slot, value in mention.parts.items():
        heard = [{other.parts[slot] for other in found if slot in other.parts} for found in others]
        agreeing = 1 + same + sum(value in values for values in heard)
        against = sum(bool(values) and value not in values for values in heard)
        if against >= max(agreeing + (register is not None), _ENOUGH_TO_DISPUTE) or (
            agreeing == 1 and against >= _ALONE
        ):
            return replace(mention, sure=min(mention.sure, DISPUTED))
    return mention


def _repaired(mention: Mention, ear: _Ear) -> Mention | None:
    """The likeliest home that the register has: of the other readings, else of words that sound the same."""
    wanted = "room" if "room" in mention.parts else "building"
    if wanted not in mention.parts:
        return None
    readings = [line_of(text, side=mention.line.side) for text in mention.line.alternatives]
    for votes in (
        _votes(wanted, ear, readings),
        _votes(wanted, ear, _covering(mention, ear, most=1)),
        _votes(wanted, ear, _shortened(mention, readings, ear)),
        _votes(wanted, ear, _covering(mention, ear, most=2)),
        _votes(
            wanted, ear, (spelled for one in readings[:_MOST_READINGS] for spelled in _respellings(one, None, most=1))
        ),
    ):
        if votes:
            return _elected(mention, votes)
    return None


def _elected(mention: Mention, votes: Counter[Parts]) -> Mention | None:
    """Two homes that fit alike are no home."""
    (best, count), *rest = votes.most_common(2)
    if rest and count < _TWICE * rest[0][1]:
        return None
    return replace(mention, parts=dict(best), sure=min(mention.sure, REPAIRED))


def _votes(wanted: str, ear: _Ear, lines: Iterable[Line | Mention]) -> Counter[Parts]:
    """How many of the lines have each address that the register has."""
    return Counter(
        tuple(found.parts.items())
        for line in lines
        for found in ([line] if isinstance(line, Mention) else ear.heard_in(line))
        if wanted in found.parts and ear.knows(found.parts)
    )


def _shortened(mention: Mention, readings: list[Line], ear: _Ear) -> Iterator[Mention]:
    """A word swallowed as one more digit (二零三呀 as 二零三二).

    Only where the readings do not agree on that digit, or where the speaker paused before it.
    """
    found = [mention, *(one for reading in readings for one in ear.heard_in(reading))]
    rooms = {one.parts["room"] for one in found if "room" in one.parts}
    for one in found:
        room = one.parts.get("room", "")
        doubted = any(other != room and other.startswith(room[:-1]) for other in rooms)
        if len(room) > 3 and (doubted or (one is mention and _pauses_before_the_last(one))):
            yield replace(one, parts=one.parts | {"room": room[:-1]})


def _pauses_before_the_last(mention: Mention) -> bool:
    line = mention.line
    last = line.origin[mention.end] - 1
    return last > 0 and line.times[last][0] - line.times[last - 1][1] >= PAUSE_MS


def _covering(mention: Mention, ear: _Ear, *, most: int) -> Iterator[Mention]:
    """The same words respelled: an address that leaves none of them out."""
    first, last = mention.line.origin[mention.start], mention.line.origin[mention.end]
    for line in _respellings(ear.line, mention, most=most):
        for found in ear.heard_in(line):
            if line.origin[found.start] <= first and line.origin[found.end] >= last:
                yield found


def _respellings(line: Line, mention: Mention | None, *, most: int) -> Iterator[Line]:
    """The line with up to `most` letters near the address put for others of the same sound."""
    first, last = 0, len(line.raw)
    if mention is not None:
        first = max(0, line.origin[mention.start] - _NEARBY)
        last = min(len(line.raw), line.origin[mention.end] + _NEARBY)
    places = _respellable(line.raw, first, last)
    count = 0
    for chosen in combinations(places, most):
        for letters in product(*(places[at] for at in chosen)):
            count += 1
            if count > _MOST_RESPELLINGS:
                return
            spelled = list(line.raw)
            for at, letter in zip(chosen, letters, strict=True):
                spelled[at] = letter
            yield respelled(line, "".join(spelled))


def _respellable(raw: str, first: int, last: int) -> dict[int, str]:
    """Index to the letters of addresses that sound like the one there; only beside a letter of an address."""
    return {
        at: others
        for at in range(first, last)
        if (others := _sounding_like(raw[at]))
        if any(letter in _ADDRESS_LETTERS for letter in raw[max(0, at - 1) : at] + raw[at + 1 : at + 2])
    }


@lru_cache(maxsize=4096)
def _sounding_like(letter: str) -> str:
    sounds = _sounds(letter)
    return "".join(other for other in _ADDRESS_LETTERS if other != letter and sounds & _sounds(other))


@lru_cache(maxsize=4096)
def _sounds(letter: str) -> frozenset[str]:
    """All readings without tones: 弄 is nong and long."""
    return frozenset(sound for sounds in pinyin(letter, style=Style.NORMAL, heteronym=True) for sound in sounds)
