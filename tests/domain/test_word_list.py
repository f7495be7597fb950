"""The operator's own words, found by sound and never invented."""

import pytest

from callcenter.domain.speech_evaluation import character_errors, read_spoken
from callcenter.domain.transcript import Segment, Side, Transcript, Word
from callcenter.domain.understanding.labels import LabelError
from callcenter.domain.word_list import WordListError, read_word_list, repairs_of, with_words

WORDS = read_word_list("枫桦景苑  # an estate\n何雯\n\n幺幺九\n")


def heard(text: str, *, words: bool = True, alternatives: tuple[str, ...] = ()) -> Segment:
    spelt = tuple(Word(text=c, start_ms=n * 100, end_ms=n * 100 + 90, confidence=0.97) for n, c in enumerate(text))
    return Segment(
        side=Side.RESIDENT,
        start_ms=0,
        end_ms=len(text) * 100,
        text=text,
        words=spelt if words else (),
        alternatives=alternatives,
    )


def test_a_name_by_its_sound_keeps_its_times_and_is_no_surer_than_the_exchange() -> None:
    (segment,) = with_words(Transcript.of([heard("我住风华花园三栋")], duration_ms=800), WORDS).segments
    assert segment.text == "我住风华花园三栋", "another name is not pressed into the list's"
    (segment,) = with_words(Transcript.of([heard("我住风画井院三栋")], duration_ms=800), WORDS).segments
    assert segment.text == "我住枫桦景苑三栋"
    assert [word.text for word in segment.words] == list(segment.text)
    assert [word.start_ms for word in segment.words] == [n * 100 for n in range(8)]
    assert segment.words[2].confidence < segment.words[0].confidence == 0.97


@pytest.mark.parametrize(
    ("text", "alternatives", "confidence"),
    [
        ("枫桦镜苑", (), 0.75),
        ("风桦景院", (), 0.9),
        ("风华花园", ("枫桦景苑",), None),
        ("枫桦镜院", ("枫桦景苑",), 0.95),
    ],
)
def test_how_sure(text: str, alternatives: tuple[str, ...], confidence: float | None) -> None:
    found = repairs_of(heard(text, alternatives=alternatives), WORDS)
    assert [one.confidence for one in found] == ([] if confidence is None else [confidence])


def test_what_is_right_stays() -> None:
    transcript = Transcript.of([heard("枫桦景苑的何雯")], duration_ms=700)
    assert with_words(transcript, WORDS) == transcript
    assert with_words(transcript, ()) is transcript


def test_words_that_do_not_spell_the_text_stay_as_they_are() -> None:
    (segment,) = with_words(Transcript.of([heard("找何文", words=False)], duration_ms=300), WORDS).segments
    assert (segment.text, segment.words) == ("找何雯", ())


@pytest.mark.parametrize("line", ["a", "水", "枫" * 21, "三栋 二单元", "B座"])
def test_a_list_that_cannot_be_used_names_the_line(line: str) -> None:
    with pytest.raises(WordListError, match="line 2"):
        read_word_list(f"何雯\n{line}\n")


def test_character_errors_before_and_after() -> None:
    rows = read_spoken(
        '{"text": "住户：我住枫桦景苑501", "expect": {}, '
        '"segments": [["resident", 0, 900, "我住风画井院五零一", [], []]]}\n'
        '{"text": "客服：您好", "expect": {}, "segments": [["agent", 0, 9, "你好", [], []]], '
        '"passages": [["你好", "您好", []]]}'
    )
    counted = character_errors(rows, WORDS)
    assert counted.letters == len("我住枫桦景苑501") + 2
    assert (counted.errors_before, counted.errors_after, counted.worse) == (5, 1, 0)
    assert counted.rate_before == pytest.approx(5 / 11)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('{"text": "a", "expect": {}}', 'line 1: has no "segments"'),
        ('{"text": "a", "expect": {}, "segments": [], "passages": [["a"]]}', "line 1: passages"),
    ],
)
def test_a_set_that_cannot_be_read_is_named(row: str, says: str) -> None:
    with pytest.raises(LabelError, match=says):
        read_spoken(row)
