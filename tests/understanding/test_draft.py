import json
from dataclasses import fields, replace

import pytest

from callcenter.domain.tickets import Found, PromiseKind, RequestType, TicketDraft, Urgency
from callcenter.domain.transcript import Side, Transcript
from callcenter.domain.understanding import (
    alarms_in_words,
    default_rules,
    draft_to_json,
    split,
    understand,
    understand_text,
)
from tests.understanding.calls import CONTEXT, TUESDAY_TEN, call, recognised


def test_silence_must_be_listened_to() -> None:
    draft = understand(Transcript(segments=(), duration_ms=8000), context=CONTEXT)
    assert draft == TicketDraft(must_listen=True, notes=("nothing_said",))


def test_only_the_agent_spoke() -> None:
    draft = understand(call(recognised("您好 请 讲", side=Side.AGENT)), context=CONTEXT)
    assert draft.must_listen
    assert draft.urgency is None


def test_babble_is_for_a_person() -> None:
    assert understand_text("唔系啊嗰度咩嘢", context=CONTEXT).must_listen


def test_a_promise_to_phone_back_within_half_an_hour() -> None:
    draft = understand(
        call(
            recognised("水管 漏 了"),
            recognised("好 的 / 我们 会 在 半小时 内 给 您 回电 / 再见", side=Side.AGENT, start_ms=3000),
        ),
        context=CONTEXT,
    )
    (promise,) = draft.promises
    assert promise.value.kind is PromiseKind.CALL_BACK
    assert promise.value.due is not None
    assert (promise.value.due - TUESDAY_TEN).total_seconds() == 1800
    assert promise.evidence[0].words == "我们会在半小时内给您回电"


def test_the_residents_demand_is_no_promise() -> None:
    assert understand_text("你们半小时内给我回电话", context=CONTEXT).promises == ()


def test_the_agents_question_is_no_alarm_and_the_residents_answer_neither() -> None:
    draft = understand_text("客服：请问有人受伤吗\n住户：没有受伤，灯罩掉了", context=CONTEXT)
    assert draft.urgency is not None
    assert draft.urgency.value is Urgency.NORMAL


def test_danger_makes_an_emergency_whatever_else_was_said() -> None:
    draft = understand_text("我要投诉，电梯又困人了，物业费白交了", context=CONTEXT)
    assert draft.request_type is not None
    assert draft.request_type.value is RequestType.EMERGENCY
    assert "困人" in draft.request_type.evidence[0].words


def test_the_summary_says_nothing_that_the_resident_did_not_say() -> None:
    text = "喂你好，我是三栋五零一的，那个，厨房水管漏水了，漏了一地，麻烦快点来"
    draft = understand_text(f"客服：您好请讲\n住户：{text}\n客服：我帮您登记燃气泄漏", context=CONTEXT)
    assert draft.summary is not None
    assert "水管漏水" in draft.summary.value
    assert all(part in draft.written for part in draft.summary.value.split("，"))
    assert "燃气" not in draft.summary.value


def test_sure_and_unsure_fields_are_apart() -> None:
    draft = TicketDraft(phone=Found(value="13800138000", confidence=0.5), contact=Found(value="王女士", confidence=0.9))
    parts = split(draft, threshold=0.6)
    assert set(parts.sure) == {"contact"}
    assert set(parts.unsure) == {"phone"}
    assert draft_to_json(draft)["phone"] is None
    assert draft_to_json(draft, threshold=0.4)["phone"] == "13800138000"


def test_json_has_every_key_and_can_be_dumped() -> None:
    draft = understand_text("三栋五零一漏水，明天上午在家，回电幺三八零零幺三八零零零", context=CONTEXT)
    keys = [
        "type",
        "categories",
        "urgency",
        "responsibility",
        "place",
        "contact",
        "phone",
        "wanted",
        "promises",
        "written",
    ]
    loaded = json.loads(json.dumps(draft_to_json(draft), ensure_ascii=False))
    assert list(loaded) == keys
    assert list(loaded["place"]) == ["estate", "phase", "lane", "building", "unit", "floor", "room"]
    assert loaded["wanted"] == {"from": "2026-11-25T08:00:00+08:00", "to": "2026-11-25T12:00:00+08:00"}
    assert loaded["written"] == "3栋501漏水，明天上午在家，回电13800138000"


def test_every_found_value_has_evidence_from_the_call() -> None:
    text = "你好我姓王/三栋五零一厨房漏水很严重/明天上午在家/电话幺三八零零幺三八零零零"
    segment = recognised(" / ".join(" ".join(part) for part in text.split("/")))
    draft = understand(call(segment), context=CONTEXT)
    for name in (field.name for field in fields(TicketDraft)):
        value = getattr(draft, name)
        for found in value if isinstance(value, tuple) else (value,):
            if isinstance(found, Found):
                assert found.evidence, name
                for evidence in found.evidence:
                    assert evidence.words in segment.text
                    assert 0 <= evidence.start_ms < evidence.end_ms <= segment.end_ms


@pytest.mark.parametrize("prefix", ["客服：", "客服:", "agent: ", "Agent："])
def test_prefixes_name_the_side(prefix: str) -> None:
    draft = understand_text(f"住户：漏水\n{prefix}我们马上安排师傅上门", context=CONTEXT)
    assert draft.promises[0].value.kind is PromiseKind.VISIT


def test_words_that_the_recogniser_hardly_heard_are_for_a_person() -> None:
    segment = recognised("家里 漏水")
    faint = replace(segment, words=tuple(replace(word, confidence=0.3) for word in segment.words))
    draft = understand(call(faint), context=CONTEXT)
    assert draft.must_listen
    assert "heard_badly" in draft.notes


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("阿拉屋里厢水龙头坏脱了，侬叫人来看看好伐", "wu"),
        ("我地楼度部电梯坏咗，冇人嚟睇", "yue"),
        ("厨房头莫得水了嘛，咋个搞的，你们啥子时候来", "southwest"),
    ],
)
def test_a_dialect_is_noticed_and_left_to_a_person(text: str, dialect: str) -> None:
    draft = understand_text(text, context=CONTEXT)
    assert draft.must_listen
    assert f"dialect:{dialect}" in draft.notes


def test_one_word_of_a_dialect_is_none() -> None:
    draft = understand_text("家里停电了，麻烦快点来，巴适得很的师傅", context=CONTEXT)
    assert not draft.must_listen


def test_danger_in_two_breaths() -> None:
    draft = understand(call(recognised("电梯 卡住 了"), recognised("里面 有 人", start_ms=2000)), context=CONTEXT)
    assert draft.urgency is not None
    assert draft.urgency.value is Urgency.EMERGENCY


@pytest.mark.parametrize("words", ["电梯 困 人", "厨房 有 没气味"])
def test_danger_is_found_by_word_or_by_sound(words: str) -> None:
    draft = understand(call(recognised(words)), context=CONTEXT)
    assert draft.urgency is not None
    assert draft.urgency.value is Urgency.EMERGENCY
    assert draft.urgency.evidence


def test_danger_in_the_words_so_far() -> None:
    rules = default_rules()
    assert [alarm.kind for alarm in alarms_in_words("我妈被困在", rules)] == ["trapped"]
    assert alarms_in_words("应急照明不亮", rules) == ()
