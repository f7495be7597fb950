"""Full text of Chinese without a dictionary: every two neighbouring characters are a word of the index.

What stands between letters and figures is left out, so that a place is found as it is said and as it is written, and a
number with or without its hyphens. The index finds any passage, not only whole words, and a new word needs no list.
"""

from collections.abc import Iterable


def plain(text: str) -> str:
    """Letters and figures only, in one case."""
    return "".join(char for char in text.casefold() if char.isalnum())


def grams(parts: Iterable[str]) -> str:
    """The words under which a text is indexed, in their order; no passage reaches from one part into the next."""
    return " ".join(word for part in map(plain, parts) for word in _overlapping(part))


def _overlapping(part: str) -> list[str]:
    """漏水了 is 漏水, 水了 and, so that the last character is found alone as well, 了."""
    return [part[at : at + 2] for at in range(len(part))]


def passage(term: str) -> tuple[str, ...]:
    """The words that must follow each other for a search term to be there; a single character is itself.

    Empty where the term has no letter or figure: it finds nothing and excludes nothing.
    """
    searched = plain(term)
    return tuple(_overlapping(searched)[:-1]) or ((searched,) if searched else ())
