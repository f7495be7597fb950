"""文明用语: opening and closing words, the resident's name, the problem repeated back, promises with a time."""

import re
from collections.abc import Iterator, Sequence

from callcenter.domain.service_language.findings import CheckContext, Finding
from callcenter.domain.service_language.rules import LanguageRules
from callcenter.domain.service_language.sounds import syllables_of
from callcenter.domain.service_language.turns import Turn
from callcenter.domain.transcript import Side
from callcenter.domain.understanding.promises import promises_in_words
from callcenter.domain.understanding.times import times_in

LAST_TURNS = 2
"""Of the agent's: the farewell may be followed by one more 嗯."""
TITLES = "先生|女士|小姐|太太|阿姨|叔叔|大爷|大妈|大姐|大哥|奶奶|爷爷|伯伯|老师|师傅|医生|教授|经理|总|姐|哥|叔|姨"
_INTERJECTION = re.compile(r"^[喂嗯啊哦哎，,。？?！!好你您]*$")
_OWN_NAME = re.compile("(?:我|免贵|本人|^|[，,。])姓(?P<name>{names})|我(?:是|叫)(?P<called>{names})(?:{titles})")
_PUNCTUATION = re.compile(r"[，,。？?！!；;、\s]")
_WISH = re.compile("祝[^，。,！!]*")
_THANKS = re.compile("谢")
_EMPTY = frozenset("的了是在我你您他们这那就都也有和跟个吧吗呢啊哦嗯好请问给把被还要会能到没什么怎")


def opening_of(turns: Sequence[Turn]) -> Turn | None:
    """The agent's first turn; a resident's 喂 between its sentences does not end it."""
    first = next((number for number, turn in enumerate(turns) if turn.by_agent), None)
    if first is None:
        return None
    turn = turns[first]
    following = turns[first + 1 : first + 3]
    if len(following) == 2 and _INTERJECTION.match(following[0].text):
        more = following[1]
        return Turn(
            side=turn.side, text=turn.text + more.text, heard=turn.heard + more.heard, places=turn.places + more.places
        )
    return turn


def check_opening(
    turns: Sequence[Turn], rules: LanguageRules, context: CheckContext
) -> Iterator[tuple[str, Finding | None]]:
    opening = opening_of(turns)
    if opening is None:
        return
    for part in rules.opening:
        said = part.pattern.search(opening.text) is not None
        if part.key == "company" and context.company:
            said = said or context.company in opening.text
        yield part.key, None if said else opening.whole(part.key)


def check_closing(turns: Sequence[Turn], rules: LanguageRules) -> Iterator[tuple[str, Finding | None]]:
    agents = [turn for turn in turns if turn.by_agent]
    if len(agents) < LAST_TURNS:
        return
    said = any(rules.closing.pattern.search(turn.text) for turn in agents[-LAST_TURNS:])
    yield rules.closing.key, None if said else agents[-1].whole(rules.closing.key)


def check_name(turns: Sequence[Turn], context: CheckContext) -> Iterator[tuple[str, Finding | None]]:
    """Judged only where the resident has told it."""
    names = context.understanding.surname_pattern
    own = re.compile(_OWN_NAME.pattern.replace("{names}", names).replace("{titles}", TITLES))
    told = [
        (number, match["name"] or match["called"])
        for number, turn in enumerate(turns)
        if not turn.by_agent
        for match in own.finditer(turn.text)
    ]
    if not told:
        return
    number, name = told[0]
    after = [turn for turn in turns[number + 1 :] if turn.by_agent]
    if not after:
        return
    used = any(_addresses(turn.text, name) for turn in after)
    yield "name_used", None if used else after[-1].whole("name_used")


def _addresses(text: str, name: str) -> bool:
    sound = syllables_of(name)
    return any(
        syllables_of(text[max(0, match.start() - len(name)) : match.start()]) == sound
        for match in re.finditer(TITLES, text)
    )


def check_repeat(turns: Sequence[Turn], rules: LanguageRules) -> Iterator[tuple[str, Finding | None]]:
    """Judged where the resident has told something: one later turn of the agent's holds enough of the words."""
    said: set[tuple[str, ...]] = set()
    letters, best, asked_of = 0, 0, None
    for turn in turns:
        if turn.side is Side.RESIDENT:
            said |= _pairs(turn.text)
            letters += len(_PUNCTUATION.sub("", turn.text))
        elif turn.by_agent and said:
            best = max(best, len(said & _pairs(turn.text)))
            asked_of = turn
    if asked_of is None or letters < rules.limits.matter_letters:
        return
    yield "repeated_back", None if best >= rules.limits.repeated_words else asked_of.whole("repeated_back")


def _pairs(text: str) -> set[tuple[str, ...]]:
    """Neighbouring syllables of a clause that carry meaning."""
    found: set[tuple[str, ...]] = set()
    for clause in _PUNCTUATION.split(text):
        sounds = syllables_of(clause)
        for number in range(len(clause) - 1):
            if not (clause[number] in _EMPTY or clause[number + 1] in _EMPTY):
                found.add(sounds[number : number + 2])
    return found


def check_promises(
    turns: Sequence[Turn], rules: LanguageRules, context: CheckContext
) -> Iterator[tuple[str, Finding | None]]:
    """A promise without a time is found unless a turn of the agent's not earlier names one."""
    agents = [turn for turn in turns if turn.by_agent]
    timed = [_names_a_time(turn.text, rules, context) for turn in agents]
    for number, turn in enumerate(agents):
        match = _promise_in(turn.text, rules)
        if match is not None:
            kept = any(timed[number : number + 3])
            yield "promise", None if kept else turn.finding("promise", *match)


def _promise_in(text: str, rules: LanguageRules) -> tuple[int, int] | None:
    clauses = (span for span in promises_in_words(text) if not _THANKS.search(text, *span))
    found = next(clauses, None)
    if found is not None:
        return found
    match = rules.promises.search(text)
    return match.span() if match else None


def _names_a_time(text: str, rules: LanguageRules, context: CheckContext) -> bool:
    text = _WISH.sub("", text)
    return rules.times.search(text) is not None or bool(times_in(text, context.heard_at))
