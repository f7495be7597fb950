"""What an evaluation counts: right, wrong, missing, invented, and how sure the values were."""

import pytest

from callcenter.domain.understanding import understand_text
from callcenter.domain.understanding.evaluation import Evaluation, evaluate
from callcenter.domain.understanding.labels import LabelError, read_labels
from tests.understanding.calls import CONTEXT


def _evaluated(*rows: str) -> Evaluation:
    return evaluate(read_labels("\n".join(rows)), lambda row: understand_text(row.text, context=CONTEXT))


def test_counts_of_a_slot() -> None:
    result = _evaluated(
        '{"text": "三栋五零一漏水", "expect": {"room": "501"}}',
        '{"text": "三栋五零一漏水", "expect": {"room": "502"}}',
        '{"text": "三栋漏水", "expect": {"room": "501"}}',
        '{"text": "三栋五零一漏水", "expect": {"room": null}}',
        '{"text": "漏水", "expect": {"room": null}}',
    )
    score = result.scores["room"]
    assert (score.right, score.wrong, score.missing, score.invented, score.rightly_empty) == (1, 1, 1, 1, 1)
    assert score.precision == pytest.approx(1 / 3)
    assert score.recall == pytest.approx(1 / 3)
    assert result.unsaid == 0
    assert [miss.line for miss in result.misses] == [2, 3, 4]


def test_confusion_and_calibration() -> None:
    result = _evaluated(
        '{"text": "水管漏水", "expect": {"category": "plumbing", "type": "repair", "urgency": "normal"}}',
        '{"text": "水管漏水", "expect": {"category": "gas", "urgency": "emergency"}}',
    )
    assert result.confusion["urgency"] == {("normal", "normal"): 1, ("emergency", "normal"): 1}
    assert result.confusion["category"]["gas", "plumbing"] == 1
    assert sum(len(pairs) for pairs in result.calibration.values()) == 5
    assert [(slot, right, count) for slot, _, right, count in result.reliability()] == [
        ("type", 1.0, 1),
        ("category", 0.5, 2),
        ("urgency", 0.5, 2),
    ]
    assert result.calibration_error is not None
    assert 0 <= result.calibration_error <= 1
    assert result.as_json()["rows"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("{", "line 1: no JSON"),
        ('{"text": "x", "expect": {}}\n[1]', "line 2: needs"),
        ('{"text": "x", "expect": {"rooom": "1"}}', "line 1: no such slot 'rooom'"),
        ('{"text": "x", "expect": {}, "heard_at": "noon"}', "line 1: heard_at 'noon'"),
        ('{"text": "x", "expect": {}, "heard_at": "2026-11-24T10:00:00"}', "needs its offset"),
        ('{"text": "x", "expect": {}, "segments": [["resident", 0]]}', "line 1: segments"),
        ('{"text": "x", "expect": {}, "segments": [["nobody", 0, 1, "x", [], []]]}', "line 1: segments"),
    ],
)
def test_a_wrong_label_is_named(text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_labels(text)


def test_a_row_may_carry_what_was_heard_and_when() -> None:
    segment = '["resident", 0, 900, "漏水", [["漏水", 0, 900, 0.8]], ["漏睡"]]'
    written = f'{{"text": "漏水了", "expect": {{}}, "heard_at": "2026-12-01T09:00:00+08:00", "segments": [{segment}]}}'
    (row,) = read_labels(written)
    assert row.heard_at is not None
    assert row.heard_at.isoformat() == "2026-12-01T09:00:00+08:00"
    assert row.transcript is not None
    assert row.transcript.segments[0].words[0].confidence == 0.8
    assert row.transcript.segments[0].alternatives == ("漏睡",)
