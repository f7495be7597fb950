"""An operator's own texts: what is wrong with one is said by name, at start."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from callcenter.config import FollowUpSettings
from callcenter.domain.call_text import SpokenMatter, UnusableText, check_text, spoken_text
from callcenter.domain.reminder_kinds import reminder_kinds

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize("name", sorted(reminder_kinds()))
def test_every_built_in_text_passes_its_own_check(name: str) -> None:
    check_text(reminder_kinds()[name].text, reminder_kinds()[name])


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        ("overdue_fee", "您好，请缴费", r"overdue_fee: this text must say \{amount\}"),
        ("overdue_fee", "您好，{items}共{amount}，否则停水", "must not be said on such a call"),
        ("overdue_fee", "您好，{items}共{amout}", r"\{amout\} is not known; did you mean \{amount\}"),
        ("announcement", "您好，{text}{reported}", r"\{reported\} is not known"),
        ("missed_call", "您好" * 500, "too long to listen to"),
        ("no_such_kind", "您好", "no_such_kind: no such kind of reminder; use"),
    ],
)
def test_a_wrong_text_is_refused_with_its_kind_and_what_is_wrong(kind: str, text: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        FollowUpSettings(call_texts={kind: text})


def test_a_kind_that_there_is_not_has_no_hours_either() -> None:
    with pytest.raises(ValidationError, match="no such kind"):
        FollowUpSettings.model_validate({"kinds": {"no_such": {"days": "working_days"}}})


def test_a_fee_is_named_with_amount_items_and_due_date() -> None:
    kind = reminder_kinds()["overdue_fee"]
    matter = SpokenMatter(
        name="王女士", address="3栋2单元501", amount_fen=123450, items="物业费、停车费", due_on=date(2026, 10, 31)
    )
    said = spoken_text(kind.text, kind, matter, company="翠湖物业", now=NOW, zone=SHANGHAI)
    assert "地址三栋二单元五零幺，物业费、停车费，共一千二百三十四元五角，原定十月三十一日前缴纳" in said
    assert not any(word in said for word in kind.forbidden_words)


def test_a_long_report_is_cut_at_a_pause() -> None:
    kind = reminder_kinds()["missed_call"]
    said = spoken_text(kind.text, kind, SpokenMatter(reported="漏水，" * 40), company="x", now=NOW, zone=SHANGHAI)
    assert len(said) < 200
    assert "，”" not in said


def test_what_a_resident_said_is_never_taken_for_a_field() -> None:
    kind = reminder_kinds()["missed_call"]
    said = spoken_text(kind.text, kind, SpokenMatter(reported="{company}坏了"), company="x", now=NOW, zone=SHANGHAI)
    assert "{company}坏了" in said
    with pytest.raises(UnusableText, match="write the name alone"):
        check_text("{company!r}", kind)
