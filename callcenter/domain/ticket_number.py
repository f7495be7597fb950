"""A ticket number as a caller keys or says it: 11240001#, 幺幺二四 零零零幺, "GD 1124 0001"."""

import re

from callcenter.domain.understanding.numbers import written

PREFIX = "GD"
LONGEST_SPEECH = 200
"""Longer than a number is ever said; what comes after is not looked at."""

_PAUSE = r"[\s,，.。、;；:：_/\-—－]|横杠|横线|杠|减|嗯|呃|额|啊|哦|那个|然后|再|后面|接着|是"
_BETWEEN = re.compile(rf"(?<=\d)(?:{_PAUSE})+(?=\d)")
_NUMBER = re.compile(r"(?<!\d)(?P<day>(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?P<count>\d{4,5})(?!\d)")


def read_ticket_number(*, digits: str, speech: str) -> str | None:
    """GD-1124-0001, or None where there is no such number in it, or more than one.

    `digits` are the keys, `speech` what a recogniser wrote down: numerals, figures or both, with fillers between.
    """
    return _only_one(re.sub(r"[*#\s]", "", digits)) or _only_one(_in_figures(speech[:LONGEST_SPEECH]))


def _in_figures(speech: str) -> str:
    """The words with their numbers as figures, and what was said between two parts of a number taken out."""
    figures = written(speech)
    while (joined := _BETWEEN.sub("", figures)) != figures:
        figures = written(joined)
    return figures


def _only_one(text: str) -> str | None:
    found = {f"{PREFIX}-{match['day']}-{match['count']}" for match in _NUMBER.finditer(text)}
    return found.pop() if len(found) == 1 else None
