"""Danger in words that still change, and in those that stand."""

import pytest

from callcenter.domain.transcript import Transcript
from callcenter.domain.understanding import default_rules
from callcenter.domain.understanding.live_danger import PartialDanger, danger_words, is_emergency
from tests.live.conftest import said

RULES = default_rules()


def stable(*partials: str) -> list[bool]:
    watched = PartialDanger()
    return [watched.is_stable(text, RULES) for text in partials]


def test_danger_counts_once_it_has_stood_still() -> None:
    assert stable("家里", "家里着火", "家里着火了", "家里着火了你们", "家里着火了你们快来")[-1]
    assert not any(stable("家里着火", "家里着火", "家里着火"))


def test_words_that_are_taken_back_never_count() -> None:
    assert not any(stable("电梯卡住了有异味", "电梯卡住了有人可以", "家里着火", "家里着急", "家里着急用水电"))


@pytest.mark.parametrize(
    "text",
    ["应急照明不亮", "楼道应急照明不亮了你们来看看", "消防应急灯不亮", "消防演习是几点", "没有着火你放心"],
)
def test_what_only_sounds_like_danger_is_none(text: str) -> None:
    partials = [text[: end + 1] for end in range(len(text))]
    assert not any(stable(*partials))
    assert not is_emergency(Transcript.of(said(f"住户：{text}"), duration_ms=0), RULES)
    assert danger_words(text, RULES) == ()


def test_what_the_agent_asked_and_the_resident_affirmed_is_danger() -> None:
    lines = said("住户：电梯坏了停在三楼", "客服：请问里面有人吗", "住户：有有两个人")
    assert is_emergency(Transcript.of(lines, duration_ms=0), RULES)


def test_the_words_of_danger_are_marked_where_they_stand() -> None:
    words = danger_words("喂你好电梯卡住了有人困在里面", RULES)
    assert words
    assert all(word in "喂你好电梯卡住了有人困在里面" for word in words)
