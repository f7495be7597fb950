"""Phone numbers as a provider dials them (E.164), so that one line is one number however it was written."""

import re

_MOBILE = re.compile(r"(?:\+?86|0086|0)?(1[3-9]\d{9})")
_LANDLINE = re.compile(r"(?:\+?86|0086)?0((?:10|2\d)\d{8}|[3-9]\d{2}\d{7,8})")
_FREE = re.compile(r"(?:\+?86)?([48]00\d{7})")
_FOREIGN = re.compile(r"\+[1-9]\d{6,14}")
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253", "+17378742833"})
"""What providers send for anonymous, restricted, blocked and unavailable: letters typed on a telephone's keys."""


def dialable(number: str | None) -> str | None:
    """The number with its country (+86 for one written the Chinese way), or None where it cannot be dialled.

    An extension, a short internal number and a landline without its area code cannot.
    """
    bare = re.sub(r"[\s()（）-]", "", number or "")
    if bare in _WITHHELD:
        return None
    for pattern in (_MOBILE, _LANDLINE, _FREE):
        match = pattern.fullmatch(bare)
        if match:
            return f"+86{match[1]}"
    return bare if _FOREIGN.fullmatch(bare) else None


def ways_to_write(number: str) -> tuple[str, ...]:
    """How a dialable number may stand in our tables: with its country, and as it is dialled inside it."""
    inland = number.removeprefix("+86")
    if inland == number:
        return (number,)
    is_landline = len(inland) <= 11 and not _MOBILE.fullmatch(inland) and not _FREE.fullmatch(inland)
    return (number, f"0{inland}" if is_landline else inland)
