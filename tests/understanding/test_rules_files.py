import re
from typing import Any

import pytest

from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.understanding import default_rules
from callcenter.domain.understanding.rules_files import rules_from

WANTED = [
    "plumbing",
    "power",
    "lift",
    "access",
    "fire",
    "gas",
    "heating",
    "structure",
    "odour",
    "public_facility",
    "cleaning",
    "greening",
    "security",
    "parking",
    "noise",
    "renovation",
    "pets",
    "fees",
    "moving",
    "community",
    "attitude",
    "other",
]


def _tables() -> dict[str, dict[str, Any]]:
    return {
        "categories": {"plumbing": {"zh": "给排水", "en": "Water", "strong": ["漏水"]}},
        "request_types": {"repair": {"zh": "报修", "en": "Repair", "words": ["坏了"]}},
        "urgency": {
            "masked": ["应急灯"],
            "denied": ["没有"],
            "calm": ["不急"],
            "feared": ["怕"],
            "danger": {},
            "urgent": {},
        },
        "surnames": {"compound": ["欧阳"], "single": "王李", "spelled": {"木子李": "李"}},
    }


def test_every_category_has_labels_in_both_languages() -> None:
    rules = default_rules()
    assert [category.key for category in rules.categories] == WANTED
    assert all(category.zh and category.en for category in rules.categories)
    assert all(re.search("[一-龥]", category.zh) for category in rules.categories)


def test_rules_of_ones_own() -> None:
    rules = rules_from(_tables())
    assert rules.surnames == ("欧阳", "王", "李")
    assert rules.category_words.search("水管漏水") is not None


@pytest.mark.parametrize(
    ("table", "key", "value", "message"),
    [
        ("categories", "plumbing", {"zh": "给排水"}, "needs a label en"),
        ("categories", "plumbing", {"zh": "x", "en": "y", "strong": "漏水"}, "strong must be a list"),
        ("categories", "plumbing", {"zh": "x", "en": "y", "usual": "mend"}, "no request type"),
        ("request_types", "mend", {"zh": "x", "en": "y"}, "no request type"),
        ("request_types", "repair", {"zh": "x", "en": "y", "words": ["(坏了"]}, "bad pattern"),
        ("urgency", "calm", ["("], "bad pattern"),
    ],
)
def test_a_mistake_is_named(table: str, key: str, value: Any, message: str) -> None:
    tables = _tables()
    tables[table][key] = value
    with pytest.raises(RuleFileError, match=message):
        rules_from(tables)


def test_a_dialect_needs_its_labels_and_patterns_that_can_be_read() -> None:
    tables = _tables() | {"dialects": {"wu": {"zh": "吴语", "en": "Wu", "words": ["侬("]}}}
    with pytest.raises(RuleFileError, match=r"dialects\.toml: \[wu\] words"):
        rules_from(tables)
    tables["dialects"] = {"wu": {"zh": "吴语", "words": ["侬"]}}
    with pytest.raises(RuleFileError, match="needs a label en"):
        rules_from(tables)
