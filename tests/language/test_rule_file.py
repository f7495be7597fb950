"""The rules of service language as an operator edits them: errors name the line, a change is read without a restart."""

import os
from importlib.resources import files
from pathlib import Path

import pytest

import callcenter.domain.service_language
from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.service_language import LanguageRuleFile, default_language_rules, language_rules

BUILT_IN = (files(callcenter.domain.service_language) / "data" / "service_language.toml").read_text("utf-8")


def line_of(words: str) -> int:
    return next(number for number, line in enumerate(BUILT_IN.split("\n"), 1) if words in line)


@pytest.mark.parametrize(
    ("old", "new", "where", "told"),
    [
        ("silence_seconds = 8", 'silence_seconds = "long"', "silence_seconds = 8", "above zero"),
        ("silence_seconds = 8", "silence_seconds = 8\nsilence = 3", "", "no measure silence"),
        ('zh = "不耐烦"', 'name = "不耐烦"', "[never.impatient]", "needs a label zh"),
        ('"便宜没好货"', '"便宜(没好货"', '"便宜没好货"', "bad pattern"),
        ('"不知道", "不清楚", "不太清楚"', '"不", "不清楚"', '"不知道", "不清楚", "不太清楚"', "too short"),
        ("[opening.help]", "[opening.aid]", "", "needs part help"),
        ("phrases = [", "phrases = 3\nother = [", "phrases = [", "must be a list of words"),
    ],
)
def test_a_mistake_names_file_and_line(tmp_path: Path, old: str, new: str, where: str, told: str) -> None:
    path = tmp_path / "service_language.toml"
    assert old in BUILT_IN
    path.write_text(BUILT_IN.replace(old, new, 1), "utf-8")
    with pytest.raises(RuleFileError) as refused:
        language_rules(path)
    message = str(refused.value)
    assert str(path) in message
    assert told in message
    if told and where:
        assert f"line {line_of(where)}:" in message


def test_a_file_that_is_no_toml_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "service_language.toml"
    path.write_text("[measures]\nlistening_share = \n", "utf-8")
    with pytest.raises(RuleFileError, match="line 2"):
        language_rules(path)


def test_a_changed_file_is_read_again_and_a_mistake_leaves_the_rules_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "service_language.toml"
    rules = LanguageRuleFile(tmp_path)
    assert rules.current() is default_language_rules()
    path.write_text(BUILT_IN.replace("烦死人了", "真啰嗦", 1), "utf-8")
    own = rules.current()
    assert own.version != default_language_rules().version
    path.write_text("broken", "utf-8")
    os.utime(path, ns=(1, 1))
    assert rules.current() is own
    assert rules.problem is not None
    path.unlink()
    assert rules.current() is default_language_rules()
    assert rules.problem is None
