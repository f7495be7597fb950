"""The words by which a case is found: Chinese has no blanks, so each two neighbouring letters are one."""

import re
import unicodedata
from collections import Counter

TITLE_WEIGHT, PROBLEM_WEIGHT, SOLUTION_WEIGHT = 4, 2, 1
MOST_TERMS = 200
"""Of a question: a whole transcript may be asked with."""

_RUN = re.compile(r"[一-鿿]+|[a-z0-9]+")


def terms_of(text: str) -> list[str]:
    """The words of a text in their order: 水管漏水 is 水管 管漏 漏水; a single letter and Latin words are whole."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0].isascii() or len(run) == 1:
            found.append(run)
        else:
            found += [run[at : at + 2] for at in range(len(run) - 1)]
    return found


def asked_terms(text: str) -> list[str]:
    """Each word of a question once, at most 200."""
    return list(dict.fromkeys(terms_of(text)))[:MOST_TERMS]


def weights_of(*, title: str, problem: str, solution: str) -> dict[str, int]:
    """How much each word counts for a case: the title most, once a part whatever its length."""
    weights: Counter[str] = Counter()
    for text, weight in ((title, TITLE_WEIGHT), (problem, PROBLEM_WEIGHT), (solution, SOLUTION_WEIGHT)):
        weights.update(dict.fromkeys(terms_of(text), weight))
    return dict(weights)
