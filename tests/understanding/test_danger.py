"""Danger in wordings of its own: what is caught, what is not taken for danger, and that neither gets worse."""

import json
from pathlib import Path

import pytest

from callcenter.domain.understanding import alarms_in_words, default_rules, draft_to_json, understand_text
from tests.understanding.calls import CONTEXT


def _urgencies(name: str) -> list[tuple[str, str | None, str]]:
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        (row["expect"]["urgency"], draft_to_json(understand_text(row["text"], context=CONTEXT))["urgency"], row["text"])
        for row in rows
    ]


@pytest.mark.parametrize(
    ("name", "caught", "false"),
    [
        ("danger_6.jsonl", 1.0, 0),
        ("danger_7.jsonl", 1.0, 0),
        ("danger_8.jsonl", 1.0, 1),
        ("danger_9.jsonl", 1.0, 0),
        ("danger_10.jsonl", 0.9, 2),
    ],
)
def test_share_of_emergencies_caught(name: str, caught: float, false: int) -> None:
    rows = _urgencies(name)
    emergencies = [got for expected, got, _ in rows if expected == "emergency"]
    assert emergencies.count("emergency") >= caught * len(emergencies)
    assert [text for expected, got, text in rows if expected != "emergency" and got == "emergency"][false:] == []


def test_what_the_resident_affirms_is_said() -> None:
    call = "住户：三号楼那个电梯又停了\n客服：里面有没有人\n住户：{}"
    assert draft_to_json(understand_text(call.format("有，两个"), context=CONTEXT))["urgency"] == "emergency"
    assert draft_to_json(understand_text(call.format("没有人"), context=CONTEXT))["urgency"] == "normal"


def test_fear_and_advice_are_no_danger() -> None:
    for text in (
        "这堵墙开裂了，千万别砸到人",
        "怕孩子从楼梯上摔下来磕破头",
        "上次老人从台阶上摔下来骨折，你们修了没有",
    ):
        assert draft_to_json(understand_text(text, context=CONTEXT))["urgency"] != "emergency"


def test_what_happened_on_a_date_is_no_danger_now() -> None:
    for text in ("2019年2月19日我们楼上突发大火，现在想问重修的费用", "10月3号楼下起火那件事查清楚了吗"):
        assert draft_to_json(understand_text(text, context=CONTEXT))["urgency"] == "normal"


def test_the_words_behind_an_alarm_are_shown() -> None:
    alarm = alarms_in_words("我家灶台关了还是有股怪味", default_rules())[0]
    assert alarm.kind == "gas"
    assert alarm.evidence.words in "我家灶台关了还是有股怪味"
    assert "味" in alarm.evidence.words
