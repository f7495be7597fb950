import pytest

from callcenter.domain.tickets import Place
from callcenter.domain.transcript import Side
from callcenter.domain.understanding import EstateRegister, draft_to_json, understand, understand_text
from tests.understanding.calls import CONTEXT, call, context_with, recognised

GLUED = [{"lane": "318", "building": "6"}, {"lane": "318", "building": "26"}, {"lane": "77", "building": "9"}]


def test_a_swallowed_lane_is_found_if_the_register_has_it() -> None:
    place = draft_to_json(understand_text("31826号四零一灯不亮", context=context_with(*GLUED)))["place"]
    assert (place["lane"], place["building"], place["room"]) == ("318", "26", "401")


@pytest.mark.parametrize("text", ["31899号灯不亮", "3180号大门坏了"])
def test_a_swallowed_lane_is_not_made_up(text: str) -> None:
    place = draft_to_json(understand_text(text, context=context_with(*GLUED)))["place"]
    assert (place["lane"], place["building"]) == (None, None)


def test_without_a_register_a_glued_number_is_nothing() -> None:
    assert draft_to_json(understand_text("31826号灯不亮", context=CONTEXT))["place"]["building"] is None


def test_a_room_that_the_register_does_not_have_is_kept_but_not_asserted() -> None:
    context = context_with({"building": "3", "unit": "2", "room": "501"}, {"building": "3", "unit": "2", "room": "502"})
    draft = understand_text("三栋二单元五零九漏水", context=context)
    assert draft.place is not None
    assert draft.place.value.room == "509"
    assert draft_to_json(draft)["place"]["room"] is None
    assert "unsure:place" in draft.notes


def test_another_reading_that_the_register_has_is_taken() -> None:
    context = context_with({"building": "3", "unit": "2", "room": "501"}, {"building": "3", "unit": "2", "room": "502"})
    segment = recognised("三 栋 二 单元 五 零 九 漏水", alternatives=("三栋二单元五零一漏水", "山洞二单元五零九漏水"))
    draft = understand(call(segment), context=context)
    assert draft_to_json(draft)["place"]["room"] == "501"


def test_the_read_back_that_the_resident_agrees_to_confirms() -> None:
    draft = understand(
        call(
            recognised("我 住 六 栋 八 零 二"),
            recognised("六 栋 八 零 二 对 吗", side=Side.AGENT, start_ms=4000),
            recognised("对 的", start_ms=8000),
        ),
        context=CONTEXT,
    )
    assert draft.place is not None
    assert draft.place.read_back
    assert draft.place.confidence > 0.9


def test_a_read_back_that_differs_and_is_not_answered_leaves_the_place_open() -> None:
    draft = understand(
        call(
            recognised("我 住 六 栋 八 零 二 家里 漏水"),
            recognised("六 栋 八 零 七 我 记录 了", side=Side.AGENT, start_ms=4000),
            recognised("什么 时候 来", start_ms=8000),
        ),
        context=CONTEXT,
    )
    assert draft_to_json(draft)["place"]["room"] is None


def test_evidence_names_the_words_and_their_times() -> None:
    draft = understand(call(recognised("你好 / 三 栋 二 单元 五 零 幺 / 漏水")), context=CONTEXT)
    assert draft.place is not None
    (evidence,) = draft.place.evidence
    assert evidence.words == "三栋二单元五零幺"
    assert (evidence.start_ms, evidence.end_ms) == (800, 2200)


def test_an_estate_known_by_the_register_is_found_in_the_middle_of_a_sentence() -> None:
    context = context_with({"estate": "枫桦景苑", "building": "3", "room": "501"})
    draft = understand_text("麻烦来枫桦景苑看看三栋五零一", context=context)
    assert draft_to_json(draft)["place"]["estate"] == "枫桦景苑"


def test_register_rows_may_be_written_with_their_suffixes() -> None:
    register = EstateRegister.from_rows([{"building": "3栋", "unit": "2单元", "room": "501室", "phase": "2期"}, {}])
    assert register.contains(Place(phase="二期", building="3", unit="2", room="501"))
    assert not register.contains(Place(building="3", unit="2", room="502"))
    assert not register.contains(Place(building="4"))
    assert len(register.places) == 1


def test_a_building_with_no_rooms_listed_vouches_for_the_building_only() -> None:
    register = EstateRegister.from_rows([{"lane": "318", "building": "6"}])
    assert register.contains(Place(lane="318", building="6", room="501"))


def test_a_number_that_other_readings_dispute_is_not_asserted() -> None:
    """From a recording: 二零三呀 came out as 二零三二, 二零三五 and more."""
    readings = (
        "五号楼二零三五插座没电",
        "十五号楼二零三二插座没电",
        "十五号楼二零三五插座没电",
        "五号楼二零三一插座没电",
    )
    draft = understand(call(recognised("五 号楼 二 零 三 二 插座 没电", alternatives=readings)), context=CONTEXT)
    assert draft.place is not None
    assert draft.place.confidence < 0.6
    same = ("五号楼二零三插坐没电", "五号楼二零三擦座没电", "我五号楼二零三插座没电")
    draft = understand(call(recognised("五 号楼 二 零 三 插座 没电", alternatives=same)), context=CONTEXT)
    assert draft.place is not None
    assert draft.place.confidence >= 0.6
