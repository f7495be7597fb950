"""The parts of the demo model's recipe that need none of its packages: its sentences, what is held out, word order."""

import importlib
import json
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "models" / "demo-zh" / "recipe"
MODULES = ("sentences", "wordings", "held_out", "language_model")


@pytest.fixture(scope="module")
def recipe() -> Iterator[Any]:
    """Its modules, which import each other by bare names, and go away again afterwards."""
    sys.path.insert(0, str(RECIPE))
    try:
        yield type("Recipe", (), {name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(RECIPE))
        for name in MODULES:
            sys.modules.pop(name, None)


def test_sentences_are_chinese_throughout_and_the_same_for_the_same_seed(recipe: Any) -> None:
    drawn = recipe.sentences.draw(1500, 5)
    assert drawn == recipe.sentences.draw(1500, 5)
    odd = [clause for clauses in drawn for clause in clauses if not re.fullmatch(r"[\u4e00-\u9fff]+", clause)]
    assert odd == []
    text = "".join(clause for clauses in drawn for clause in clauses)
    assert {"幢", "弄", "期", "附", "杠", "幺"} <= set(text)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        *[(7, "七"), (10, "十"), (12, "十二"), (20, "二十"), (105, "一百零五")],
        *[(110, "一百一十"), (1080, "一千零八十"), (1500, "一千五百")],
    ],
)
def test_numbers_as_they_are_said(recipe: Any, value: int, said: str) -> None:
    assert recipe.sentences.number(value) == said


def test_no_held_out_sentence_is_learnt_from(recipe: Any) -> None:
    """What the test sets and the recipe's measured sentences say is found, whole or as a longer clause."""
    apart = recipe.held_out.HeldOut()
    rows = (ROOT / "tests" / "understanding" / "utterances.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(row)["text"] for row in rows]
    plain = [text for text in texts if re.fullmatch(r"[\u4e00-\u9fff，]{10,}", text)]
    assert len(plain) > 200
    assert all(apart.found_in(text.split("，")) for text in plain)
    assert apart.found_in(["喂", "我的联系电话是八六五三二九零七对吗"])
    assert apart.found_in(["水管漏水"]) is None
    kept = apart.without(recipe.sentences.draw(1500, 77))
    assert 1400 < len(kept) <= 1500
    assert not [clauses for clauses in kept if apart.found_in(clauses)]


def test_a_rule_gives_a_wording_that_it_matches(recipe: Any) -> None:
    import random

    for pattern in ("水管(?:爆|崩)(?:了|开)", "(?:电瓶车?|插座)[^，。,]{0,8}着了", "困在电梯"):
        for seed in range(20):
            assert re.search(pattern, recipe.wordings.drawn(pattern, random.Random(seed)))


def test_the_language_model_is_a_probability_everywhere(recipe: Any) -> None:
    """Following arcs and back-offs, the words after any history, with the end, come to one."""
    lm: ModuleType = recipe.language_model
    words = {"水管", "漏水", "了", "电梯", "坏"}
    ours = lm.Text([["水管", "漏水", "了"]] * 5 + [["电梯", "坏", "了"]] * 3, words)
    theirs = lm.Text([["电梯", "漏水"], ["水管", "坏", "了"]], words)
    arcs, endings, start = lm.arcs(lm.Mixture([(ours, 0.7), (theirs, 0.3)], [(2, 3), (1, 2)]), words)
    costs: dict[Any, dict[str | None, float]] = {}
    for history, word, cost, _ in arcs:
        costs.setdefault(history, {})[word] = cost

    def probability(history: tuple[str, ...], word: str) -> float:
        cost = endings.get(history) if word == lm.END else costs[history].get(word)
        if cost is not None:
            return math.exp(-cost)
        assert history, f"no way to {word}"
        return math.exp(-costs[history][None]) * probability(history[1:], word)

    assert start == (lm.START,)
    for history in costs:
        assert sum(probability(history, word) for word in [*words, lm.END]) == pytest.approx(1.0, abs=1e-3)
    assert probability(("水管", "漏水"), "了") > probability(("水管",), "了")
