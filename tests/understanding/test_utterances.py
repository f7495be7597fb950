"""The labelled set, in residents' own wording: every slot of a row must come out so (null: nothing asserted)."""

import json
from pathlib import Path
from typing import Any

import pytest

from callcenter.domain.understanding import draft_to_json, understand_text
from tests.understanding.calls import CONTEXT

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "utterances.jsonl").read_text("utf-8").splitlines()
    if line.strip()
]


def _said(draft: dict[str, Any], slot: str) -> Any:
    if slot in draft["place"]:
        return draft["place"][slot]
    if slot in ("from", "to"):
        return (draft["wanted"] or {}).get(slot)
    if slot == "promise":
        return next((promise["kind"] for promise in draft["promises"]), None)
    if slot == "due":
        return next((promise["due"] for promise in draft["promises"] if promise["due"]), None)
    return draft[slot]


@pytest.mark.parametrize("row", ROWS, ids=[row["text"][:24] for row in ROWS])
def test_labelled_utterance(row: dict[str, Any]) -> None:
    draft = draft_to_json(understand_text(row["text"], context=CONTEXT))
    expected = dict(row["expect"])
    category = expected.pop("category", None)
    assert {slot: _said(draft, slot) for slot in expected} == expected
    assert category is None or category in draft["categories"]


def test_the_set_is_large_enough_to_mean_something() -> None:
    assert len(ROWS) >= 150
    assert len({row["text"] for row in ROWS}) == len(ROWS)
