"""Half of the labelled set as the recogniser heard it over a telephone line: what is asserted must be right.

`docs/understanding.md` has the figures; what the demo model garbles beyond recognition stays empty.
"""

from pathlib import Path

import pytest

from callcenter.domain.understanding import understand
from callcenter.domain.understanding.draft import transcript_of_text
from callcenter.domain.understanding.evaluation import Evaluation, SlotScore, evaluate
from callcenter.domain.understanding.labels import read_labels
from tests.understanding.calls import CONTEXT

ROWS = read_labels((Path(__file__).parent / "spoken.jsonl").read_text("utf-8"))
WHOLE_SET = (Path(__file__).parent / "utterances.jsonl").read_text("utf-8").splitlines()


@pytest.fixture(scope="module")
def heard() -> Evaluation:
    assert all(row.transcript is not None for row in ROWS)
    return evaluate(ROWS, lambda row: understand(row.transcript or transcript_of_text(""), context=CONTEXT))


def f1(score: SlotScore) -> float:
    said, wanted = score.right + score.wrong + score.invented, score.right + score.wrong + score.missing
    return 2 * score.right / (said + wanted)


def test_it_is_half_of_the_set() -> None:
    assert len(ROWS) >= len(WHOLE_SET) // 2


@pytest.mark.parametrize("slot", ["room", "phone", "unit", "contact"])
def test_no_wrong_value_is_asserted(heard: Evaluation, slot: str) -> None:
    assert (heard.scores[slot].wrong, heard.scores[slot].invented) == (0, 0)


def test_phones_stay_within_five_hundredths_of_the_written_text(heard: Evaluation) -> None:
    """The written text scores 1.0 (`test_utterances`)."""
    assert f1(heard.scores["phone"]) >= 0.95


def test_rooms_and_topics_do_not_fall_behind_what_was_measured(heard: Evaluation) -> None:
    assert heard.scores["room"].right >= 14
    assert heard.scores["category"].right >= 79


def test_what_is_said_to_be_sure_is_right_more_often(heard: Evaluation) -> None:
    """Measured 0.068; the written set cannot tell, since every row of it comes out right."""
    assert heard.calibration_error is not None
    assert heard.calibration_error <= 0.1
    shares = [right for _, _, right, count in heard.bins() if count >= 20]
    assert shares == sorted(shares)
