"""Draw a wording that a regular expression of the product's rules would match: choices at random, gaps left out."""

import re
from functools import cache
from re import _parser as parser  # the standard library's own reading of a pattern

NUMBERS = [*"一两三四五六七八九十", "十二", "十五"]
LONGEST_REPEAT = 2


@cache
def _parsed(pattern):
    return parser.parse(pattern)


def drawn(pattern, pick):
    """A text without Latin letters or figures; what looks ahead or behind is not kept to, so it may be odd."""
    text = re.sub(r"\d+", lambda _: pick.choice(NUMBERS), _written(_parsed(pattern), pick, {}))
    return "".join(re.findall(r"[\u4e00-\u9fff]", text))


def _written(parts, pick, groups):
    return "".join(_part(str(kind).rsplit(".", 1)[-1], value, pick, groups) for kind, value in parts)


def _part(kind, value, pick, groups):
    if kind == "LITERAL":
        return chr(value)
    if kind == "BRANCH":
        return _written(pick.choice(value[1]), pick, groups)
    if kind == "SUBPATTERN":
        groups[value[0]] = text = _written(value[3], pick, groups)
        return text
    if kind == "GROUPREF":
        return groups[value]
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = value
        if _is_gap(inner):
            return ""
        return "".join(
            _written(inner, pick, groups) for _ in range(pick.randint(least, min(most, max(least, LONGEST_REPEAT))))
        )
    if kind == "IN":
        return _one_of(value, pick)
    return ""  # what stands before or after, ends of the text, any letter


def _is_gap(inner):
    kind, value = inner[0]
    name = str(kind).rsplit(".", 1)[-1]
    return name in ("ANY", "NOT_LITERAL") or (name == "IN" and str(value[0][0]).endswith("NEGATE"))


def _one_of(choices, pick):
    kind, value = pick.choice(choices)
    name = str(kind).rsplit(".", 1)[-1]
    if name == "LITERAL":
        return chr(value)
    if name == "CATEGORY":  # \d
        return "1"
    return ""
