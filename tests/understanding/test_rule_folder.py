"""An operator's own rule files replace the built-in ones and are read again when changed; errors name the line."""

import os
from importlib.resources import files
from pathlib import Path

import pytest

from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.understanding import CallContext, understand_text
from callcenter.domain.understanding.rules_files import RuleFolder, default_rules
from tests.understanding.calls import CONTEXT

DATA = files("callcenter.domain.understanding") / "data"
POOL = '\n[pool]\nzh = "桑拿"\nen = "Pool"\nusual = "repair"\nstrong = ["桑拿房"]\n'


def _written(folder: Path, name: str, text: str, at: int) -> None:
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    os.utime(path, ns=(at, at))


def _built_in(name: str) -> str:
    return (DATA / f"{name}.toml").read_text("utf-8")


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    assert [one.key for one in RuleFolder(tmp_path).current().categories] == [
        one.key for one in default_rules().categories
    ]
    assert RuleFolder().current() is default_rules()


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    folder = RuleFolder(tmp_path)
    context: CallContext = CONTEXT
    found = understand_text("桑拿房坏了", context=context, rules=folder.current()).categories
    assert "pool" not in {one.value for one in found}
    _written(tmp_path, "categories", _built_in("categories") + POOL, 1)
    rules = folder.current()
    assert understand_text("桑拿房坏了", context=context, rules=rules).categories[0].value == "pool"
    assert folder.current() is rules


def test_a_mistake_leaves_the_rules_as_they_were(tmp_path: Path) -> None:
    folder = RuleFolder(tmp_path)
    before = folder.current()
    _written(tmp_path, "categories", _built_in("categories") + "\n[pool]\nzh = 3\n", 1)
    assert folder.current() is before
    assert folder.problem is not None
    assert "categories.toml, line" in str(folder.problem)
    _written(tmp_path, "categories", _built_in("categories") + POOL, 2)
    assert folder.current() is not before
    assert folder.problem is None


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("categories", '[a]\nzh = "甲"\nen = "A"\n\n[b]\nzh = "乙"\n', 5, "needs a label en"),
        ("categories", '[a]\nzh = "甲"\nen = "A"\nstrong = "漏水"\n', 4, "must be a list"),
        ("categories", '[a]\nzh = "甲"\nen = "A"\nusual = "mend"\n', 4, "is no request type"),
        ("categories", '[a]\nzh = "甲\n', 2, "line 2"),
        ("request_types", '[repair]\nzh = "甲"\nen = "A"\nwords = [\n  "坏",\n  "(坏了",\n]\n', 6, "bad pattern"),
        ("request_types", '\n[mend]\nzh = "甲"\nen = "A"\n', 2, "is no request type"),
        ("danger", '[words]\na = ["火"]\n\n[[danger]]\nkind = "fire"\nall = ["b"]\n', 6, "no class 'b'"),
        ("danger", '[words]\na = ["火"]\nb = ["["]\n', 3, "bad pattern"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, name: str, text: str, line: int, message: str) -> None:
    _written(tmp_path, name, text, 1)
    with pytest.raises(RuleFileError, match=message) as refused:
        RuleFolder(tmp_path).current()
    assert f"{name}.toml, line {line}:" in str(refused.value)
